"""Every tool, command, resource and prompt, on a good day and while everybody repeats what they were sent: no planted secret comes out.

A tool or a command without a line in the tables here fails: whoever adds one says how it is called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import click
import pytest
from anyio import CapacityLimiter, create_task_group
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from bi_mcp.cli import main
from bi_mcp.config import Settings
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import TOOLSETS, choose_tools
from tests.practice.portal.serving import served
from tests.server.forked import ran_forked
from tests.server.overhearing import (
    PASSWORD,
    TOKEN,
    VALUES,
    Answer,
    Ear,
    Stage,
    a_stage,
    everything_logged,
    leaks_in,
    shop_fields,
)
from tests.server.talking import COLUMNS
from tests.server.test_secrets import INDISCREET, NO_API

pytestmark = pytest.mark.anyio

ALL = tuple(TOOLSETS)
TABLE = {"name": "orders", "sourceId": 1, "externalCode": "flights", "externalName": "F", "fields": COLUMNS}
SETUP = f"""version: 1
sources: {{one: {{title: One, connector: shop, settings: {{password: {PASSWORD}}}}}}}
"""
MOVED_SHOP = """version: 1
connectors:
  shop: {{title: Shop, logo: "https://example.com/logo.png", urlCheck: "{urlCheck}", urlTableList: "{urlTableList}",
         urlTableDescription: "{urlTableDescription}", urlData: "{urlData}", settings: []}}
"""

# How each tool is called; ids are those of the first objects.
CALLS: Mapping[str, dict[str, Any]] = {
    "connector_add": {"fields": shop_fields()},
    "connector_update": {"id": 1, "fields": {"description": "changed"}},
    "connector_get": {"id": 1},
    "connector_list": {},
    "connector_delete": {"id": 1},
    "connector_fields": {},
    "source_add": {"fields": {"title": "Two", "connectorId": 1, "settings": VALUES}},
    "source_update": {"id": 1, "fields": {"settings": VALUES}},
    "source_get": {"id": 1},
    "source_list": {"select": ["settings"]},
    "source_delete": {"id": 1},
    "source_fields": {},
    "dataset_add": {"fields": TABLE},
    "dataset_update": {"id": 1, "fields": {"description": "changed"}},
    "dataset_get": {"id": 1},
    "dataset_list": {},
    "dataset_delete": {"id": 1},
    "dataset_fields": {},
    "dataset_fields_update": {"id": 1, "update": [{"id": 1, "visible": False}]},
    "dataset_columns_replace": {"id": 1, "columns": [{"id": 1, "type": "int"}]},
    "portal_status": {},
    "connector_check": {"source": 1, "table": "flights"},
    "source_tables": {"source": 1},
    "dataset_propose": {"source": 1, "table": "flights"},
    "dataset_preview": {"id": 1},
    "dataset_diagnose": {"id": 1},
    "dataset_profile": {"id": 1},
    "portal_map": {"diagnose": True},
    "workspace_export": {},
    "workspace_plan": {"setup": SETUP},
    "workspace_apply": {"token": "none"},
    "history_list": {},
    "workspace_undo": {"entry": "none"},
    "table_add": {"fields": TABLE},
    "table_update": {"id": 1, "fields": {"description": "changed"}},
    "table_get": {"id": 1},
    "table_list": {},
    "table_delete": {"id": 1},
    "table_fields": {},
    "table_fields_update": {"id": 1, "update": [{"id": 1, "visible": False}]},
    "table_columns_replace": {"id": 1, "columns": [{"id": 1, "type": "int"}]},
}
WRONG = [{"value": "canary-in-a-wrong-place"}]
TOOLS = {tool.name: tool for tool in choose_tools(ALL)}


@pytest.fixture(autouse=True)
def password_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_PASSWORD", PASSWORD)


class Everything(dict[str, Answer]):
    """The same answer to every method."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def get(self, _: str, __: object = None) -> Answer:
        return self._answer


class Shop:
    """A connector on a real port. Once `indiscreet` is set, it repeats what it is sent, in every way that is no data."""

    def __init__(self) -> None:
        self.indiscreet: Answer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await Request(scope, receive).body()).decode()
        answer = self.indiscreet(body) if self.indiscreet else self._answer(scope["path"])
        await answer(scope, receive, send)

    @staticmethod
    def _answer(path: str) -> Response:
        columns = [
            {"code": column["externalCode"], "name": column["name"], "type": column["type"]}
            for column in COLUMNS
        ]
        answers: dict[str, object] = {
            "/urlCheck": "ok",
            "/urlTableList": [{"code": "flights", "title": "Flights"}],
            "/urlTableDescription": columns,
            "/urlData": [[column["code"] for column in columns], ["AA", 5]],
        }
        return JSONResponse(answers[path])


REPEATING: dict[str, Answer] = {
    "an error": lambda sent: PlainTextResponse(sent, 500),
    "text": PlainTextResponse,
    "a redirect": lambda sent: RedirectResponse(f"https://evil.example/?{sent}"),
    "a type": lambda sent: JSONResponse([{"code": "a", "name": "n", "type": sent}] * 2),
    "a wrong shape": lambda sent: JSONResponse({"sent": sent}),
    "a packed body": lambda sent: Response(sent, headers={"content-encoding": "gzip"}),
    "a header": lambda sent: PlainTextResponse("no", 403, {"x-sent": sent.replace("\n", " ")}),
}


async def fill(ear: Ear, fields: dict[str, Any]) -> None:
    """One connector, one source, one dataset."""
    await ear.done("connector_add", fields=fields)
    await ear.done("source_add", fields={"title": "One", "connectorId": 1, "settings": VALUES})
    await ear.done("dataset_add", fields=TABLE)


async def call_all(ear: Ear) -> None:
    for tool, arguments in CALLS.items():
        if not tool.endswith("_delete"):
            await ear.call(tool, **arguments)
    for tool in ("dataset_delete", "source_delete", "connector_delete"):
        await ear.call(tool, **CALLS[tool])
    for group in ("connector", "source", "dataset"):
        await ear.read(f"bi://{group}/fields")
        await ear.read(f"bi://{group}/1")
    await ear.read("bi://history")
    await ear.look_around()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with a_stage(tmp_path, toolsets=ALL) as stage:
        await fill(stage.ear, shop_fields())
        yield stage


def test_every_tool_has_a_call() -> None:
    assert list(CALLS) == list(TOOLS)


async def test_no_tool_lets_a_secret_out_on_a_good_day(stage: Stage) -> None:
    await call_all(stage.ear)
    assert stage.ear.called >= set(TOOLS) - {"table_delete"}
    assert stage.ear.leaks() == []


@pytest.mark.campaign("canaries in every answer")
@pytest.mark.parametrize(
    "answer",
    [*INDISCREET, *NO_API.values()],
    ids=[*(answer.__name__ for answer in INDISCREET), *NO_API],
)
async def test_no_tool_passes_on_what_a_portal_repeats(stage: Stage, answer: Answer) -> None:
    stage.portal.instead = Everything(answer)
    await call_all(stage.ear)
    assert stage.ear.leaks() == []


async def test_no_tool_tells_a_secret_when_the_portal_crashes(stage: Stage) -> None:
    def crash(_: str) -> Response:
        raise RuntimeError("the portal is broken")

    stage.portal.instead = Everything(crash)
    await call_all(stage.ear)
    assert "the portal is broken" in stage.ear.log.getvalue()
    assert stage.ear.leaks() == []


@pytest.mark.parametrize("tool", TOOLS)
async def test_no_tool_repeats_a_value_in_a_wrong_place(stage: Stage, tool: str) -> None:
    listed = {tool.name: tool for tool in (await stage.ear.client.list_tools()).tools}
    for name in listed[tool].input_schema["properties"]:
        await stage.ear.call(tool, **{**CALLS[tool], name: WRONG})
    said = await stage.ear.refused(tool, **CALLS[tool], unknown="canary-unknown")
    assert "unknown is unknown" in said
    assert stage.ear.leaks() == []


@asynccontextmanager
async def a_shop(tmp_path: Path) -> AsyncIterator[tuple[Ear, Shop]]:
    """A server with the practice portal, which calls connectors on this machine."""
    shop = Shop()
    (tmp_path / "token.txt").write_text("canary-api-token", encoding="utf-8")
    settings = Settings(secrets_folder=tmp_path, allow_literal_secrets=True, toolsets=ALL)
    async with served(shop) as address:
        with everything_logged() as log:
            async with Client(build_server(settings)) as client:
                ear = Ear(client, log)
                urls = {name: f"http://{address}/{name}" for name in shop_fields() if name.startswith("url")}
                await fill(ear, shop_fields() | urls)
                yield ear, shop


@pytest.mark.campaign("canaries in every answer")
@pytest.mark.parametrize("answer", REPEATING.values(), ids=REPEATING)
async def test_no_tool_passes_on_what_a_connector_repeats_beside_its_data(
    tmp_path: Path, answer: Answer
) -> None:
    async with a_shop(tmp_path) as (ear, shop):
        await call_all(ear)
        shop.indiscreet = answer
        await call_all(ear)
        assert ear.leaks() == []


# How each command is called; what would not end, or opens a browser, is asked for its help.
COMMANDS: Mapping[str, list[str]] = {
    "serve": [],
    "sign-ins list": [],
    "sign-ins revoke": ["--all", "--yes"],
    "install": ["cursor", "--yes"],
    "uninstall": ["cursor", "--yes"],
    "login": ["https://portal.example", "--help"],
    "logout": ["acme"],
    "profiles default": ["acme"],
    "profiles lock": ["acme"],
    "profiles unlock": ["acme"],
    "profiles move": ["old.example", "https://new.example"],
    "secret set": ["crm", "--help"],
    "secret list": [],
    "secret remove": ["none"],
    "secret forget-former": ["none"],
    "doctor": [],
    "map": [],
    "check": ["1"],
    "tables": ["1"],
    "propose": ["1", "flights"],
    "preview": ["1"],
    "profile": ["1"],
    "diagnose": ["1"],
    "export": ["out.yaml"],
    "plan": ["bi.yaml"],
    "apply": ["bi.yaml", "--yes"],
    "adopt": ["connector.shop=1"],
    "schema": [],
    "connector serve": ["--help"],
    "connector check": ["--help"],
    "connector setup": ["--help"],
    "connector key": [],
    "history": [],
    "undo": ["--last", "--yes"],
    "chart": ["flights"],
    "demo": ["--help"],
    "portal": ["--help"],
    "sample": ["--help"],
    "completion": ["bash"],
}


def commands(group: click.Command, path: tuple[str, ...] = ()) -> list[str]:
    if not isinstance(group, click.Group):
        return [" ".join(path)]
    return [name for part, below in group.commands.items() for name in commands(below, (*path, part))]


def test_every_command_has_a_call() -> None:
    assert list(COMMANDS) == commands(main)


async def printed_by(command: str, home: Path, host: str) -> str:
    """Everything that a command prints where the portal is at this host."""
    await anyio.Path(home).mkdir()
    await anyio.Path(home, "bi.yaml").write_text(SETUP, encoding="utf-8")
    variables = {"BI_MCP_PORTAL_URL": f"http://{host}", "BI_MCP_ACCESS_TOKEN": TOKEN}
    finished = await ran_forked(
        home, *command.split(), *COMMANDS[command], **variables, BI_MCP_SECRET_PASSWORD=PASSWORD
    )
    return (finished.stdout + finished.stderr).decode()


@pytest.mark.campaign("canaries in every answer")
@pytest.mark.parametrize("portal", ["nobody there", "a portal that repeats"])
async def test_no_command_prints_a_secret(tmp_path: Path, portal: str) -> None:
    async def repeats(scope: Scope, receive: Receive, send: Send) -> None:
        sent = (await Request(scope, receive).body()).decode()
        answer = JSONResponse({"error": "X", "error_description": sent}, 400, {"x-sent": TOKEN})
        await answer(scope, receive, send)

    printed: dict[str, str] = {}

    async def collect(command: str, host: str) -> None:
        async with few:
            printed[command] = await printed_by(command, tmp_path / command.replace(" ", "_"), host)

    # Most of them only wait for an answer, again and again.
    few = CapacityLimiter(4)
    async with served(repeats) as address, create_task_group() as group:
        for command in COMMANDS:
            group.start_soon(
                collect, command, address if portal == "a portal that repeats" else "127.0.0.1:1"
            )
    assert printed.keys() == COMMANDS.keys()
    # A wrong argument would end a command before it does anything.
    assert {
        command: text
        for command, text in printed.items()
        if "Traceback" in text or ("Usage: bi-mcp " in text and "--help" not in COMMANDS[command])
    } == {}
    assert {command: leaks_in(text) for command, text in printed.items() if leaks_in(text)} == {}


async def test_nothing_shows_a_login_that_another_client_wrote_into_an_address(stage: Stage) -> None:
    addresses = {
        name: f"https://bi:canary-login@shop.example/{name}" for name in shop_fields() if "url" in name
    }
    await stage.bi.connectors.update(1, ConnectorChanges.model_validate(addresses))
    setup = MOVED_SHOP.format(**{name: f"https://shop.example/{name}" for name in addresses})

    await stage.ear.call("connector_update", id=1, fields={"urlData": "https://elsewhere.example/"})
    plan = await stage.ear.call("workspace_plan", setup=setup)
    await call_all(stage.ear)

    assert "shop.example" in plan.model_dump_json()
    assert stage.ear.leaks() == []
