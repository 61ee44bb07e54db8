"""`biconnector.source.*`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError, RefusedError
from bi_mcp.rest.error_codes import ORPHANED
from bi_mcp.rest.kind_methods import KindCommands, KindMethods
from bi_mcp.rest.kinds import SOURCE
from bi_mcp.rest.models.source import Source, SourceChanges, SourceFields

if TYPE_CHECKING:
    from bi_mcp.rest.request import Command


class SourceCommands(KindCommands[Source, SourceFields, SourceChanges]):
    """Methods of sources as commands of a batch."""

    def update(self, id: int, changes: SourceChanges) -> Command[None]:
        """Change what `changes` holds, which must name the title: newer portals refuse the call without it."""
        if changes.title is None and changes.to_wire():
            raise InvalidRequestError(
                say("source {id}: every update must contain the title, even an unchanged one. Add it.", id=id)
            )
        return super().update(id, changes)


class Sources(KindMethods[Source, SourceFields, SourceChanges]):
    """Connectors plus the values of their parameters. Creating and updating makes the portal call `urlCheck`."""

    kind = SOURCE

    @property
    def commands(self) -> SourceCommands:
        """Commands of the same methods, for `BIConnector.batch`."""
        return SourceCommands(self.kind)

    async def find(self, id: int) -> Source:
        """Read one source, also one whose connector is gone: a list still gives some of its fields."""
        try:
            return await self.get(id)
        except RefusedError as refusal:
            if refusal.code != ORPHANED:
                raise
            listed = (await self.list_page(filter={"id": id})).items
            if not listed:
                raise
            return listed[0]

    async def update(self, id: int, changes: SourceChanges) -> None:
        """Change only the fields in `changes`. Without a title in it the present one is read and sent along."""
        sent = changes
        if changes.title is None and changes.to_wire():
            sent = changes.model_copy(update={"title": (await self.get(id)).title or ""})
        # A look afterwards compares the caller's changes: the unchanged title proves nothing.
        await self._write(self.commands.update(id, sent), lambda: self._find_updated(id, changes.to_wire()))
