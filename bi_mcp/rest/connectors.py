"""`biconnector.connector.*`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.kind_methods import KindMethods
from bi_mcp.rest.kinds import CONNECTOR
from bi_mcp.rest.models.connector import Connector, ConnectorChanges, ConnectorFields

if TYPE_CHECKING:
    from bi_mcp.rest.request import Transport

# One field that a portal does not know fails the whole call, so these are sent only where `connector.fields` lists them.
NEWER_FIELDS = ("supportMapping", "sourceCode")


class Connectors(KindMethods[Connector, ConnectorFields, ConnectorChanges]):
    """The templates: four endpoints and the names of their parameters."""

    kind = CONNECTOR

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._known_fields: frozenset[str] | None = None

    async def add(self, fields: ConnectorFields) -> int:
        """Create a connector and return its id."""
        await self._check_newer_fields(fields)
        return await super().add(fields)

    async def update(self, id: int, changes: ConnectorChanges) -> None:
        """Change only the fields in `changes`. `settings` replaces the whole list of parameters."""
        await self._check_newer_fields(changes)
        await super().update(id, changes)

    async def _check_newer_fields(self, sent: ConnectorFields | ConnectorChanges) -> None:
        newer = [name for name in NEWER_FIELDS if name in sent.to_wire()]
        if not newer:
            return
        if self._known_fields is None:
            self._known_fields = frozenset(field.title for field in await self.fields())
        unknown = [name for name in newer if name not in self._known_fields]
        if unknown:
            raise InvalidRequestError(
                say(
                    "This portal's connectors have no {fields} (newer portals only). Nothing was sent; leave it out.",
                    fields=say(" and no ").join(unknown),
                )
            )
