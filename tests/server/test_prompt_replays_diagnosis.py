"""The prompts `debug_dataset` and `review_portal`, replayed on portals that are ill in one way or another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.rest.models import ColumnChanges, ConnectorChanges
from tests.server.replaying import (
    NEW,
    OLD,
    ORDERS,
    WITHOUT_TOTAL,
    LineEndedError,
    Script,
    World,
    a_world,
    served_by_bi_mcp,
    troubles,
)

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("replays of prompts")]

NOBODY = "http://127.0.0.1:1"


@dataclass
class Repairing(Script):
    """Makes the calls that findings offer, with the person's consent to what they destroy."""

    agrees: bool = True
    offered: list[dict[str, Any]] = field(default_factory=list)

    def keep_offers(self, diagnosis: dict[str, Any]) -> None:
        for finding in diagnosis["findings"]:
            if finding["level"] in {"warning", "error"}:
                self.offered += finding.get("calls") or ([finding["call"]] if finding.get("call") else [])

    async def make_offered_calls(self) -> None:
        for offer in self.offered:
            answer = await self.call(offer["tool"], **offer["arguments"])
            preview = answer.get("preview")
            if preview and not self.agrees:
                raise LineEndedError("declined")
            if preview:
                assert "Charts" in preview["text"]
                await self.call(offer["tool"], **offer["arguments"], confirm=preview["confirm"])


@dataclass
class DebugDataset(Repairing):
    """Looks for the dataset `wanted`. `instead` is the table that took the place of a lost one."""

    prompt = "debug_dataset"

    wanted: str = "orders"
    instead: str = ""
    dataset: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""
    check: dict[str, Any] = field(default_factory=dict)

    async def step_1(self) -> None:
        found = await self.call("dataset_list", filter={"name": self.wanted})
        self.dataset = next(iter(found["items"]), {})

    async def step_1a(self) -> None:
        assert self.dataset == {}
        nodes = (await self.call("portal_map"))["nodes"]
        self.wanted = next((node["title"] for node in nodes if node["kind"] == "dataset"), "")

    async def step_1b(self) -> None:
        status = await self.call("portal_status")
        assert status["verdict"] == "error"
        assert status["findings"][0]["fix"]

    async def step_2(self) -> None:
        diagnosis = await self.call("dataset_diagnose", id=self.dataset["id"])
        self.verdict = diagnosis["verdict"]
        self.keep_offers(diagnosis)

    async def step_2a(self) -> None:
        assert self.verdict == "healthy"
        assert len((await self.call("dataset_preview", id=self.dataset["id"]))["rows"]) == 2

    async def step_2b(self) -> None:
        assert self.verdict == "unreachable"
        self.check = await self.call("connector_check", source=self.dataset["sourceId"])

    async def step_2c(self) -> None:
        assert self.verdict == "table_gone"
        tables = (await self.call("source_tables", source=self.dataset["sourceId"]))["tables"]
        listed = [table["externalCode"] for table in tables]
        assert "orders" not in listed
        [self.instead] = listed

    async def step_2d(self) -> None:
        assert self.verdict == "healthy"
        self.check = await self.call("connector_check", source=self.dataset["sourceId"], repeat=10)

    async def step_4(self) -> None:
        await self.make_offered_calls()

    step_4c = step_4

    async def step_4b(self) -> None:
        source = self.dataset["sourceId"]
        fields = (await self.call("dataset_propose", source=source, table=self.instead))["fields"]
        self.dataset = await self.call("dataset_add", fields=fields)

    async def step_5(self) -> None:
        assert (await self.call("dataset_diagnose", id=self.dataset["id"]))["verdict"] == "healthy"
        assert len((await self.call("dataset_preview", id=self.dataset["id"]))["rows"]) == 2


@dataclass
class ReviewPortal(Repairing):
    """Looks at everything. `sources` and `datasets` hold what was found wrong, by id."""

    prompt = "review_portal"

    nodes: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[int, list[str]] = field(default_factory=dict)
    datasets: dict[int, str] = field(default_factory=dict)

    async def step_1(self) -> None:
        assert (await self.call("portal_status"))["verdict"] in {"ok", "note"}

    async def step_2(self) -> None:
        self.nodes = (await self.call("portal_map", diagnose=True))["nodes"]

    async def step_3(self) -> None:
        for dataset in self.ill("dataset"):
            diagnosis = await self.call("dataset_diagnose", id=dataset)
            self.datasets[dataset] = diagnosis["verdict"]
            self.keep_offers(diagnosis)

    async def step_3a(self) -> None:
        for source in self.ill("source"):
            self.sources[source] = troubles(await self.call("connector_check", source=source))

    async def step_5(self) -> None:
        await self.make_offered_calls()

    async def step_6(self) -> None:
        self.nodes = (await self.call("portal_map", diagnose=True))["nodes"]

    def ill(self, kind: str) -> list[int]:
        """Those of the map that a person should hear of."""
        levels = {"warning", "error"}
        return [node["id"] for node in self.nodes if node["kind"] == kind and node["level"] in levels]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await world.log_in()
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with served_by_bi_mcp(world) as client:
        yield client


@pytest.fixture
def debug(world: World, client: Client) -> DebugDataset:
    return DebugDataset(world, client)


@pytest.fixture
def review(world: World, client: Client) -> ReviewPortal:
    return ReviewPortal(world, client)


async def moved_to_nobody(world: World, connector: int) -> None:
    urls = {name: f"{NOBODY}/{name}" for name in world.shop.urls}
    await world.behind.connectors.update(connector, ConnectorChanges.model_validate(urls))


@DebugDataset.route("1 2 2a")
async def test_a_healthy_dataset_is_left_alone(debug: DebugDataset, route: str) -> None:
    await debug.world.dataset(await debug.world.source())
    before = await debug.world.everything()
    await debug.walk(route)
    assert debug.offered == []
    assert await debug.world.everything() == before


@DebugDataset.route("1 2 2d")
async def test_one_healthy_answer_is_not_trusted_when_the_symptom_comes_and_goes(
    debug: DebugDataset, route: str
) -> None:
    await debug.world.dataset(await debug.world.source())

    async def the_system_is_overloaded() -> None:
        debug.world.shop.is_flaky = True

    debug.meanwhile["2d"] = the_system_is_overloaded
    await debug.walk(route)
    assert debug.check["verdict"] != "ok"
    assert "503" in debug.said


@DebugDataset.route("1 2 4c >5")
async def test_a_column_that_vanished_outside_is_deleted_with_consent(
    debug: DebugDataset, route: str
) -> None:
    dataset = await debug.world.dataset(await debug.world.source())
    debug.world.shop.holds(OLD, orders=WITHOUT_TOTAL)
    await debug.walk(route)
    assert debug.verdict == "broken"
    assert set(await debug.world.columns(dataset)) == {"ID", "CUSTOMER", "PAID_ON"}


@DebugDataset.route("1 2 4 5")
async def test_a_renamed_column_is_replaced_under_its_name(debug: DebugDataset, route: str) -> None:
    dataset = await debug.world.dataset(await debug.world.source())
    debug.world.shop.holds(OLD, orders=ORDERS.replace("total", "Total"))
    await debug.walk(route)
    columns = (await debug.world.behind.datasets.get(dataset)).fields or []
    assert {column.name: column.external_code for column in columns}["TOTAL"] == "Total"


@DebugDataset.route("1 2 4c!")
async def test_a_declined_preview_changes_nothing(debug: DebugDataset, route: str) -> None:
    await debug.world.dataset(await debug.world.source())
    debug.world.shop.holds(OLD, orders=WITHOUT_TOTAL)
    before = await debug.world.everything()
    debug.agrees = False
    await debug.walk(route)
    assert debug.refusal == "declined"
    assert await debug.world.everything() == before


@DebugDataset.route("1 2 2b")
async def test_a_changed_password_is_told_from_a_lost_connection(debug: DebugDataset, route: str) -> None:
    await debug.world.dataset(await debug.world.source())
    debug.world.shop.holds(NEW)
    await debug.walk(route)
    assert any("urlCheck" in trouble and "401" in trouble for trouble in troubles(debug.check))
    assert all(facts["reached"] for facts in debug.check["endpoints"])
    assert OLD not in debug.said


@DebugDataset.route("1 2 2b")
async def test_a_connector_at_which_nobody_answers_is_named(debug: DebugDataset, route: str) -> None:
    source = await debug.world.source()
    await debug.world.dataset(source)
    connector = (await debug.world.behind.sources.get(source)).connector_id
    await moved_to_nobody(debug.world, connector or 0)
    await debug.walk(route)
    assert not any(facts["reached"] for facts in debug.check["endpoints"])


@DebugDataset.route("1 2 2c 4b >5")
async def test_a_table_that_is_gone_is_replaced_by_a_dataset_of_another(
    debug: DebugDataset, route: str
) -> None:
    old = await debug.world.dataset(await debug.world.source())
    debug.world.shop.holds(OLD, orders_2026=ORDERS)
    await debug.walk(route)
    # What the finding offers looks at the table that took its place, and changes nothing.
    assert [(offer["tool"], offer["arguments"]["table"]) for offer in debug.offered] == [
        ("dataset_propose", "orders_2026")
    ]
    datasets = (await debug.world.behind.snapshot()).datasets
    assert list(datasets) == [old, debug.dataset["id"]]
    assert datasets[debug.dataset["id"]].external_code == "orders_2026"


@DebugDataset.route("1 1a 1 2 2a")
async def test_a_name_that_does_not_exist_is_looked_up_on_the_map(debug: DebugDataset, route: str) -> None:
    await debug.world.dataset(await debug.world.source())
    debug.wanted = "odrers"
    await debug.walk(route)
    assert debug.wanted == "orders"


@DebugDataset.route("1 1a")
async def test_on_an_empty_portal_there_is_nothing_to_debug(debug: DebugDataset, route: str) -> None:
    await debug.walk(route)
    assert debug.wanted == ""


@DebugDataset.route("1! 1b")
async def test_a_refused_credential_is_explained(world: World, route: str) -> None:
    await world.log_in(token=Secret("withdrawn"))
    async with served_by_bi_mcp(world) as client:
        await DebugDataset(world, client).walk(route)


@DebugDataset.route("1 2 4c!")
@pytest.mark.parametrize("read_only", [True, False], ids=["server", "profile"])
async def test_where_nothing_may_be_written_the_calls_are_only_shown(
    world: World, route: str, *, read_only: bool
) -> None:
    await world.dataset(await world.source())
    world.shop.holds(OLD, orders=WITHOUT_TOTAL)
    before = await world.everything()
    await world.log_in(locked=not read_only)
    async with served_by_bi_mcp(world, read_only=read_only) as client:
        debug = DebugDataset(world, client)
        await debug.walk(route)
    assert debug.offered
    assert ("Unknown tool" if read_only else "locked read-only") in debug.refusal
    assert await world.everything() == before


@DebugDataset.route("1 2 2c")
async def test_on_a_locked_portal_a_lost_table_is_named_with_its_successor(world: World, route: str) -> None:
    await world.dataset(await world.source())
    world.shop.holds(OLD, orders_2026=ORDERS)
    await world.log_in(locked=True)
    async with served_by_bi_mcp(world) as client:
        debug = DebugDataset(world, client)
        await debug.walk(route)
    assert debug.instead == "orders_2026"


@DebugDataset.route("1 2 2b")
async def test_on_a_locked_portal_a_changed_password_is_found_all_the_same(world: World, route: str) -> None:
    await world.dataset(await world.source())
    world.shop.holds(NEW)
    await world.log_in(locked=True)
    async with served_by_bi_mcp(world) as client:
        debug = DebugDataset(world, client)
        await debug.walk(route)
    assert any("urlCheck" in trouble and "401" in trouble for trouble in troubles(debug.check))


@ReviewPortal.route("1 2 3 3a 5 6")
async def test_of_a_mixed_portal_what_can_be_mended_is(review: ReviewPortal, route: str) -> None:
    world = review.world
    sound = await world.dataset(await world.source())
    broken = await world.dataset(1, "orders_again")
    away = await world.source(world.other, "Away")
    unreachable = await world.dataset(away, "orders_away")
    connector = (await world.behind.sources.get(away)).connector_id
    await moved_to_nobody(world, connector or 0)
    world.shop.holds(OLD, orders=WITHOUT_TOTAL)
    await world.behind.datasets.update_columns(
        sound, ColumnChanges(delete=[await world.column(sound, "TOTAL")])
    )
    await review.walk(route)
    # What its silent source blocks is told of the source.
    assert review.datasets == {broken: "broken"}
    assert list(review.sources) == [away]
    assert (review.ill("source"), review.ill("dataset")) == ([away], [])
    assert "TOTAL" not in await world.columns(broken)
    assert "TOTAL" in await world.columns(unreachable)


@ReviewPortal.route("1 2 3 5!")
async def test_what_the_person_declines_stays(review: ReviewPortal, route: str) -> None:
    await review.world.dataset(await review.world.source())
    review.world.shop.holds(OLD, orders=WITHOUT_TOTAL)
    before = await review.world.everything()
    review.agrees = False
    await review.walk(route)
    assert review.refusal == "declined"
    assert await review.world.everything() == before


@ReviewPortal.route("1 2 3a")
async def test_a_wrong_password_is_told_and_nothing_is_offered(review: ReviewPortal, route: str) -> None:
    source = await review.world.source()
    review.world.shop.holds(NEW)
    await review.walk(route)
    assert "401" in " ".join(review.sources[source])
    assert OLD not in review.said


@ReviewPortal.route("1 2 3")
async def test_a_table_that_is_gone_is_no_fault_of_the_source(review: ReviewPortal, route: str) -> None:
    dataset = await review.world.dataset(await review.world.source())
    review.world.shop.holds(OLD, orders_2026=ORDERS)
    await review.walk(route)
    assert (review.ill("source"), review.datasets) == ([], {dataset: "table_gone"})
    assert [offer["tool"] for offer in review.offered] == ["dataset_propose"]


@ReviewPortal.route("1 2")
@pytest.mark.parametrize("read_only", [False, True], ids=["writing", "read only"])
async def test_of_a_sound_portal_there_is_nothing_to_report(
    world: World, route: str, *, read_only: bool
) -> None:
    await world.dataset(await world.source())
    before = await world.everything()
    async with served_by_bi_mcp(world, read_only=read_only) as client:
        review = ReviewPortal(world, client)
        await review.walk(route)
    assert {node["level"] for node in review.nodes} == {"ok"}
    assert await world.everything() == before


@ReviewPortal.route("1 2")
async def test_an_empty_portal_ends_the_review(review: ReviewPortal, route: str) -> None:
    await review.walk(route)
    assert review.nodes == []


@ReviewPortal.route("1 2 3a")
async def test_a_locked_portal_is_reviewed_with_the_check(world: World, route: str) -> None:
    source = await world.source()
    world.shop.holds(NEW)
    await world.log_in(locked=True)
    async with served_by_bi_mcp(world) as client:
        review = ReviewPortal(world, client)
        await review.walk(route)
    assert "401" in " ".join(review.sources[source])


@pytest.mark.parametrize("script", [DebugDataset, ReviewPortal])
async def test_every_line_is_walked(world: World, client: Client, script: type[Script]) -> None:
    assert script.walked() == await script(world, client).lines_with_tools()
