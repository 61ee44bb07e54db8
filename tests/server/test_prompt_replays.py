"""The prompt `onboard`, replayed: what its text says is what works, on the happy path and off it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.keys import AccessKey, hash_key
from bi_mcp.connector.app import build_app
from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from tests.server.replaying import (
    NEW,
    OLD,
    ORDERS,
    WRONG,
    LineEndedError,
    Script,
    World,
    a_world,
    parse_lines,
    served_by_bi_mcp,
    troubles,
)
from tests.server.talking import LOGIN, PARAMETERS

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("replays of prompts")]


@dataclass
class Onboard(Script):
    """Brings the table `wanted` in. `corrected` is what the person does when a line asks for a mended password."""

    prompt = "onboard"

    wanted: str = "orders"
    name: str | None = None
    urls: dict[str, str] = field(default_factory=dict)
    corrected: str = OLD
    parameters: list[dict[str, str]] = field(default_factory=lambda: PARAMETERS)
    settings: dict[str, Any] = field(default_factory=lambda: {"login": LOGIN, "password": {"secret": "shop"}})
    # What the person runs who has no service yet.
    connector: ASGIApp | None = None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    source: int = 0
    dataset: int = 0

    async def step_1(self) -> None:
        assert (await self.call("portal_status"))["verdict"] != "error"

    async def step_2(self) -> None:
        nodes = (await self.call("portal_map"))["nodes"]
        self.source = next((node["id"] for node in nodes if node["kind"] == "source"), 0)

    async def step_2a(self) -> None:
        report = await self.call("connector_check", source=self.source)
        assert troubles(report) == []

    async def step_3(self) -> None:
        self.urls = self.urls or self.world.shop.urls
        await self._check()

    async def step_3a(self) -> None:
        self.world.shop.app = self.connector
        self.world.store("shop", self.corrected)
        self.urls = self.world.shop.urls
        self.parameters = [{"code": code, "name": code, "type": "STRING"} for code in ("source", "key")]
        self.settings = {"source": "shop", "key": {"secret": "shop"}}
        await self._check()

    async def step_3b(self) -> None:
        assert "Nothing was sent" in self.refusal
        assert "`bi-mcp secret set shop --for" in self.refusal
        self.world.store("shop", self.corrected)
        await self._check()

    async def step_3c(self) -> None:
        assert "401" in self._told("urlCheck")
        self.world.store("shop", self.corrected)
        await self._check()

    async def step_3d(self) -> None:
        assert not any(facts["reached"] for facts in self.answers["check"]["endpoints"])
        self.urls = self.world.shop.urls
        await self._check()

    async def step_4(self) -> None:
        assert self.answers["check"]["verdict"] != "error"
        fields = {"title": "Shop", "logo": "data:image/png;base64,", "settings": self.parameters, **self.urls}
        self.answers["connector"] = await self.call("connector_add", fields=fields)

    async def step_5(self) -> None:
        connector = self.answers["connector"]["id"]
        fields = {"title": "Shop", "connectorId": connector, "settings": self.settings}
        self.source = (await self.call("source_add", fields=fields))["id"]
        item = (await self.call("source_get", id=self.source))["item"]
        assert {setting["code"]: setting["set"] for setting in item["settings"]} == dict.fromkeys(
            self.settings, True
        )

    async def step_5a(self) -> None:
        assert "SOURCE_CREATE_CONNECTION_ERROR" in self.refusal
        await self._check()
        self.world.store("shop", self.corrected)

    async def step_6(self) -> None:
        tables = (await self.call("source_tables", source=self.source))["tables"]
        if self.wanted not in {table["externalCode"] for table in tables}:
            raise LineEndedError(f"no table {self.wanted}")
        self.answers["proposal"] = await self.call("dataset_propose", source=self.source, table=self.wanted)

    async def step_6a(self) -> None:
        tables = (await self.call("source_tables", source=self.source, search=self.wanted))["tables"]
        assert tables == []
        self.wanted = "orders"

    async def step_7(self) -> None:
        fields = self.answers["proposal"]["fields"]
        name, self.name = self.name or fields["name"], "orders_of_the_shop"
        self.dataset = (await self.call("dataset_add", fields=fields | {"name": name}))["id"]

    async def step_8(self) -> None:
        assert (await self.call("dataset_diagnose", id=self.dataset))["verdict"] == "healthy"
        assert len((await self.call("dataset_preview", id=self.dataset))["rows"]) == 2

    async def step_8a(self) -> None:
        columns = (await self.call("dataset_get", id=self.dataset))["item"]["fields"]
        hidden = next(column["id"] for column in columns if column["name"] == "CUSTOMER")
        await self.call("dataset_fields_update", id=self.dataset, update=[{"id": hidden, "visible": False}])

    async def _check(self) -> None:
        self.answers["check"] = await self.call("connector_check", urls=self.urls, settings=self.settings)

    def _told(self, endpoint: str) -> str:
        findings = self.answers["check"]["findings"]
        return " ".join(finding["what"] for finding in findings if endpoint in finding["where"].split(", "))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def onboard(world: World) -> AsyncIterator[Onboard]:
    await world.log_in()
    async with served_by_bi_mcp(world) as client:
        yield Onboard(world, client)


@pytest.fixture
def unanswered() -> Iterator[str]:
    """An address on this machine at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@Onboard.route("1 2 3 4 5 6 7 8 8a")
async def test_a_table_of_an_empty_portal_becomes_a_dataset(onboard: Onboard, route: str) -> None:
    onboard.world.store("shop", OLD)
    await onboard.walk(route)
    assert await onboard.world.columns(onboard.dataset) == {
        "ID": True,
        "CUSTOMER": False,
        "TOTAL": True,
        "PAID_ON": True,
    }
    assert OLD not in onboard.said


@Onboard.route("1 2 3a 4 5 6 7 8")
async def test_files_without_a_service_are_served_by_a_connector_that_the_person_runs(
    onboard: Onboard, route: str
) -> None:
    files = onboard.world.folder / "exports"
    files.mkdir()
    (files / "orders.csv").write_text(ORDERS, encoding="utf-8")
    source = open_files(files, SourceOptions())
    with closing(source):
        onboard.connector = build_app({"shop": source}, [AccessKey(hash_key(Secret(OLD)))])
        await onboard.walk(route)
    assert set(await onboard.world.columns(onboard.dataset)) == {"ID", "CUSTOMER", "TOTAL", "PAID_ON"}
    assert OLD not in onboard.said


@Onboard.route("1 2 2a >6 7 8")
async def test_a_source_that_is_there_is_used_again(onboard: Onboard, route: str) -> None:
    source = await onboard.world.source()
    await onboard.walk(route)
    assert onboard.source == source
    assert list((await onboard.world.behind.snapshot()).sources) == [source]


@Onboard.route("1 2 3! 3b 4 5")
async def test_a_secret_that_is_not_stored_is_asked_for(onboard: Onboard, route: str) -> None:
    await onboard.walk(route)
    assert await onboard.world.password(onboard.source) == OLD


@Onboard.route("1 2 3 3c 4 5")
async def test_a_wrong_password_is_found_before_anything_exists(onboard: Onboard, route: str) -> None:
    onboard.world.store("shop", WRONG)
    await onboard.walk(route)
    assert await onboard.world.password(onboard.source) == OLD
    assert WRONG not in onboard.said


@Onboard.route("1 2 3 3d 4 5")
async def test_an_address_at_which_nobody_answers_is_corrected(
    onboard: Onboard, route: str, unanswered: str
) -> None:
    onboard.urls = {name: f"http://{unanswered}/{name}" for name in onboard.world.shop.urls}
    # A secret is bound to hosts: this becomes one of them.
    onboard.world.other.address = unanswered
    onboard.world.store("shop", OLD)
    await onboard.walk(route)
    assert await onboard.world.password(onboard.source) == OLD


@Onboard.route("1 2 3 4 5! 5a 5 6 7 8")
async def test_what_the_portal_itself_refuses_makes_no_source(onboard: Onboard, route: str) -> None:
    onboard.world.store("shop", OLD)
    onboard.corrected = NEW

    async def changes_its_password() -> None:
        onboard.world.shop.holds(NEW)

    onboard.meanwhile["5"] = changes_its_password
    await onboard.walk(route)
    assert await onboard.world.password(onboard.source) == NEW
    assert list((await onboard.world.behind.snapshot()).sources) == [onboard.source]


@Onboard.route("1 2 2a >6! 6a 6 7! 7 8")
async def test_a_table_that_is_not_there_and_a_name_that_is_taken(onboard: Onboard, route: str) -> None:
    source = await onboard.world.source()
    onboard.wanted = "invoices"
    onboard.meanwhile["7"] = lambda: onboard.world.dataset(source, "orders")
    await onboard.walk(route)
    assert (await onboard.world.behind.datasets.get(onboard.dataset)).name == "orders_of_the_shop"


@Onboard.route("1 2 3!")
async def test_a_locked_portal_ends_it_before_anything_is_sent(world: World, route: str) -> None:
    await world.log_in(locked=True)
    world.store("shop", OLD)
    async with served_by_bi_mcp(world) as client:
        onboard = Onboard(world, client)
        await onboard.walk(route)
    assert "locked read-only" in onboard.refusal
    assert (await world.behind.connectors.list_page()).items == []


async def test_every_line_is_walked(onboard: Onboard) -> None:
    assert Onboard.walked() == await onboard.lines_with_tools()


async def test_a_read_only_server_does_not_offer_what_leads_to_changes(world: World) -> None:
    await world.log_in()
    async with served_by_bi_mcp(world, read_only=True) as client:
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
    assert prompts == {"debug_dataset", "review_portal"}


def test_lines_are_steps_and_what_is_for_one_case_only() -> None:
    text = "See `a`.\n\n1. Call `a`,\n   then `b` and `b` with `x`.\n   - *If so:* `c`\n     and `a`.\n   - *If not:* stop.\n2. `b`.\n\nAt last `a`."
    assert parse_lines(text, {"a", "b", "c"}) == {"1": ["a", "b"], "1a": ["c", "a"], "1b": [], "2": ["b"]}
