"""Undo, on a portal of each generation: every write is reverted, or it is said why it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import InvalidRequestError, NotFoundError
from bi_mcp.history.undo_run import Reverted, Undo
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility, ConnectorChanges, SourceChanges
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.history.recorded import ALL_WRITES, CANARY, Recorded, Tree, plant, prepare
from tests.rest.calling import columns, connector_fields
from tests.setup.setups import shown
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def keyring() -> Iterator[None]:
    with system_keyring(Keyring()):
        yield


def undo_of(recorded: Recorded) -> Undo:
    return Undo(recorded.bi, recorded.history)


async def reverted(recorded: Recorded, *ids: str) -> list[Reverted]:
    undo = undo_of(recorded)
    results = await undo.run(await undo.plan(ids))
    assert [result.error for result in results] == [None] * len(results)
    return results


async def portal(recorded: Recorded) -> dict[str, Any]:
    return shown(await recorded.portal.bi.snapshot())


async def obstacle(recorded: Recorded, *ids: str) -> str:
    plan = await undo_of(recorded).plan(ids)
    with pytest.raises(InvalidRequestError, match="Nothing was sent"):
        await undo_of(recorded).run(plan)
    return " ".join(plan.obstacles)


@pytest.mark.parametrize("operation", ALL_WRITES)
async def test_undo_leaves_the_portal_as_it_was_before_the_write(recorded: Recorded, operation: str) -> None:
    tree = await prepare(recorded.bi, operation)
    before = await portal(recorded)
    await ALL_WRITES[operation](recorded.bi, tree)
    assert await portal(recorded) != before
    write = recorded.entries[-1]
    await reverted(recorded)
    assert await portal(recorded) == before
    made = [entry for entry in recorded.entries if entry.undoes]
    assert made
    assert {entry.undoes for entry in made} == {write.id}
    assert CANARY not in recorded.everything_written()


# Columns take one call per kind of change, each an entry of its own.
@pytest.mark.parametrize("operation", [name for name in ALL_WRITES if name != "dataset.fields.update"])
async def test_an_undo_can_be_undone(recorded: Recorded, operation: str) -> None:
    tree = await prepare(recorded.bi, operation)
    await ALL_WRITES[operation](recorded.bi, tree)
    after = await portal(recorded)
    await reverted(recorded)
    await reverted(recorded, recorded.entries[-1].id)
    assert await portal(recorded) == after


async def uproot(recorded: Recorded, tree: Tree) -> list[str]:
    """Hide a column, then delete everything; the ids of these writes."""
    known = len(recorded.entries)
    first = ((await recorded.bi.datasets.get(tree.dataset)).fields or [])[0]
    hidden = ColumnChanges(update=[ColumnVisibility(id=first.id, visible=False)])
    await recorded.bi.datasets.update_columns(tree.dataset, hidden)
    await recorded.bi.datasets.delete(tree.dataset)
    await recorded.bi.sources.delete(tree.source)
    await recorded.bi.connectors.delete(tree.connector)
    return [entry.id for entry in recorded.entries[known:]]


async def test_a_whole_deleted_tree_is_made_again_with_new_ids(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    before = await portal(recorded)
    deletions = await uproot(recorded, tree)
    assert (await portal(recorded)) == {"connectors": [], "sources": [], "datasets": []}
    results = await reverted(recorded, *deletions)
    assert await portal(recorded) == before
    assert [result.step.action for result in results] == ["recreate", "recreate", "recreate", "columns"]
    assert [result.step.entry.group for result in results][:3] == ["connector", "source", "dataset"]
    source = await recorded.portal.bi.sources.get(results[1].id)
    assert source.connector_id == results[0].id
    passwords = [setting.value for setting in source.settings or () if setting.code == "password"]
    assert passwords == [Secret(CANARY)]


async def test_a_deleted_tree_can_be_made_again_one_by_one(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    before = await portal(recorded)
    hidden, dataset, source, connector = await uproot(recorded, tree)
    assert f"its connector {tree.connector} is gone. Undo {connector} first." in await obstacle(
        recorded, source
    )
    for entry in (connector, source, dataset, hidden):
        await reverted(recorded, entry)
    assert await portal(recorded) == before


@pytest.mark.parametrize("operation", ["source.delete", "source.update"])
async def test_where_the_values_of_a_source_go_is_told_before(recorded: Recorded, operation: str) -> None:
    tree = await prepare(recorded.bi, operation)
    await ALL_WRITES[operation](recorded.bi, tree)
    moved = ConnectorChanges(url_data="https://elsewhere.example/data")
    await recorded.portal.bi.connectors.update(tree.connector, moved)
    last = recorded.entries[-1].id
    told = " ".join((await undo_of(recorded).plan([last])).lines())
    assert "the values of its settings are sent to check.localhost" in told
    assert "elsewhere.example" in told


async def test_a_change_since_is_named_and_nothing_is_sent(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    await recorded.bi.connectors.update(tree.connector, ConnectorChanges(title="One", sort=5))
    write = recorded.entries[-1].id
    await recorded.portal.bi.connectors.update(tree.connector, ConnectorChanges(title="Two"))
    assert "title was changed again since" in await obstacle(recorded, write)
    assert (await recorded.portal.bi.connectors.get(tree.connector)).sort == 5


async def test_a_setting_that_was_changed_since_is_named_and_not_shown(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    await ALL_WRITES["source.update"](recorded.bi, tree)
    changes = SourceChanges(settings={"password": Secret("elsewhere-canary")})
    await recorded.portal.bi.sources.update(tree.source, changes)
    text = await obstacle(recorded)
    assert "settings.password was changed again since" in text
    assert "canary" not in text


async def test_a_title_that_only_went_along_stands_in_no_way_when_it_changes_later(
    recorded: Recorded,
) -> None:
    tree = await plant(recorded.bi)
    new = SourceChanges(settings={"password": Secret("password-canary-2")})
    await recorded.bi.sources.update(tree.source, new)
    write = recorded.entries[-1].id
    await recorded.portal.bi.sources.update(tree.source, SourceChanges(title="Later"))
    await reverted(recorded, write)

    source = await recorded.portal.bi.sources.get(tree.source)
    assert source.title == "Later"
    assert [each.value for each in source.settings or () if each.code == "password"] == [Secret(CANARY)]


async def test_what_was_made_and_changed_since_is_not_deleted(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    write = recorded.entries[-1].id
    more = ColumnChanges(add=[columns("MORE")[0]])
    await recorded.portal.bi.datasets.update_columns(tree.dataset, more)
    assert f"dataset {tree.dataset} was changed since (column more)" in await obstacle(recorded, write)


async def test_nothing_is_undone_twice(recorded: Recorded) -> None:
    await recorded.bi.connectors.add(connector_fields())
    write = recorded.entries[-1].id
    await reverted(recorded)
    plan = await undo_of(recorded).plan([write])
    assert (plan.steps, plan.obstacles) == ((), ())
    with pytest.raises(InvalidRequestError, match="nothing that can be undone"):
        await undo_of(recorded).plan()


async def test_an_undo_that_failed_half_way_is_finished_by_another(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    before = await portal(recorded)
    await ALL_WRITES["dataset.fields.update"](recorded.bi, tree)
    write = recorded.entries[-1].id
    plan = await undo_of(recorded).plan([write])
    # The first call deletes a column; a proxy answers the second.
    recorded.portal.faults.arm("query_limit", method="biconnector.dataset.fields.update", skip=1)
    [result] = await undo_of(recorded).run(plan)
    assert result.error is not None
    assert await portal(recorded) != before
    await reverted(recorded, write)
    assert await portal(recorded) == before


async def test_an_unknown_entry_is_named(recorded: Recorded) -> None:
    with pytest.raises(InvalidRequestError, match="no entry 'nonsense'"):
        await undo_of(recorded).plan(["nonsense"])


async def test_what_was_refused_or_is_gone_needs_no_step(recorded: Recorded) -> None:
    with pytest.raises(NotFoundError):
        await recorded.bi.connectors.delete(999)
    id = await recorded.bi.connectors.add(connector_fields())
    await recorded.portal.bi.connectors.delete(id)
    refused, added = [entry.id for entry in recorded.entries]
    plan = await undo_of(recorded).plan([refused, added])
    assert (plan.steps, plan.obstacles) == ((), ())
    assert "was refused (CONNECTOR_NOT_FOUND)" in plan.remarks[1]
    assert f"connector {id} is gone" in plan.remarks[0]


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
async def test_a_creation_that_broke_off_is_looked_for(recorded: Recorded, fault: str) -> None:
    tree = await plant(recorded.bi)
    before = await portal(recorded)
    recorded.portal.faults.arm(fault, method="biconnector.connector.add")
    try:
        await recorded.bi.connectors.add(connector_fields(title="Other"))
    except Exception:  # noqa: BLE001  what it raises is another test's
        assert fault == "cut_before"
    assert (recorded.entries[-1].outcome, recorded.entries[-1].object) == ("unknown", None)
    plan = await undo_of(recorded).plan()
    if fault == "cut_before":
        assert "it is unknown whether it created an object" in plan.obstacles[0]
    else:
        await undo_of(recorded).run(plan)
    assert await portal(recorded) == before
    assert tree.connector in (await recorded.portal.bi.snapshot()).connectors


async def test_a_step_that_fails_is_told_and_those_after_it_are_not_made(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    ids = await uproot(recorded, tree)
    recorded.portal.faults.arm("internal_error", method="biconnector.source.add")
    plan = await undo_of(recorded).plan(ids)
    results = await undo_of(recorded).run(plan)
    assert [result.step.entry.group for result in results] == ["connector", "source"]
    assert results[0].error is None
    assert results[1].error is not None


async def test_a_stored_secret_goes_to_no_host_that_it_is_not_bound_to(
    recorded: Recorded, tmp_path: Path
) -> None:
    named = NamedSecrets(tmp_path)
    tree = await plant(recorded.bi)
    named.store("shop", Secret(CANARY), ["shop.example"], "file")
    await recorded.bi.datasets.delete(tree.dataset)
    await recorded.bi.sources.delete(tree.source)
    undo = Undo(recorded.bi, recorded.history, named)
    calls = len(recorded.portal.check.received)
    [result] = await undo.run(await undo.plan())
    assert result.error is not None
    assert "the secret shop, which is bound to shop.example" in result.error
    assert CANARY not in result.error
    assert len(recorded.portal.check.received) == calls


async def test_addresses_are_not_moved_back_with_a_secret_that_is_bound_elsewhere(
    recorded: Recorded, tmp_path: Path
) -> None:
    named = NamedSecrets(tmp_path)
    tree = await plant(recorded.bi)
    moved = ConnectorChanges(url_data="https://shop.example/data")
    await recorded.bi.connectors.update(tree.connector, moved)
    rest = ConnectorChanges(
        url_check="https://shop.example/", url_table_list="https://shop.example/", url_table_description="https://shop.example/"
    )  # fmt: skip
    await recorded.portal.bi.connectors.update(tree.connector, rest)
    named.store("shop", Secret(CANARY), ["shop.example"], "file")
    undo = Undo(recorded.bi, recorded.history, named)
    plan = await undo.plan()
    assert "urlData back to" in " ".join(plan.lines())
    [result] = await undo.run(plan)
    assert result.error is not None
    assert "bound to shop.example" in result.error
