"""Replaces columns: deletes them, adds the new ones, and puts the former back where that fails.

A portal refuses both in one request. In between the columns are gone, so the sequence is never cut off by the caller, and after
every answer that is not clear the dataset is read before anything else is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import CancelScope, to_thread

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, ConfigError, InterruptedWriteError, NotSynchronisedError
from bi_mcp.history.actor import as_one_change, undoing
from bi_mcp.rest.column_replacement import plan_replacement
from bi_mcp.rest.models import Column, ColumnChanges

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bi_mcp.history.entries import History
    from bi_mcp.rest.column_replacement import ColumnReplacementPlan
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.models import ColumnReplacement


@dataclass(frozen=True)
class ReplacedColumns:
    """The columns that took the others' places, with their ids, and what did not follow."""

    columns: Sequence[Column]
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class ColumnReplacer:
    """Replaces columns of datasets. With a `history` its writes are one change there, and what is put back undoes the deletion."""

    datasets: Datasets
    history: History | None = None

    async def plan(self, id: int, wanted: Sequence[ColumnReplacement]) -> ColumnReplacementPlan:
        """Check what is wanted against the dataset as it is. Raises `InvalidRequestError`."""
        return plan_replacement(await self.datasets.get(id), wanted, await self.datasets.generation())

    async def run(self, plan: ColumnReplacementPlan) -> ReplacedColumns:
        """Replace the columns. Raises `InterruptedWriteError` that says which columns are there now."""
        with CancelScope(shield=True), as_one_change() as change:
            remarks = await self._delete(plan, change)
            remarks += await self._add(plan, change)
            remarks += await self._hide(plan)
            present = await self._look(plan)
        return ReplacedColumns(plan.find_added(present), remarks)

    async def _delete(self, plan: ColumnReplacementPlan, change: str) -> list[str]:
        try:
            await self.datasets.update_columns(plan.dataset, plan.deletion)
        except NotSynchronisedError as error:
            return [str(error)]
        except BiMcpError as error:
            try:
                present = await self._look(plan)
            except BiMcpError as failed:
                raise _lose(plan, error, failed) from error
            if not plan.missing(present):
                raise
            raise await self._put_back(plan, change, error) or error from error
        return []

    async def _add(self, plan: ColumnReplacementPlan, change: str) -> list[str]:
        try:
            await self.datasets.update_columns(plan.dataset, plan.addition)
        except NotSynchronisedError as error:
            return [str(error)]
        except BiMcpError as error:
            failure = await self._put_back(plan, change, error)
            if failure is not None:
                raise failure from error
        return []

    async def _put_back(
        self, plan: ColumnReplacementPlan, change: str, error: BiMcpError
    ) -> InterruptedWriteError | None:
        """Put the former columns back. Returns the error that says so, or None where the new ones are there after all."""
        try:
            await self._restore(plan, change)
            present = await self._look(plan)
        except BiMcpError as failed:
            return _lose(plan, error, failed)
        if plan.find_added(present):
            return None
        if plan.missing(present):
            return _lose(plan, error)
        names = {column.former.name for column in plan.columns}
        there = ", ".join(f"{column.id} {column.name}" for column in present if column.name in names)
        return InterruptedWriteError(
            say(
                "The columns were not replaced. The former ones are there again, with new ids: {columns}. {error}",
                error=error,
                columns=there,
            ),
            method=plan.method,
            outcome="not_done",
        )

    async def _restore(self, plan: ColumnReplacementPlan, change: str) -> None:
        """Add the former columns, unless the new ones came late, which make the portal refuse that."""
        present = await self._look(plan)
        missing = plan.missing(present)
        if plan.find_added(present) or not missing:
            return
        with await self._reverting(change):
            try:
                await self.datasets.update_columns(plan.dataset, ColumnChanges(add=missing))
            except BiMcpError:
                now = await self._look(plan)
                if plan.missing(now) and not plan.find_added(now):
                    raise
            await self._hide(plan, restored=True)

    async def _hide(self, plan: ColumnReplacementPlan, *, restored: bool = False) -> list[str]:
        """Hide what was hidden before. The columns are there, so a failure is only told."""
        if all(column.old.visible is not False for column in plan.columns):
            return []
        try:
            changes = plan.hiding(await self._look(plan), restored=restored)
            if changes is not None:
                await self.datasets.update_columns(plan.dataset, changes)
        except BiMcpError as error:
            return [say("A column that was hidden may be visible now. {error}", error=error)]
        return []

    async def _look(self, plan: ColumnReplacementPlan) -> list[Column]:
        return (await self.datasets.get(plan.dataset)).fields or []

    async def _reverting(self, change: str) -> AbstractContextManager[None]:
        """Record the following writes as the undo of this change's deletion."""
        if self.history is None:
            return nullcontext()
        try:
            entries = await to_thread.run_sync(self.history.entries)
        except (OSError, ConfigError):
            return nullcontext()
        deletions = [entry.id for entry in entries if entry.change == change and "delete" in entry.sent]
        return undoing(deletions[-1]) if deletions else nullcontext()


def _lose(
    plan: ColumnReplacementPlan, error: BiMcpError, failed: BiMcpError | None = None
) -> InterruptedWriteError:
    """The error for columns that are missing: what to add, in the words of the door."""
    former = [column.former.to_wire() for column in plan.columns]
    missing = ", ".join(f"{each['name']} ({each['externalCode']}, {each['type']})" for each in former)
    arguments = json.dumps({"id": plan.dataset, "add": former}, ensure_ascii=False)
    return InterruptedWriteError(
        say(
            "The columns were not replaced, and the former ones could not be put back: dataset {id} may lack {columns}. {error} {failed} {advice}",
            id=plan.dataset,
            columns=missing,
            error=error,
            failed=failed or "",
            advice=advise(AdviceKind.ADD_COLUMNS, id=plan.dataset, columns=missing, arguments=arguments),
        ),
        method=plan.method,
        outcome="partly",
    )
