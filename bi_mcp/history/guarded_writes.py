"""Writes that send stored secrets or move connectors: a look before, a second one after, and a way back.

Locks keep off those who hold them. Another user, another configuration folder and BI Builder hold none, so a connector may move
between the look and the write.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from anyio import CancelScope, to_thread

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import BiMcpError, ConfigError, SecretReferenceError
from bi_mcp.history.actor import undoing
from bi_mcp.history.reader import current_reader
from bi_mcp.rest.models import Connector, ConnectorChanges, SourceChanges, SourceFields
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.vault.travel import addresses_of, check_values, new_hosts, tell_travel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from bi_mcp.history.entries import History
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.models import Source
    from bi_mcp.vault.named_secrets import NamedSecrets

# The destination of a connector that cannot be read is unknown.
UNKNOWN = "?"


@dataclass(frozen=True)
class Allowed:
    """Values by code that were found to be allowed to go where the connector led: to these addresses."""

    connector: int
    addresses: Sequence[str]
    values: Mapping[str, Secret]


@dataclass(frozen=True)
class GuardedWrites:
    """Writes that send stored secrets or move connectors. Raises `SecretReferenceError` for a write that is refused or
    was taken back; `named` are the stored secrets.

    With a `history`, the write that takes another back is recorded as its undo.
    """

    bi: BIConnector
    named: NamedSecrets | None
    history: History | None = None

    async def allow(self, connector_id: int | None, values: Mapping[str, Secret]) -> Allowed | None:
        """Look where a connector leads before it gets these values. None where nothing is stored or sent."""
        if self.named is None or not values:
            return None
        connector = await self.bi.connectors.get(connector_id or 0)
        await to_thread.run_sync(check_values, self.named, values, addresses_of(connector))
        return Allowed(connector.id, addresses_of(connector), values)

    async def add_source(self, fields: SourceFields, allowed: Allowed | None) -> int:
        """Create a source, and delete it where its connector has moved to where a value may not go."""
        with CancelScope(shield=True):
            id = await self.bi.sources.add(fields)
            if hosts := await self.strange_hosts(allowed):
                raise await self.take_back_source(id, hosts, partial(self.bi.sources.delete, id))
        return id

    async def change_source(self, source: Source, changes: SourceChanges, allowed: Allowed | None) -> None:
        """Change a source, and set its values back where its connector has moved to where one may not go."""
        with CancelScope(shield=True):
            await self.bi.sources.update(source.id, changes)
            if hosts := await self.strange_hosts(allowed):
                raise await self.take_back_source(
                    source.id, hosts, partial(self.restore_values, source, changes)
                )

    async def change_connector(self, id: int, changes: ConnectorChanges) -> None:
        """Change a connector, and set its addresses back where one of its sources got a value that may not go along."""
        moves = self.named is not None and addresses_of(changes)
        before = await self.bi.connectors.get(id) if moves else None
        if before is not None:
            await tell_travel(self.bi, before, changes, self.named)
        with CancelScope(shield=True):
            await self.bi.connectors.update(id, changes)
            if before is not None:
                await self.check_moved(before, changes)

    async def strange_hosts(self, allowed: Allowed | None) -> str:
        """The hosts to which the connector has moved since and where the values may not go. Empty for none."""
        if self.named is None or allowed is None or not allowed.values:
            return ""
        hosts = [UNKNOWN]
        try:
            now = await self.bi.connectors.get(allowed.connector)
            hosts = new_hosts(allowed.addresses, addresses_of(now))
            if hosts:
                await to_thread.run_sync(check_values, self.named, allowed.values, addresses_of(now))
        except SecretReferenceError:
            return ", ".join(hosts)
        except BiMcpError:
            return UNKNOWN
        return ""

    async def restore_values(self, source: Source, changes: SourceChanges) -> None:
        """Set the values that were changed back to what the source held."""
        held = {setting.code: setting.value for setting in source.settings or []}
        before = {code: held.get(code, Secret("")) for code in changes.settings or ()}
        await self.bi.sources.update(source.id, SourceChanges(title=source.title, settings=before))

    async def take_back_source(
        self, id: int, hosts: str, take_back: Callable[[], Awaitable[object]]
    ) -> SecretReferenceError:
        """Take a write of a source back. Returns the error that says so, or that it could not be done."""
        try:
            with await self._reverting("source", id):
                await take_back()
            done = say("What was written was taken back.")
        except BiMcpError as error:
            done = say(
                "It could not be taken back, so do it by hand: delete source {id}. {error}",
                id=id,
                error=error,
            )
        return SecretReferenceError(
            say(
                "While source {id} was written, someone moved its connector to a host to which its stored secret may not be sent: {hosts}. {done} The secret may have been sent there once. Check whose address that is; if it is unknown, change the secret in the system that it opens.",
                id=id,
                hosts=hosts,
                done=done,
            )
        )

    async def check_moved(
        self, before: Connector, changes: ConnectorChanges, *, connected: bool = True
    ) -> None:
        """Look at the sources of a connector that was moved, and set its addresses back where it may not take them along.

        They are set back, too, where the sources cannot be read, but not once the connection is lost.
        """
        try:
            await tell_travel(self.bi, before, changes, self.named)
        except SecretReferenceError as error:
            why = say(
                "While connector {id} was moved, another program gave one of its sources a stored secret. {error}",
                id=before.id,
                error=error,
            )
        except BiMcpError as error:
            if not connected:
                return
            why = say(
                "After connector {id} was moved, bi-mcp could not find out whether its sources hold a stored secret. {error}",
                id=before.id,
                error=error,
            )
        else:
            return
        raise SecretReferenceError(f"{await self._move_back(before, changes)} {why}")

    async def _move_back(self, before: Connector, changes: ConnectorChanges) -> str:
        changed = [name for name in ADDRESSES if getattr(changes, name) and getattr(before, name)]
        former = ConnectorChanges(**{name: getattr(before, name) for name in changed})
        try:
            with await self._reverting("connector", before.id):
                await self.bi.connectors.update(before.id, former)
        except BiMcpError as error:
            return say(
                "The addresses of connector {id} could not be set back, so do it by hand. {error}",
                id=before.id,
                error=error,
            )
        return say("The addresses of connector {id} are again as they were.", id=before.id)

    async def _reverting(self, group: Group, id: int) -> AbstractContextManager[None]:
        """Record the following writes as the undo of the caller's last write of this object."""
        if self.history is None:
            return nullcontext()
        try:
            entries = await to_thread.run_sync(self.history.entries)
        except (OSError, ConfigError):
            return nullcontext()
        reader = current_reader()
        last = [
            entry for entry in entries if (entry.group, entry.object) == (group, id) and reader.wrote(entry)
        ]
        return undoing(last[-1].id) if last else nullcontext()
