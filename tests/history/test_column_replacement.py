"""Columns are replaced as one change: whatever fails in the middle, the dataset ends with the new columns or with the former."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.config import Generation
from bi_mcp.errors import BiMcpError, InterruptedWriteError, InvalidRequestError
from bi_mcp.history.column_replacement import ColumnReplacer, ReplacedColumns
from bi_mcp.history.entries import find_undone, open_history
from bi_mcp.history.undo_run import Undo
from bi_mcp.rest.models import ColumnChanges, ColumnReplacement, ColumnVisibility, NewColumn
from tests.history import killed_replacing
from tests.history.recorded import Recorded, plant

pytestmark = pytest.mark.anyio

CHANGE = "biconnector.dataset.fields.update"
Shown = list[tuple[str | None, str | None, str | None, bool | None]]


def wanted(name: str = "TITLE", **changes: Any) -> ColumnReplacement:
    return ColumnReplacement(name=name, **changes)


async def shown(recorded: Recorded, dataset: int) -> Shown:
    columns = (await recorded.portal.bi.datasets.get(dataset)).fields or []
    return sorted((each.name, each.external_code, each.type, each.visible) for each in columns)


async def replaced(recorded: Recorded, dataset: int, *columns: ColumnReplacement) -> ReplacedColumns:
    replacer = ColumnReplacer(recorded.bi.datasets, recorded.history)
    return await replacer.run(await replacer.plan(dataset, columns))


async def failure(recorded: Recorded, dataset: int, *columns: ColumnReplacement) -> str:
    with pytest.raises(InterruptedWriteError) as raised:
        await replaced(recorded, dataset, *columns)
    return str(raised.value)


def changes_sent(recorded: Recorded) -> int:
    return recorded.portal.calls.methods.count("dataset.fields.update")


async def test_a_column_gets_another_code_and_keeps_its_name(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = {each.name: each.id for each in (await recorded.bi.datasets.get(dataset)).fields or []}
    result = await replaced(recorded, dataset, wanted(external_code="title_2"))
    [column] = result.columns
    assert (column.name, column.external_code, column.type) == ("TITLE", "title_2", "string")
    assert column.id not in before.values()
    assert result.remarks == []
    assert ("TITLE", "title_2", "string", True) in await shown(recorded, dataset)
    assert len(await shown(recorded, dataset)) == len(before)


async def test_two_columns_swap_their_names_and_the_hidden_one_stays_hidden(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    [first, second] = (await recorded.bi.datasets.get(dataset)).fields or []
    await recorded.bi.datasets.update_columns(
        dataset, ColumnChanges(update=[ColumnVisibility(id=first.id, visible=False)])
    )
    before = await shown(recorded, dataset)
    await replaced(
        recorded,
        dataset,
        ColumnReplacement(id=first.id, name=second.name),
        ColumnReplacement(id=second.id, name=first.name),
    )
    assert await shown(recorded, dataset) == sorted(
        [
            (second.name, first.external_code, first.type, False),
            (first.name, second.external_code, second.type, True),
        ]
    )
    [newest, *_] = reversed(recorded.entries)
    undo = Undo(recorded.bi, recorded.history)
    results = await undo.run(await undo.plan([newest.id]))
    assert [result.error for result in results] == [None] * len(results)
    assert await shown(recorded, dataset) == before


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ([], "No column is named"),
        ([ColumnReplacement(type="int")], "named by its id or its name"),
        ([wanted("OTHER", type="int")], "no column OTHER. The columns are"),
        ([wanted()], "TITLE would stay as it is"),
        ([wanted(type="string")], "TITLE would stay as it is"),
        ([wanted(type="int"), wanted(type="double")], "id .* would be there twice"),
        ([wanted(external_code="id")], "externalCode id would be there twice"),
    ],
)
async def test_what_a_portal_would_refuse_half_way_is_refused_whole(
    recorded: Recorded, columns: list[ColumnReplacement], why: str
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    [first, second] = (await recorded.bi.datasets.get(dataset)).fields or []
    with pytest.raises(InvalidRequestError, match=f"Nothing was sent.*{why}"):
        await replaced(recorded, dataset, *columns)
    with pytest.raises(InvalidRequestError, match=f"The name {first.name} would be there twice"):
        await replaced(recorded, dataset, ColumnReplacement(id=second.id, name=first.name))
    assert changes_sent(recorded) == 0


async def test_a_type_that_only_newer_portals_have_is_refused_on_others(
    recorded: Recorded, generation: Generation
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    if generation == "tables":
        await replaced(recorded, dataset, wanted(type="money"))
        return
    with pytest.raises(InvalidRequestError, match="no column type money"):
        await replaced(recorded, dataset, wanted(type="money"))


async def test_either_part_undoes_the_whole_change(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    for place in (-1, -2):
        await replaced(recorded, dataset, wanted(type="int"))
        parts = recorded.entries[-2:]
        assert len({entry.change for entry in parts}) == 1
        undo = Undo(recorded.bi, recorded.history)
        await undo.run(await undo.plan([recorded.entries[place].id]))
        assert await shown(recorded, dataset) == before
        assert {entry.id for entry in parts} <= set(find_undone(recorded.entries))


async def test_an_undo_of_the_last_change_takes_both_parts(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    await replaced(recorded, dataset, wanted(type="int"))
    undo = Undo(recorded.bi, recorded.history)
    plan = await undo.plan()
    assert len(plan.steps) == 2
    await undo.run(plan)
    assert await shown(recorded, dataset) == before


# Faults. The first change is the deletion, the second the addition, the third what puts the former columns back.


@pytest.mark.parametrize("fault", ["no_code", "internal_error", "cut_before", "html"])
async def test_an_addition_that_fails_puts_the_column_back(
    recorded: Recorded, fault: str, without_pauses: None
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    recorded.portal.faults.arm(fault, method=CHANGE, skip=1)
    text = await failure(recorded, dataset, wanted(type="int"))
    assert "The columns were not replaced." in text
    assert "The former ones are there again, with new ids:" in text
    assert await shown(recorded, dataset) == before
    assert changes_sent(recorded) == 3
    deletion, addition, restored = recorded.entries[-3:]
    assert restored.undoes == deletion.id
    assert not (await Undo(recorded.bi, recorded.history).plan([addition.id])).steps
    # What is last now is the creation of the dataset: nothing of the change is left to undo.
    [step] = (await Undo(recorded.bi, recorded.history).plan()).steps
    assert step.entry.operation == "add"


@pytest.mark.parametrize("fault", ["cut_after", "internal_error_after", "truncated", "empty"])
@pytest.mark.parametrize("step", [0, 1])
async def test_a_step_that_happened_without_an_answer_is_not_sent_again(
    recorded: Recorded, fault: str, step: int
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    recorded.portal.faults.arm(fault, method=CHANGE, skip=step)
    [column] = (await replaced(recorded, dataset, wanted(type="int"))).columns
    assert column.type == "int"
    assert changes_sent(recorded) == 2


@pytest.mark.parametrize("fault", ["no_code", "cut_before"])
async def test_a_deletion_that_does_not_happen_leaves_everything(recorded: Recorded, fault: str) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    recorded.portal.faults.arm(fault, method=CHANGE)
    with pytest.raises(BiMcpError):
        await replaced(recorded, dataset, wanted(type="int"))
    assert await shown(recorded, dataset) == before
    assert changes_sent(recorded) == 1


async def test_columns_that_cannot_be_put_back_are_named_with_what_adds_them(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=1, times=2)
    text = await failure(recorded, dataset, wanted(type="int"))
    assert f"dataset {dataset} may lack TITLE (title, string)" in text
    assert await shown(recorded, dataset) == [each for each in before if each[0] != "TITLE"]
    undo = Undo(recorded.bi, recorded.history)
    await undo.run(await undo.plan())
    assert await shown(recorded, dataset) == before


async def test_a_late_addition_counts_as_done(recorded: Recorded) -> None:
    """The portal works on a request whose connection broke, and ends it before the former columns are put back."""
    dataset = (await plant(recorded.bi)).dataset
    recorded.portal.faults.arm("cut_before", method=CHANGE, skip=1)
    late = ColumnChanges(add=[NewColumn(name="TITLE", external_code="title", type="int")])

    class SlowToRestore(ColumnReplacer):
        async def _reverting(self, change: str) -> AbstractContextManager[None]:
            await recorded.portal.bi.datasets.update_columns(dataset, late)
            return await super()._reverting(change)

    replacer = SlowToRestore(recorded.bi.datasets, recorded.history)
    [column] = (await replacer.run(await replacer.plan(dataset, [wanted(type="int")]))).columns
    assert column.type == "int"


async def test_builder_that_does_not_follow_is_told_and_changes_nothing(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    recorded.portal.faults.arm("sync_failure", method=CHANGE, times=2)
    result = await replaced(recorded, dataset, wanted(type="int"))
    assert [column.type for column in result.columns] == ["int"]
    assert len(result.remarks) == 2
    assert "DATASET_UPDATE_ERROR" in result.remarks[0]


async def test_a_caller_that_goes_away_in_the_middle_leaves_no_gap(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    slow = recorded.portal.faults.arm("slow", method=CHANGE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(replaced, recorded, dataset, wanted(type="int"))
        await slow.reached.wait()
        tasks.cancel_scope.cancel()
        slow.release.set()
    assert ("TITLE", "title", "int", True) in await shown(recorded, dataset)


def test_a_process_that_is_killed_in_between_leaves_what_an_undo_needs(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603  our own script
        [sys.executable, str(Path(killed_replacing.__file__)), str(tmp_path)], check=False, timeout=60
    )
    assert ended.returncode == -9
    history = open_history(tmp_path, PortalIdentity("portal"))
    deletion, addition = history.entries()
    assert (deletion.outcome, addition.outcome) == ("done", "begun")
    assert deletion.change == addition.change
    assert [column["name"] for column in (deletion.before or {})["fields"]] == ["TITLE"]
