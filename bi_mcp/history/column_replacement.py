"""Replaces columns: deletes them, adds the new ones, and puts the former back where that fails.

A portal refuses both in one request. In between the columns are gone, so the sequence is never cut off by the caller, and after
every answer that is not clear the dataset is read before anything else is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import CancelScope, to_thread

from bi_mcp.base.language import say
from bi_mcp.errors import (
    BiMcpError,
    ConfigError,
    InterruptedWriteError,
    InvalidRequestError,
    NotSynchronisedError,
)
from bi_mcp.history.actor import as_one_change, undoing
from bi_mcp.history.replacement_failures import lose, put_back, tell_present
from bi_mcp.rest.column_replacement import plan_replacement
from bi_mcp.rest.models import Column, ColumnChanges

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bi_mcp.history.entries import Entry, History
    from bi_mcp.rest.column_exchange import ColumnExchange
    from bi_mcp.rest.column_replacement import ColumnReplacementPlan
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.models import ColumnReplacement, NewColumn

_TRIES_TO_HIDE = 2


@dataclass(frozen=True)
class ReplacedColumns:
    """The columns that took the others' places, with their ids, and what did not follow."""

    columns: Sequence[Column]
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class ColumnReplacer:
    """Replaces columns of datasets. With a `history` its writes are one change there, and what is put back undoes the deletion.

    `undoes`: the entries that the deletion and the addition revert, where they are an undo.
    """

    datasets: Datasets
    history: History | None = None
    undoes: tuple[str, str] | None = None

    async def plan(self, id: int, wanted: Sequence[ColumnReplacement]) -> ColumnReplacementPlan:
        """Check what is wanted against the dataset as it is. Raises `InvalidRequestError`."""
        return plan_replacement(await self.datasets.get(id), wanted, await self.datasets.generation())

    async def run(self, plan: ColumnReplacementPlan) -> ReplacedColumns:
        """Replace the columns. Raises `InterruptedWriteError` that says which columns are there now."""
        with as_one_change() as change:
            return await self.exchange(plan.exchange, change)

    async def exchange(self, plan: ColumnExchange, change: str) -> ReplacedColumns:
        """Delete columns and add others, as parts of a change. Raises as `run` does."""
        with CancelScope(shield=True):
            remarks = await self._delete(plan, change)
            remarks += await self._add(plan, change)
            with self._recording(1, change):
                remarks += await self._hide(plan)
            try:
                added = plan.find_added(await self._look(plan))
            except BiMcpError:
                unread = say("The columns were replaced. Their new ids could not be read; read the dataset.")
                return ReplacedColumns([], [*remarks, unread])
        if not added:
            remarks.append(
                say("The columns were changed again meanwhile. Read the dataset for what it has now.")
            )
        return ReplacedColumns(added, remarks)

    async def _delete(self, plan: ColumnExchange, change: str) -> list[str]:
        try:
            with self._recording(0, change):
                await self.datasets.update_columns(plan.dataset, plan.deletion)
        except NotSynchronisedError as error:
            return [str(error)]
        except InvalidRequestError:
            # Nothing was sent: somebody else has deleted or replaced one of them.
            raise
        except BiMcpError as error:
            try:
                present = await self._look(plan)
            except BiMcpError:
                if isinstance(error, InterruptedWriteError):
                    raise lose(plan, error) from error
                raise error from None
            if plan.is_deleted(present):
                await self._put_back(plan, change, error)
            raise
        return []

    async def _add(self, plan: ColumnExchange, change: str) -> list[str]:
        try:
            with self._recording(1, change):
                await self.datasets.update_columns(plan.dataset, plan.addition)
        except NotSynchronisedError as error:
            return [str(error)]
        except BiMcpError as error:
            return await self._put_back(plan, change, error)
        return []

    async def _put_back(self, plan: ColumnExchange, change: str, error: BiMcpError) -> list[str]:
        """Put the former columns back and raise the error that says so. Returns remarks where the new ones are there after all."""
        try:
            sent, remarks = await self._restore(plan, change)
            present = await self._look(plan)
        except BiMcpError:
            raise lose(plan, error) from error
        if plan.find_added(present):
            return await self._remove(plan, change, sent, present)
        if plan.missing(present):
            raise lose(plan, error, remarks, present) from error
        raise put_back(plan, present, error, remarks) from error

    async def _restore(self, plan: ColumnExchange, change: str) -> tuple[Sequence[NewColumn], list[str]]:
        """Add the former columns whose places are free, unless the new ones came late. Returns those that were sent, and what failed."""
        present = await self._look(plan)
        addable = plan.addable(present)
        if plan.find_added(present) or not addable:
            return [], []
        remarks: list[str] = []
        with await self._reverting(change):
            try:
                await self.datasets.update_columns(plan.dataset, ColumnChanges(add=addable))
            except BiMcpError as error:
                remarks.append(str(error))
            remarks += await self._hide(plan, restored=True)
        return addable, remarks

    async def _remove(
        self, plan: ColumnExchange, change: str, sent: Sequence[NewColumn], present: Sequence[Column]
    ) -> list[str]:
        """Delete the former columns that were put back although the new ones came, late."""
        old = {column.id for column in plan.old}
        doubled = [column for column in plan.find_former(present) if sent and column.id not in old]
        if not doubled:
            return []
        columns = tell_present(doubled)
        try:
            with await self._removing(change):
                deletion = ColumnChanges(delete=[column.id for column in doubled])
                await self.datasets.update_columns(plan.dataset, deletion)
        except BiMcpError as error:
            return [
                say(
                    "The new columns came late, so the former ones, which were put back, are there as well: {columns}. Delete them. {error}",
                    columns=columns,
                    error=error,
                )
            ]
        return [
            say(
                "The new columns came late; the former ones, put back meanwhile ({columns}), were deleted again.",
                columns=columns,
            )
        ]

    async def _hide(self, plan: ColumnExchange, *, restored: bool = False) -> list[str]:
        """Hide what was hidden before. The columns are there, so a failure is only told."""
        hidden = [column for column in plan.old if column.visible is False] if restored else plan.hidden
        if not hidden:
            return []
        for _ in range(_TRIES_TO_HIDE):
            try:
                changes = plan.hiding(await self._look(plan), restored=restored)
                if changes is not None:
                    await self.datasets.update_columns(plan.dataset, changes)
            except NotSynchronisedError as error:
                return [str(error)]
            except BiMcpError as error:
                failure = error
            else:
                return []
        return [
            say(
                "Hidden before, and perhaps visible now: {columns}. Hide them again. {error}",
                columns=", ".join(column.name or "" for column in hidden),
                error=failure,
            )
        ]

    async def _look(self, plan: ColumnExchange) -> list[Column]:
        return (await self.datasets.get(plan.dataset)).fields or []

    def _recording(self, step: int, change: str) -> AbstractContextManager[None]:
        """Record the following writes as the undo of what the deletion (0) or the addition (1) reverts."""
        return undoing(self.undoes[step], change) if self.undoes else nullcontext()

    async def _reverting(self, change: str) -> AbstractContextManager[None]:
        """Record the following writes as the undo of this change's deletion."""
        deletion = await self._find_deletion(change)
        return undoing(deletion.id) if deletion else nullcontext()

    async def _removing(self, change: str) -> AbstractContextManager[None]:
        """Record the following writes as the undo of what put this change's columns back."""
        deletion = await self._find_deletion(change)
        if deletion is None:
            return nullcontext()
        addition = await self._find_entry(lambda entry: entry.undoes == deletion.id and "add" in entry.sent)
        return undoing(addition.id) if addition else nullcontext()

    async def _find_deletion(self, change: str) -> Entry | None:
        return await self._find_entry(lambda entry: entry.change == change and "delete" in entry.sent)

    async def _find_entry(self, matches: Callable[[Entry], bool]) -> Entry | None:
        """The last such entry of the history."""
        if self.history is None:
            return None
        try:
            entries = await to_thread.run_sync(self.history.entries)
        except (OSError, ConfigError):
            return None
        return next((entry for entry in reversed(entries) if matches(entry)), None)
