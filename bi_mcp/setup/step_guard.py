"""Second look after the steps of an application that send stored secrets or move connectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio

from bi_mcp.errors import SecretReferenceError
from bi_mcp.history.guarded_writes import UNKNOWN, Allowed, GuardedWrites
from bi_mcp.rest.models import ConnectorChanges, SourceChanges, SourceFields
from bi_mcp.vault.setting_values import SecretReference
from bi_mcp.vault.travel import addresses_of, new_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.setup.commands import SetupWrite
    from bi_mcp.setup.setup import Setup


@dataclass(frozen=True)
class StepGuard:
    """`snapshot` is what the plan was made of, `id_of` gives the id of an object of the setup that is there."""

    writes: GuardedWrites
    setup: Setup
    snapshot: Snapshot
    id_of: Callable[[Group, str], int]

    def watches(self, write: SetupWrite) -> bool:
        """Return whether a step needs a second look, for which the steps that build on it have to wait."""
        if self.writes.named is None:
            return False
        if isinstance(write.fields, ConnectorChanges):
            before = self.snapshot.connectors[write.step.id or 0]
            return bool(new_hosts(addresses_of(before), addresses_of(write.fields)))
        return bool(self._stored_values(write))

    async def look_again(
        self, made: Mapping[int, tuple[SetupWrite, int]], *, connected: bool
    ) -> dict[int, SecretReferenceError]:
        """Take back those of the made steps that must not stay. Returns the errors by the numbers of the steps.

        Connectors go first: where one is set back, its sources are judged by its former addresses. Where the addresses
        of a connector cannot be read, its sources are taken back, but not once the connection is lost.
        """
        errors = dict[int, SecretReferenceError]()
        for number, (write, id) in made.items():
            if isinstance(write.fields, ConnectorChanges):
                try:
                    before = self.snapshot.connectors[id]
                    await self.writes.check_moved(before, write.fields, connected=connected)
                except SecretReferenceError as error:
                    errors[number] = error
        for number, hosts in (await self._strange_hosts(made)).items():
            if hosts and (connected or hosts != UNKNOWN):
                errors[number] = await self._take_back(*made[number], hosts)
        return errors

    async def _strange_hosts(self, made: Mapping[int, tuple[SetupWrite, int]]) -> dict[int, str]:
        """Look up the strange hosts of all steps at once: reads that are issued together become one request."""
        found = dict[int, str]()

        async def look(number: int, write: SetupWrite) -> None:
            key = self.setup.sources[write.step.entry_key].connector
            addresses = self.setup.connectors[key].addresses
            allowed = Allowed(self.id_of("connector", key), addresses, self._stored_values(write))
            found[number] = await self.writes.strange_hosts(allowed)

        async with anyio.create_task_group() as tasks:
            for number, (write, _) in made.items():
                if self._stored_values(write):
                    tasks.start_soon(look, number, write)
        return dict(sorted(found.items()))

    async def _take_back(self, write: SetupWrite, id: int, hosts: str) -> SecretReferenceError:
        if isinstance(write.fields, SourceChanges):
            undo = partial(self.writes.restore_values, self.snapshot.sources[id], write.fields)
        else:
            undo = partial(self.writes.bi.sources.delete, id)
        return await self.writes.take_back_source(id, hosts, undo)

    def _stored_values(self, write: SetupWrite) -> dict[str, Secret]:
        """The settings that hold stored secrets; others are bound to nothing."""
        if not isinstance(write.fields, SourceFields | SourceChanges):
            return {}
        held = self.setup.sources[write.step.entry_key].settings
        sent = write.fields.settings or {}
        return {code: value for code, value in sent.items() if isinstance(held.get(code), SecretReference)}
