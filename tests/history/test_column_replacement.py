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
from bi_mcp.rest.column_exchange import ColumnExchange
from bi_mcp.rest.datasets import Datasets
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


async def shown_by_admin(recorded: Recorded, dataset: int) -> Shown:
    """The columns after the portal's reading methods were made to fail."""
    recorded.portal.faults.clear()
    return await shown(recorded, dataset)


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


class Intruding(ColumnReplacer):
    """Somebody else changes the columns between the deletion and the addition."""

    intrusion: ColumnChanges
    behind: Datasets

    async def _add(self, plan: ColumnExchange, change: str) -> list[str]:
        await self.behind.update_columns(plan.dataset, self.intrusion)
        return await super()._add(plan, change)


def intruding(recorded: Recorded, *columns: NewColumn) -> Intruding:
    class Here(Intruding):
        intrusion = ColumnChanges(add=list(columns))
        behind = recorded.portal.bi.datasets

    return Here(recorded.bi.datasets, recorded.history)


@pytest.mark.parametrize("rival", [("OTHER", "title", "int"), ("TITLE", "other", "string")])
async def test_a_place_that_somebody_took_meanwhile_is_not_called_the_former_column(
    recorded: Recorded, rival: tuple[str, str, Any]
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    columns = (await recorded.bi.datasets.get(dataset)).fields or []
    name, code, kind = rival
    replacer = intruding(recorded, NewColumn(name=name, external_code=code, type=kind))
    wishes = [ColumnReplacement(id=each.id, type="int") for each in columns]
    with pytest.raises(InterruptedWriteError) as raised:
        await replacer.run(await replacer.plan(dataset, wishes))
    text = str(raised.value)
    assert f"dataset {dataset} may lack TITLE (title, string). " in text
    assert f"{name} ({code}, {kind})" in text
    assert "ID (id, string)" in text.partition("There again")[2]
    assert ("ID", "id", "string", True) in await shown(recorded, dataset)


async def test_of_two_replacements_at_once_the_later_does_not_claim_the_former_column(
    recorded: Recorded,
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    outcomes: list[ReplacedColumns | str] = []

    async def replace(kind: Any) -> None:
        try:
            outcomes.append(await replaced(recorded, dataset, wanted(type=kind)))
        except BiMcpError as error:
            outcomes.append(str(error))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(replace, "int")
        tasks.start_soon(replace, "double")
    [won] = [each for each in outcomes if not isinstance(each, str)]
    [lost] = [each for each in outcomes if isinstance(each, str)]
    assert "There again" not in lost
    assert "are there again" not in lost
    [*_, title] = await shown(recorded, dataset)
    assert title[2] == won.columns[0].type


async def test_a_late_addition_does_not_double_the_column(recorded: Recorded) -> None:
    """It comes once the former column is being put back, under another name, so that a portal accepts both."""
    dataset = (await plant(recorded.bi)).dataset
    recorded.portal.faults.arm("cut_before", method=CHANGE, skip=1)
    new = NewColumn(name="TITLE_NEW", external_code="title_9", type="string")

    class SlowToRestore(ColumnReplacer):
        async def _reverting(self, change: str) -> AbstractContextManager[None]:
            await recorded.portal.bi.datasets.update_columns(dataset, ColumnChanges(add=[new]))
            return await super()._reverting(change)

    [_, title] = (await recorded.bi.datasets.get(dataset)).fields or []
    before = await shown(recorded, dataset)
    replacer = SlowToRestore(recorded.bi.datasets, recorded.history)
    wish = ColumnReplacement(id=title.id, name="TITLE_NEW", external_code="title_9")
    result = await replacer.run(await replacer.plan(dataset, [wish]))
    assert [column.name for column in result.columns] == ["TITLE_NEW"]
    assert [each[0] for each in await shown(recorded, dataset)] == ["ID", "TITLE_NEW"]
    assert "came late" in result.remarks[0]
    await undo_last(recorded)
    assert await shown(recorded, dataset) == before


async def test_a_late_addition_that_stays_beside_the_former_column_is_told(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    recorded.portal.faults.arm("cut_before", method=CHANGE, skip=1)
    # Of those that arrive: the deletion, the addition that comes late, and the restoration.
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=3)
    new = NewColumn(name="TITLE_NEW", external_code="title_9", type="string")

    class SlowToRestore(ColumnReplacer):
        async def _reverting(self, change: str) -> AbstractContextManager[None]:
            await recorded.portal.bi.datasets.update_columns(dataset, ColumnChanges(add=[new]))
            return await super()._reverting(change)

    [_, title] = (await recorded.bi.datasets.get(dataset)).fields or []
    replacer = SlowToRestore(recorded.bi.datasets, recorded.history)
    wish = ColumnReplacement(id=title.id, name="TITLE_NEW", external_code="title_9")
    [remark] = (await replacer.run(await replacer.plan(dataset, [wish]))).remarks
    assert "are there as well" in remark
    assert "TITLE (title, string). Delete them." in remark


async def test_replaced_columns_whose_ids_cannot_be_read_are_replaced(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    replacer = ColumnReplacer(recorded.bi.datasets, recorded.history)
    plan = await replacer.plan(dataset, [wanted(type="int")])
    # The first reading is the check before the deletion.
    recorded.portal.faults.arm("no_code", method="biconnector.dataset.get", skip=1, times=100)
    result = await replacer.run(plan)
    assert (list(result.columns), len(result.remarks)) == ([], 1)
    assert "The columns were replaced." in result.remarks[0]
    assert ("TITLE", "title", "int", True) in await shown_by_admin(recorded, dataset)


async def hide(recorded: Recorded, dataset: int, name: str = "TITLE") -> None:
    columns = (await recorded.bi.datasets.get(dataset)).fields or []
    changes = [ColumnVisibility(id=each.id, visible=False) for each in columns if each.name == name]
    await recorded.bi.datasets.update_columns(dataset, ColumnChanges(update=changes))


async def test_a_hidden_column_that_is_put_back_is_hidden_at_the_second_try(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    await hide(recorded, dataset)
    before = await shown(recorded, dataset)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=1)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=2)
    await failure(recorded, dataset, wanted(type="int"))
    assert await shown(recorded, dataset) == before


async def test_a_hidden_column_that_became_visible_is_told(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    await hide(recorded, dataset)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=1)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=2, times=9)
    text = await failure(recorded, dataset, wanted(type="int"))
    assert "perhaps visible now: TITLE. Hide them again." in text


# The undo of a replacement.


async def undo_last(recorded: Recorded) -> list[str | None]:
    undo = Undo(recorded.bi, recorded.history)
    return [result.error for result in await undo.run(await undo.plan())]


async def test_an_undo_that_fails_in_between_puts_the_replacement_back(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    await replaced(recorded, dataset, wanted(type="int"))
    after = await shown(recorded, dataset)
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=1)
    [error] = await undo_last(recorded)
    assert "The former ones are there again" in str(error)
    assert await shown(recorded, dataset) == after
    # It was not undone, so it still can be.
    assert await undo_last(recorded) == [None, None]
    assert await shown(recorded, dataset) == before


async def test_an_undo_that_can_put_nothing_back_names_what_is_missing(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    await replaced(recorded, dataset, wanted(type="int"))
    recorded.portal.faults.arm("no_code", method=CHANGE, skip=1, times=2)
    [error] = await undo_last(recorded)
    assert f"dataset {dataset} may lack TITLE (title, int)" in str(error)


async def test_an_undo_whose_caller_goes_away_leaves_no_gap(recorded: Recorded) -> None:
    dataset = (await plant(recorded.bi)).dataset
    before = await shown(recorded, dataset)
    await replaced(recorded, dataset, wanted(type="int"))
    slow = recorded.portal.faults.arm("slow", method=CHANGE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(undo_last, recorded)
        await slow.reached.wait()
        tasks.cancel_scope.cancel()
        slow.release.set()
    assert await shown(recorded, dataset) == before


@pytest.mark.parametrize("hidden", ["ID", "TITLE", None])
@pytest.mark.parametrize("swapped", [True, False])
@pytest.mark.parametrize("part", [-1, -2])
async def test_undoing_the_undo_gives_the_replacement_back(
    recorded: Recorded, hidden: str | None, swapped: bool, part: int
) -> None:
    dataset = (await plant(recorded.bi)).dataset
    if hidden:
        await hide(recorded, dataset, hidden)
    [first, second] = (await recorded.bi.datasets.get(dataset)).fields or []
    wishes = [ColumnReplacement(id=second.id, type="int", external_code="other")]
    if swapped:
        wishes = [
            ColumnReplacement(id=first.id, name=second.name),
            ColumnReplacement(id=second.id, name=first.name),
        ]
    before = await shown(recorded, dataset)
    await replaced(recorded, dataset, *wishes)
    after = await shown(recorded, dataset)
    undo = Undo(recorded.bi, recorded.history)
    for expected in (before, after, before):
        results = await undo.run(await undo.plan([recorded.entries[part].id]))
        assert not [result.error for result in results if result.error]
        assert await shown(recorded, dataset) == expected
    # Nothing of it is left to undo: what is last now is what came before it.
    [step] = (await undo.plan()).steps
    assert step.action == ("columns" if hidden else "delete")


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
