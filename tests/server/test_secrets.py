"""Planted secrets are looked for in everything that leaves the server. None may be found, not even half of one."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from mcp import Client
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from bi_mcp.base.secret import Secret
from bi_mcp.config import GENERATIONS, Generation, LocalPortalSettings, Settings
from bi_mcp.errors import BiMcpError
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.faults import FaultKind
from bi_mcp.rest.methods import METHODS
from bi_mcp.rest.models import SourceFields
from bi_mcp.server.build import build_server
from tests.practice.portal.calling import ORIGIN, Connector
from tests.practice.portal.serving import served
from tests.server.conftest import Era
from tests.server.overhearing import (
    API_TOKEN,
    PASSWORD,
    PIN,
    REVEALED,
    TOKEN,
    VALUES,
    Answer,
    Ear,
    IndiscreetPortal,
    Stage,
    a_stage,
    everything_logged,
    leaks_in,
    shop_fields,
)
from tests.server.processes import MODERN, started
from tests.server.talking import dataset_fields

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def password_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_PASSWORD", PASSWORD)


@pytest.fixture
async def stage(tmp_path: Path, era: Era) -> AsyncIterator[Stage]:
    async with a_stage(tmp_path, mode=era) as stage:
        yield stage


def test_the_search_finds_what_it_looks_for() -> None:
    assert leaks_in(f"before {PASSWORD} after", "clean", f"{PIN}") == [f"before {PASSWORD} after", f"{PIN}"]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_no_answer_of_the_nineteen_tools_holds_a_secret(
    tmp_path: Path, era: Era, generation: Generation
) -> None:
    async with a_stage(tmp_path, mode=era, generation=generation) as stage:
        ear = stage.ear
        connector = await stage.add_connector()
        source = await stage.add_source(connector)
        dataset = int((await ear.done("dataset_add", fields=dataset_fields(source)))["id"])
        await ear.done("connector_update", id=connector, fields={"description": "changed"})
        await ear.done("source_update", id=source, fields={"settings": VALUES})
        await ear.done("dataset_update", id=dataset, fields={"description": "changed"})
        column = (await ear.done("dataset_get", id=dataset))["item"]["fields"][0]["id"]
        await ear.done("dataset_fields_update", id=dataset, update=[{"id": column, "visible": False}])
        for group, id in (("dataset", dataset), ("source", source), ("connector", connector)):
            await ear.done(f"{group}_get", id=id)
            await ear.done(f"{group}_list")
            await ear.done(f"{group}_fields")
            await ear.read(f"bi://{group}/fields")
            await ear.read(f"bi://{group}/{id}")
            await ear.confirmed(f"{group}_delete", id=id)
            await ear.read(f"bi://{group}/{id}")
        await ear.look_around()

        assert ear.called == {method.tool for method in METHODS}
        sent = {f"connection[{code}]": value for code, value in REVEALED.items()}
        assert stage.connector.received[:2] == [sent, sent]
        assert "httpx" in ear.log.getvalue() or "HTTP Request" in ear.log.getvalue()
        assert ear.leaks() == []


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_only_the_values_that_the_user_chose_are_shown(
    tmp_path: Path, era: Era, generation: Generation
) -> None:
    async with a_stage(tmp_path, mode=era, generation=generation, shown="host,login") as stage:
        source = await stage.add_source(await stage.add_connector())
        answers = [
            (await stage.ear.done("source_get", id=source))["item"],
            (await stage.ear.done("source_list", select=["settings"]))["items"][0],
            json.loads(await stage.ear.read(f"bi://source/{source}"))["item"],
        ]
        for item in answers:
            assert {setting["code"]: setting.get("value") for setting in item["settings"]} == {
                "login": "ann",
                "host": "db.example",
                "password": None,
                "token": None,
                "api_key": None,
                "pin": None,
            }
            assert all(setting["set"] for setting in item["settings"])
        assert stage.ear.leaks() == []


async def test_a_referenced_value_stays_hidden_under_a_code_that_the_user_chose(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_OTHER", "canary-other")
    async with a_stage(tmp_path, mode=era, shown="host,login") as stage:
        connector = await stage.add_connector()
        for reference in ({"env": "BI_MCP_SECRET_PASSWORD"}, {"file": "token.txt"}, {"secret": "shop"}):
            settings = {**VALUES, "login": reference}
            fields = {"title": "S", "connectorId": connector, "settings": settings}
            assert "Write the value as text" in await stage.ear.refused("source_add", fields=fields)
        # As it was made before the reference was refused, or by another client.
        fields["settings"] = {**VALUES, "login": PASSWORD, "host": "canary-other"}
        source = int((await stage.ear.done("source_add", fields=fields))["id"])
        await stage.ear.done("source_get", id=source)
        await stage.ear.done("source_list", select=["settings"])
        await stage.ear.read(f"bi://source/{source}")
        exported = await stage.ear.done("workspace_export")
        assert "BI_MCP_SECRET_S_LOGIN" in exported["setup"]
        assert stage.ear.leaks() == []


@pytest.mark.parametrize("shown", ["", "none"])
async def test_harmless_settings_are_shown_by_default_unless_their_value_may_be_secret(
    tmp_path: Path, era: Era, shown: str
) -> None:
    async with a_stage(tmp_path, mode=era, shown=shown) as stage:
        connector = await stage.add_connector()
        source = await stage.add_source(connector)
        for login, host in ((PASSWORD, "canary:pw@db.example"), (API_TOKEN, "https://canary@db.example")):
            settings = {**VALUES, "login": login, "host": host}
            fields = {"title": "Hidden", "connectorId": connector, "settings": settings}
            answer = await stage.ear.done("source_add", fields=fields)
            assert not any("value" in setting for setting in answer["item"]["settings"])
        item = (await stage.ear.done("source_get", id=source))["item"]
        seen = {each["code"]: each["value"] for each in item["settings"] if "value" in each}
        exported = (await stage.ear.done("workspace_export"))["setup"]
        assert "canary" not in exported
        assert ("host: db.example" in exported) is not bool(shown)
        assert seen == ({} if shown else {"login": "ann", "host": "db.example"})
        assert stage.ear.leaks() == []


SETTINGS_GONE_WRONG: dict[str, Any] = {
    "a list": {"password": ["canary"]},
    "an object": {"password": {"value": "canary"}},
    "a reference with more": {"password": {"env": "BI_MCP_SECRET_PASSWORD", "default": "canary"}},
    "a secret for a variable": {"password": {"env": "canary"}},
    "a variable in a list": {"password": {"env": ["canary"]}},
    "a secret for a file": {"password": {"file": "canary"}},
    "a file elsewhere": {"password": {"file": "../canary"}},
    "a file in an object": {"password": {"file": {"name": "canary"}}},
    "a fraction": {"password": PIN + 0.5},
    "half a character": {"password": "canary\udcff"},
    "text": "password=canary",
    "JSON text": json.dumps({"password": ["canary"]}),
    "broken JSON text": '{"password": "canary"',
    "pairs": [["password", "canary"]],
    "entries": [{"code": "password", "value": "canary"}],
}


@pytest.mark.parametrize("settings", SETTINGS_GONE_WRONG.values(), ids=SETTINGS_GONE_WRONG)
async def test_refused_settings_are_not_repeated(stage: Stage, settings: object) -> None:
    connector = await stage.add_connector()
    source = await stage.add_source(connector)
    new = {"title": "x", "connectorId": connector, "settings": settings}
    assert (
        "settings" in await stage.ear.refused("source_add", fields=new) or "not sent" in stage.ear.heard[-1]
    )
    await stage.ear.refused("source_update", id=source, fields={"settings": settings})
    assert stage.ear.leaks() == []


ARGUMENTS_GONE_WRONG: dict[str, dict[str, Any]] = {
    "a number as text": {"title": "x", "connectorId": "canary", "settings": {}},
    "a switch as text": {"title": "x", "connectorId": 1, "settings": {}, "active": "canary"},
    "an unknown field": {"title": "x", "connectorId": 1, "settings": {}, "password": "canary"},
    "nothing in its place": {"password": "canary"},
}


@pytest.mark.parametrize("fields", ARGUMENTS_GONE_WRONG.values(), ids=ARGUMENTS_GONE_WRONG)
async def test_refused_arguments_are_not_repeated(stage: Stage, fields: dict[str, Any]) -> None:
    ear = stage.ear
    assert "was not sent" in await ear.refused("source_add", fields=fields)
    assert "was not sent" in await ear.refused("source_add", fields=json.dumps([fields]))
    assert "was not sent" in await ear.refused("source_add", fields="canary")
    assert "was not sent" in await ear.refused("source_get", id="canary")
    assert "was not sent" in await ear.refused("source_get", id=1, password="canary")
    assert "was not sent" in await ear.refused("source_list", order={"id": "canary"})
    assert "filter" in await ear.refused("source_list", filter={"settings": {"password": "canary"}})
    assert ear.leaks() == []


async def test_a_refused_password_stays_unsaid(stage: Stage) -> None:
    connector = await stage.add_connector()
    source = await stage.add_source(connector)
    stage.connector.status = 403
    stage.connector.body = "wrong password: canary"
    new = {"title": "x", "connectorId": connector, "settings": VALUES}
    assert "SOURCE_CREATE_CONNECTION_ERROR" in await stage.ear.refused("source_add", fields=new)
    text = await stage.ear.refused("source_update", id=source, fields={"settings": VALUES})
    assert "SOURCE_UPDATE_CONNECTION_ERROR" in text
    assert stage.ear.leaks() == []


# The client looks at the portal after a write that broke off.
FOUND_TO_HAVE_HAPPENED = {"cut_after", "empty", "truncated", "internal_error_after"}


# These do not make a read fail, or happen to logins only.
NOT_OF_A_READ = {"slow", "sync_failure", "other_user", "other_users_token", "other_portal"}


@pytest.mark.parametrize("kind", sorted(set(get_args(FaultKind)) - NOT_OF_A_READ))
async def test_a_portal_on_a_bad_day_makes_nobody_talk(stage: Stage, kind: FaultKind) -> None:
    connector = await stage.add_connector()
    source = await stage.add_source(connector)
    # Reads are repeated, and a write that may have happened is looked for: only reads are sure to fail in the end.
    stage.faults.arm(kind, method="biconnector.source.add")
    await stage.ear.call("source_add", fields={"title": "x", "connectorId": connector, "settings": VALUES})
    stage.faults.arm(kind, method="biconnector.source.get", times=100)
    await stage.ear.refused("source_get", id=source)
    await stage.ear.read(f"bi://source/{source}")
    assert stage.ear.leaks() == []


def error_in_result(sent: str) -> Response:
    return JSONResponse({"result": {"error": {"error": "X", "error_description": f"refused: {sent}"}}})


def error_at_the_root(sent: str) -> Response:
    return JSONResponse({"error": "X", "error_description": sent})


def error_with_a_status(sent: str) -> Response:
    return JSONResponse({"error": "expired_token", "error_description": f"access_token={sent}"}, 401)


def secret_as_code(sent: str) -> Response:
    return JSONResponse({"error": sent, "error_description": ""})


def stack_trace(sent: str) -> Response:
    return JSONResponse({"error": "X", "error_description": f"failed\n#0 call({sent})"}, 500)


def cut_within_the_secret(sent: str) -> Response:
    # Long texts are shortened; what is left of the token must not be readable either.
    description = "x" * 490 + TOKEN if TOKEN in sent else ""
    return JSONResponse({"error": "X", "error_description": description})


INDISCREET: list[Answer] = [
    error_in_result,
    error_at_the_root,
    error_with_a_status,
    secret_as_code,
    stack_trace,
    cut_within_the_secret,
]
NO_API: dict[str, Answer] = {
    "a page": lambda sent: HTMLResponse(f"<html>{sent}</html>", 200),
    "an error page": lambda sent: HTMLResponse(f"<html>{sent}</html>", 502),
    "plain text": PlainTextResponse,
    "broken JSON": lambda sent: PlainTextResponse('{"result": ' + sent),
    "text for an object": lambda sent: JSONResponse({"result": sent}),
    "text for an item": lambda sent: JSONResponse({"result": {"item": sent}}),
    "text for an id": lambda sent: JSONResponse({"result": {"id": sent, "item": {"id": sent}}}),
    "text for an error": lambda sent: JSONResponse({"error": [sent]}),
    "a redirect": lambda sent: RedirectResponse(f"https://elsewhere.example/?{sent}"),
}


@pytest.mark.parametrize(
    "answer",
    [*INDISCREET, *NO_API.values()],
    ids=[*(answer.__name__ for answer in INDISCREET), *NO_API],
)
async def test_what_a_portal_repeats_is_not_passed_on(stage: Stage, answer: Answer) -> None:
    connector = await stage.add_connector()
    source = await stage.add_source(connector)
    stage.portal.instead = {f"biconnector.source.{name}": answer for name in ("add", "get", "update", "list")}
    # A write with an answer like that is looked for, and may be found: it need not be an error.
    await stage.ear.call("source_add", fields={"title": "x", "connectorId": connector, "settings": VALUES})
    await stage.ear.refused("source_get", id=source)
    await stage.ear.refused("source_list")
    await stage.ear.read(f"bi://source/{source}")
    del stage.portal.instead["biconnector.source.get"]
    await stage.ear.call("source_update", id=source, fields={"settings": VALUES})
    assert stage.ear.leaks() == []


SETTING = {"id": 1, "code": "password", "name": "Password", "type": "STRING", "value": PASSWORD}
CONNECTION = {"id": "7", "title": "Shop", "active": "Y"}
SHAPES: dict[str, dict[str, Any]] = {
    "flat": {**CONNECTION, "connectorId": "1", "settings": [SETTING]},
    "nested": {"connection": CONNECTION, "connectorId": 1, "settings": [SETTING]},
    "nested wholly": {"connection": {**CONNECTION, "settings": [SETTING]}, "connectorId": 1},
    "a map": {**CONNECTION, "settings": {"password": PASSWORD}},
    "a map of objects": {**CONNECTION, "settings": {"password": SETTING}},
    "the value twice": {**CONNECTION, "settings": [{**SETTING, "default": PASSWORD}], "password": PASSWORD},
    "a number": {**CONNECTION, "settings": [{**SETTING, "value": PIN}]},
    "a list": {**CONNECTION, "settings": [{**SETTING, "value": [PASSWORD]}]},
}


@pytest.mark.parametrize("item", SHAPES.values(), ids=SHAPES)
async def test_values_in_plain_text_are_hidden_in_whatever_shape_they_come(
    stage: Stage, item: dict[str, Any]
) -> None:
    stage.portal.instead = {
        "biconnector.source.get": lambda _: JSONResponse({"result": {"item": item}}),
        "biconnector.source.list": lambda _: JSONResponse({"result": [item]}),
    }
    for shown in (
        (await stage.ear.done("source_get", id=7))["item"],
        (await stage.ear.done("source_list"))["items"][0],
        json.loads(await stage.ear.read("bi://source/7"))["item"],
    ):
        assert shown["title"] == "Shop"
        assert [(setting["code"], setting["set"]) for setting in shown["settings"]] == [("password", True)]
    assert stage.ear.leaks() == []


async def test_a_secret_of_several_lines_is_hidden_line_by_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_PASSWORD", "canary-first-line\ncanary-second-line\n")
    connector = await stage.add_connector()
    stage.portal.instead = {
        "biconnector.source.add": lambda sent: JSONResponse(
            {"error": "X", "error_description": json.loads(sent)["fields"]["settings"]["password"]}
        )
    }
    await stage.ear.refused("source_add", fields={"title": "x", "connectorId": connector, "settings": VALUES})
    assert stage.ear.leaks() == []


async def test_nothing_that_prints_itself_prints_a_secret(stage: Stage) -> None:
    await stage.add_source(await stage.add_connector())
    assert leaks_in(repr(stage.server), str(vars(stage.server))) == []


HOOK = "canary-hook"


@dataclass
class HookedServer:
    """A server that knows nothing but the address of a webhook."""

    ear: Ear
    portal: IndiscreetPortal


@pytest.fixture
async def hooked(era: Era) -> AsyncIterator[HookedServer]:
    """The portal answers on a real port: a webhook's secret stands in the address of each request."""
    portal = IndiscreetPortal(create_app(LocalPortalSettings(webhook=Secret(f"7/{HOOK}"))))
    with everything_logged() as log:
        async with served(portal) as address:
            server = build_server(Settings(webhook_url=Secret(f"http://{address}/rest/7/{HOOK}/")))
            async with Client(server, mode=era) as client:
                yield HookedServer(Ear(client, log), portal)


async def test_the_address_of_a_webhook_is_told_to_nobody(hooked: HookedServer) -> None:
    ear = hooked.ear
    await ear.done("source_fields")
    await ear.read("bi://source/fields")
    assert "webhook" in await ear.refused("source_list")
    await ear.read("bi://source/1")
    await ear.look_around()
    assert "/rest/7/•••/biconnector.source.fields" in ear.log.getvalue()
    assert ear.leaks() == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: RedirectResponse(f"https://elsewhere.example/rest/7/{HOOK}/"),
        lambda _: RedirectResponse(f"/auth/?backurl=%2Frest%2F7%2F{HOOK}%2F"),
        lambda _: error_with_a_status(HOOK),
        lambda _: error_at_the_root(f"no such address: /rest/7/{HOOK}/"),
        lambda _: HTMLResponse(f"<a href='/rest/7/{HOOK}/'>", 404),
    ],
    ids=["a redirect", "a login page", "a refusal", "an address", "a page"],
)
async def test_a_portal_that_repeats_the_webhook_is_not_believed(
    hooked: HookedServer, answer: Answer
) -> None:
    hooked.portal.instead = {"biconnector.source.fields": answer}
    await hooked.ear.refused("source_fields")
    await hooked.ear.read("bi://source/fields")
    assert hooked.ear.leaks() == []


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.campaign("canaries in every answer")
@pytest.mark.parametrize(
    "settings",
    [
        Settings(webhook_url=Secret(f"http://127.0.0.1:1/rest/7/{HOOK}/")),
        Settings(webhook_url=Secret(HOOK)),
        Settings(webhook_url=Secret(f"https://portal.example/rest/{HOOK}")),
        Settings(portal_url="http://127.0.0.1:1", access_token=Secret(TOKEN)),
        Settings(portal_url=f"https://admin:{PASSWORD}@portal.example", access_token=Secret(TOKEN)),
        Settings(portal_url=f"https://portal.example/?auth={TOKEN}", access_token=Secret(TOKEN)),
        Settings(portal_url=f"https://portal.example/rest/7/{HOOK}/", access_token=Secret(TOKEN)),
    ],
    ids=["nobody there", "no address", "half an address", "no portal", "a password", "a token", "a webhook"],
)
async def test_a_portal_that_cannot_be_called_is_named_without_its_secret(
    era: Era, settings: Settings
) -> None:
    with everything_logged() as log:
        async with Client(build_server(settings), mode=era) as client:
            ear = Ear(client, log)
            await ear.refused("source_fields")
            await ear.read("bi://source/fields")
            await ear.look_around()
    assert ear.leaks() == []


@pytest.mark.parametrize("answer", INDISCREET, ids=lambda answer: answer.__name__)
async def test_exceptions_of_the_library_print_no_secret(stage: Stage, answer: Answer) -> None:
    connector = await stage.add_connector()
    stage.portal.instead = {"biconnector.source.add": answer}
    fields = SourceFields(
        title="x", connector_id=connector, settings={code: Secret(value) for code, value in REVEALED.items()}
    )
    with pytest.raises(BiMcpError) as caught:
        await stage.bi.sources.add(fields)
    error = caught.value
    printed = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error), repr(fields)]
    assert leaks_in(*printed) == []


async def test_a_process_says_no_secret_on_either_of_its_outputs(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text(API_TOKEN, encoding="utf-8")
    connector = Connector()
    settings = LocalPortalSettings(access_token=Secret(TOKEN))
    portal = IndiscreetPortal(create_app(settings, connectors={ORIGIN: connector}))
    options = ["serve", "--show-settings", "host,login", "--secrets-dir", ".", "--allow-literal-secrets"]
    async with served(portal) as address:
        variables = {
            "BI_MCP_PORTAL_URL": f"http://{address}",
            "BI_MCP_ACCESS_TOKEN": TOKEN,
            "BI_MCP_SECRET_PASSWORD": PASSWORD,
        }
        async with started(tmp_path, *options, **variables) as wire:
            added = await wire.call("connector_add", {"fields": shop_fields()}, **MODERN)
            new = {"title": "Shop one", "connectorId": added["id"], "settings": VALUES}
            source = await wire.call("source_add", {"fields": new}, **MODERN)
            shown = await wire.call("source_get", {"id": source["id"]}, **MODERN)
            values = {setting["code"]: setting.get("value") for setting in shown["item"]["settings"]}
            portal.instead = {"biconnector.source.add": error_in_result}
            for arguments in (new, {**new, "settings": {"password": ["canary"]}}, "canary"):
                refused = await wire.ask(
                    "tools/call", name="source_add", arguments={"fields": arguments}, **MODERN
                )
                assert refused["isError"], refused
            await wire.send_line('{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": "canary"')
            assert await wire.end() == 0
            assert leaks_in(wire.errors(), wire.heard()) == []
    assert {code for code, value in values.items() if value is not None} == {"host", "login"}
    assert len(connector.received) == 1
    assert set(connector.received[0].values()) == set(REVEALED.values())
