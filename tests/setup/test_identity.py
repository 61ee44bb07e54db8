"""Which object a key stands for, when files, states and portals do not agree: nothing is doubled, nothing deleted by mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bi_mcp.config import Generation
from bi_mcp.errors import PlanError, StateFileError
from bi_mcp.rest.models import ConnectorFields
from bi_mcp.setup.difference import wire
from bi_mcp.setup.pending import Creation, Pending
from bi_mcp.setup.plan import Change
from bi_mcp.setup.planning import PlanInput, make_plan
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import Known
from tests.rest.calling import CHECK
from tests.setup.setups import Bench, a_bench

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("generation", ["classic", "tables"])]


def a_setup(
    connector: str = "shop", source: str = "shop", dataset: str = "orders", title: str = "Shop"
) -> Setup:
    urls = dict.fromkeys(("urlCheck", "urlTableList", "urlTableDescription", "urlData"), f"{CHECK}/x")
    columns = [{"name": "ID", "externalCode": "id", "type": "int"}]
    return Setup.model_validate(
        {
            "version": 1,
            "connectors": {connector: {"title": title, "logo": "data:,", **urls}},
            "sources": {source: {"connector": connector, "title": "Shop"}},
            "datasets": {
                dataset: {
                    "name": "orders",
                    "source": source,
                    "externalCode": "o",
                    "externalName": "O",
                    "columns": columns,
                }
            },
        }
    )


async def applied(bench: Bench, setup: Setup) -> None:
    planned = await bench.workspace().plan(setup)
    assert (await bench.workspace().apply(setup, planned.plan.checksum)).complete


async def changes(bench: Bench, setup: Setup, *, prune: bool = False) -> tuple[Change, ...]:
    return (await bench.workspace().plan(setup, prune=prune)).plan.changes


async def test_a_key_that_is_renamed_in_the_file_stands_for_the_same_object(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await applied(bench, a_setup())
        renamed = a_setup("store", "store", "sales")
        assert await changes(bench, renamed, prune=True) == ()
        await applied(bench, renamed)
        await applied(bench, a_setup("store", "store", "sales", title="Store"))
        assert len((await bench.snapshot()).connectors) == 1
        assert await changes(bench, a_setup("store", "store", "sales", title="Store"), prune=True) == ()
        state = bench.workspace().keeper.read()
        assert [set(state.known(group)) for group in ("connector", "source", "dataset")] == [
            {"store"},
            {"store"},
            {"sales"},
        ]


async def test_an_object_that_is_adopted_by_another_key_leaves_its_own(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await applied(bench, a_setup())
        workspace = bench.workspace()
        renamed = a_setup("store", title="Quite another")
        await workspace.adopt(renamed, "connectors.store=1")
        assert set(workspace.keeper.read().known("connector")) == {"store"}
        assert [(change.action, change.key) for change in await changes(bench, renamed)] == [
            ("update", "store")
        ]


async def test_a_state_in_which_two_keys_are_one_object_is_refused(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await applied(bench, a_setup())
        path = tmp_path / "bi.portal.example.state.json"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace('"connectors": {', '"connectors": {"twin": {"id": 1},'), encoding="utf-8"
        )
        with pytest.raises(StateFileError, match="connectors: shop and twin"):
            await bench.workspace().plan(a_setup())


async def test_what_could_be_either_of_two_is_settled_by_adopting_one(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        setup = a_setup()
        for _ in range(2):
            await bench.portal.bi.connectors.add(
                ConnectorFields.model_validate(wire(setup.connectors["shop"]))
            )
        identity = ("Shop", *[f"{CHECK}/x"] * 4)
        pending = Pending(
            started=0, newest={"connector": 0}, creations=[Creation("connector", "shop", identity)]
        )
        workspace = bench.workspace()
        workspace.keeper.write_pending(pending)
        with pytest.raises(PlanError, match="Adopt"):
            await workspace.resume()
        await workspace.adopt(setup, "connectors.shop=2")
        await workspace.resume()
        assert workspace.keeper.read().known("connector") == {"shop": Known(id=2)}
        assert workspace.keeper.read_pending() is None


async def test_what_a_portal_does_not_tell_is_no_reason_to_delete(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await applied(bench, a_setup())
        snapshot = await bench.snapshot()
        silent = replace(
            snapshot,
            sources={
                id: item.model_copy(update={"connector_id": None}) for id, item in snapshot.sources.items()
            },
            datasets={
                id: item.model_copy(update={"source_id": None, "external_name": None})
                for id, item in snapshot.datasets.items()
            },
        )
        state = bench.workspace().keeper.read()
        plan, _ = make_plan(PlanInput(a_setup(), silent, state, bench.values, generation))
        assert plan.changes == ()


async def test_a_key_that_an_export_gives_anew_is_remembered_for_the_new_object(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await applied(bench, a_setup())
        await bench.portal.bi.datasets.delete(1)
        fields = ConnectorFields.model_validate(wire(a_setup().connectors["shop"]))
        await bench.portal.bi.sources.delete(1)
        await bench.portal.bi.connectors.delete(1)
        new = await bench.portal.bi.connectors.add(fields)
        workspace = bench.workspace()
        workspace.remember(await workspace.export())
        assert workspace.keeper.read().known("connector")["shop"].id == new
