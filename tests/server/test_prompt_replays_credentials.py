"""The prompt `replace_credentials`, replayed: the old value stays until the portal has taken the new one, and nobody sees either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.server.replaying import (
    NEW,
    OLD,
    ORDERS,
    WRONG,
    LineEndedError,
    Script,
    World,
    a_world,
    served_by_bi_mcp,
    troubles,
)

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("replays of prompts")]

VARIABLE = "BI_MCP_SECRET_SHOP_NEW"


@dataclass
class ReplaceCredentials(Script):
    """Replaces the password of all sources. `reference` is how the person hands it over."""

    prompt = "replace_credentials"

    reference: dict[str, str] = field(default_factory=lambda: {"secret": "shop_new"})
    sources: list[int] = field(default_factory=list)
    checks: dict[int, dict[str, Any]] = field(default_factory=dict)
    again: dict[int, dict[str, Any]] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    datasets: dict[int, int | None] = field(default_factory=dict)

    async def step_1(self) -> None:
        sources = (await self.call("source_list"))["items"]
        if not sources:
            raise LineEndedError("no source")
        connectors = {each["id"]: each for each in (await self.call("connector_list"))["items"]}
        for source in sources:
            self.sources.append(source["id"])
            assert "password" in {setting["code"] for setting in source["settings"]}
            assert connectors[source["connectorId"]]["urlCheck"].startswith("http://")

    async def step_3(self) -> None:
        for source in self.sources:
            self.checks[source] = await self._try_new(source)

    async def step_3a(self) -> None:
        assert "Nothing was sent" in self.refusal or "is not set" in self.refusal
        await self.step_3()

    async def step_3b(self) -> None:
        assert any("401" in trouble for trouble in self.troubles_told())
        self.world.store("shop_new", NEW)
        await self.step_3()

    async def step_4(self) -> None:
        for source in self.accepting():
            fields = {"settings": {"password": self.reference}}
            await self.call("source_update", id=source, fields=fields)
            self.changed.append(source)

    async def step_4a(self) -> None:
        assert "SOURCE_UPDATE_CONNECTION_ERROR" in self.refusal
        for source in self.sources:
            self.checks[source] = await self.call("connector_check", source=source)
            self.again[source] = await self._try_new(source)

    async def step_5(self) -> None:
        found = (await self.call("dataset_list", filter={"@sourceId": self.changed}))["items"]
        by_source = {each["sourceId"]: each["id"] for each in found}
        self.datasets = {source: by_source.get(source) for source in self.changed}
        for dataset in self.datasets.values():
            if dataset is None:
                raise LineEndedError("no dataset")
            assert len((await self.call("dataset_preview", id=dataset))["rows"]) == 2

    async def step_5a(self) -> None:
        for source, dataset in self.datasets.items():
            assert dataset is None
            assert (await self.call("source_tables", source=source))["tables"]

    async def step_5b(self) -> None:
        for dataset in self.datasets.values():
            diagnosis = await self.call("dataset_diagnose", id=dataset)
            assert diagnosis["verdict"] == "table_gone"
            assert diagnosis["findings"]

    async def _try_new(self, source: int) -> dict[str, Any]:
        return await self.call("connector_check", source=source, settings={"password": self.reference})

    def troubles_told(self) -> list[str]:
        return [trouble for check in self.checks.values() for trouble in troubles(check)]

    def accepting(self) -> list[int]:
        return [source for source, check in self.checks.items() if check["verdict"] != "error"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await world.log_in()
        yield world


@pytest.fixture
async def rotation(world: World) -> AsyncIterator[ReplaceCredentials]:
    """The system takes the new password only, and a source with a dataset holds the old one."""
    await world.dataset(await world.source())
    world.shop.holds(NEW)
    async with served_by_bi_mcp(world) as client:
        yield ReplaceCredentials(world, client)


def never_said(rotation: ReplaceCredentials) -> bool:
    return not any(value in rotation.said for value in (OLD, NEW, WRONG))


@ReplaceCredentials.route("1 3 4 5")
async def test_a_stored_secret_takes_the_place_of_the_old_password(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", NEW)
    await rotation.walk(route)
    assert [await rotation.world.password(source) for source in rotation.changed] == [NEW]
    assert never_said(rotation)


@ReplaceCredentials.route("1 3! 3a 4 5")
@pytest.mark.parametrize("reference", [{"secret": "shop_new"}, {"env": VARIABLE}], ids=["stored", "variable"])
async def test_a_reference_that_leads_nowhere_is_set_by_the_person(
    rotation: ReplaceCredentials, route: str, reference: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation.reference = reference

    async def the_person_sets_it() -> None:
        rotation.world.store("shop_new", NEW)
        monkeypatch.setenv(VARIABLE, NEW)

    rotation.meanwhile["3a"] = the_person_sets_it
    await rotation.walk(route)
    assert await rotation.world.password(1) == NEW
    assert never_said(rotation)


@ReplaceCredentials.route("1 3 3b 4 5")
async def test_a_wrong_value_is_found_before_anything_is_saved(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", WRONG)
    before = await rotation.world.everything()

    async def nothing_is_saved() -> None:
        assert await rotation.world.everything() == before

    rotation.meanwhile["3b"] = nothing_is_saved
    await rotation.walk(route)
    assert await rotation.world.password(1) == NEW
    assert never_said(rotation)


@ReplaceCredentials.route("1 3 4! 4a")
async def test_the_old_value_stays_where_the_portals_own_check_fails(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", NEW)

    async def the_system_goes_back() -> None:
        rotation.world.shop.holds(OLD)

    rotation.meanwhile["4"] = the_system_goes_back
    await rotation.walk(route)
    assert await rotation.world.password(1) == OLD
    assert rotation.changed == []
    # The old one still works, which only a check of the source itself can tell.
    assert rotation.troubles_told() == []
    assert any("401" in trouble for trouble in troubles(rotation.again[1]))


@ReplaceCredentials.route("1 3 4 5")
async def test_of_two_sources_with_one_password_only_the_ready_one_is_changed(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", NEW)
    slow = await rotation.world.source(rotation.world.other, "Not yet changed")
    await rotation.walk(route)
    assert any("401" in trouble for trouble in troubles(rotation.checks[slow]))
    assert (await rotation.world.password(1), await rotation.world.password(slow)) == (NEW, OLD)


@ReplaceCredentials.route("1 3")
async def test_a_system_that_is_down_is_no_matter_of_the_password(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", NEW)
    before = await rotation.world.everything()

    async def out_of_order(*_: object) -> None:
        raise ConnectionError

    rotation.world.shop.app = out_of_order
    await rotation.walk(route)
    assert not any("401" in trouble for trouble in rotation.troubles_told())
    assert rotation.accepting() == []
    assert await rotation.world.everything() == before


@ReplaceCredentials.route("1 3 4 5! 5a")
async def test_without_a_dataset_the_tables_prove_it(world: World, route: str) -> None:
    source = await world.source()
    world.shop.holds(NEW)
    world.store("shop_new", NEW)
    async with served_by_bi_mcp(world) as client:
        await ReplaceCredentials(world, client).walk(route)
    assert await world.password(source) == NEW


@ReplaceCredentials.route("1 3 4 5! 5b")
async def test_a_table_that_is_gone_is_told_from_the_password(
    rotation: ReplaceCredentials, route: str
) -> None:
    rotation.world.store("shop_new", NEW)
    rotation.world.shop.holds(NEW, orders_2026=ORDERS)
    await rotation.walk(route)
    assert "404" in rotation.refusal
    assert await rotation.world.password(1) == NEW


@ReplaceCredentials.route("1!")
async def test_on_an_empty_portal_there_is_nothing_to_replace(world: World, route: str) -> None:
    async with served_by_bi_mcp(world) as client:
        rotation = ReplaceCredentials(world, client)
        await rotation.walk(route)
    assert rotation.refusal == "no source"


@ReplaceCredentials.route("1 3!")
async def test_on_a_locked_portal_nothing_is_sent(world: World, route: str) -> None:
    source = await world.source()
    world.store("shop_new", NEW)
    await world.log_in(locked=True)
    async with served_by_bi_mcp(world) as client:
        rotation = ReplaceCredentials(world, client)
        await rotation.walk(route)
    assert "locked read-only" in rotation.refusal
    assert await world.password(source) == OLD


async def test_every_line_is_walked(rotation: ReplaceCredentials) -> None:
    assert ReplaceCredentials.walked() == await rotation.lines_with_tools()
