"""How a call may be written, and what its answer looks like."""

from __future__ import annotations

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from tests.practice.portal.calling import NOON, TOKEN, WEBHOOK, Caller, Clock, Portal, a_portal, add_connector

pytestmark = pytest.mark.anyio

FIELDS = "biconnector.connector.fields"
GET = "biconnector.connector.get"


async def test_the_answer_carries_its_result_and_its_time(tables: Portal) -> None:
    body = (await tables.caller.post(FIELDS)).json()

    assert set(body) == {"result", "time"}
    assert body["time"] == {
        "start": NOON,
        "finish": NOON,
        "duration": 0.0,
        "processing": 0.0,
        "date_start": "2023-11-14T22:13:20+00:00",
        "date_finish": "2023-11-14T22:13:20+00:00",
        "operating_reset_at": int(NOON) // 60 * 60 + 600,
        "operating": 0.0,
    }


async def test_json_form_and_query_and_any_mixture_of_them_say_the_same(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller)
    http = tables.caller.http
    answers = [
        await http.post(GET, json={"auth": TOKEN, "id": connector_id}),
        await http.post(GET, data={"auth": TOKEN, "id": str(connector_id)}),
        await http.post(GET, params={"auth": TOKEN, "id": str(connector_id)}),
        await http.post(GET, params={"auth": TOKEN}, json={"id": connector_id}),
        await http.post(GET, params={"id": str(connector_id)}, data={"auth": TOKEN}),
        await http.get(GET, params={"auth": TOKEN, "id": str(connector_id)}),
        await http.get(f"{GET}.json", params={"auth": TOKEN, "id": str(connector_id)}),
        await http.post(f"{GET}.json", json={"auth": TOKEN, "id": str(connector_id)}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 8
    assert [answer.json()["result"]["item"]["id"] for answer in answers] == [connector_id] * 8


async def test_the_body_wins_over_the_query(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller)
    answer = await tables.caller.http.post(
        GET, params={"id": "999"}, json={"auth": TOKEN, "id": connector_id}
    )

    assert answer.json()["result"]["item"]["id"] == connector_id


async def test_a_form_expresses_nested_fields_with_brackets(tables: Portal) -> None:
    form = {
        "auth": TOKEN,
        "fields[title]": "By form",
        "fields[logo]": "l",
        "fields[sort]": "5",
        "fields[urlCheck]": "u",
        "fields[urlTableList]": "u",
        "fields[urlTableDescription]": "u",
        "fields[urlData]": "u",
        "fields[settings][0][code]": "login",
        "fields[settings][0][name]": "Login",
        "fields[settings][0][type]": "STRING",
    }
    answer = await tables.caller.http.post("biconnector.connector.add", data=form)
    item = (await tables.caller.result(GET, id=answer.json()["result"]["id"]))["item"]

    assert (item["title"], item["sort"]) == ("By form", 5)
    assert item["settings"] == [{"code": "login", "name": "Login", "type": "STRING"}]


async def test_a_form_cannot_express_support_mapping(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller)
    form = {"auth": TOKEN, "id": str(connector_id), "fields[supportMapping]": "true"}
    answer = await tables.caller.http.post("biconnector.connector.update", data=form)

    assert answer.json()["result"]["error"] == {
        "error": "VALIDATION_INVALID_FIELD_TYPE",
        "error_description": 'Field "supportMapping" must be of type boolean.',
    }


@pytest.mark.parametrize("body", ["", "{", "[1]", "null", "[" * 100_000])
async def test_a_body_that_is_no_json_object_counts_as_empty(tables: Portal, body: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await tables.caller.http.post(f"{WEBHOOK}/{FIELDS}", content=body, headers=headers)

    assert answer.status_code == 200
    assert answer.json()["result"]["fields"]


@pytest.mark.parametrize(
    ("auth", "status", "code"),
    [
        ({}, 401, "NO_AUTH_FOUND"),
        ({"auth": ""}, 401, "NO_AUTH_FOUND"),
        ({"auth": 5}, 401, "NO_AUTH_FOUND"),
        ({"auth": "unknown"}, 401, "invalid_token"),
    ],
)
async def test_a_call_without_a_good_token_is_refused_at_the_root(
    tables: Portal, auth: dict[str, object], status: int, code: str
) -> None:
    answer = await tables.caller.http.post(FIELDS, json=auth)

    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) == {"error", "error_description"}


async def test_an_issued_token_expires(tables: Portal) -> None:
    other = tables.other_application()
    assert await other.result("biconnector.connector.list") == []
    tables.clock.now += 3600
    answer = await other.post("biconnector.connector.list")

    assert (answer.status_code, answer.json()["error"]) == (401, "expired_token")


async def test_a_token_without_the_scope_reaches_no_method_of_the_module(tables: Portal) -> None:
    store = tables.app.state.tokens
    issued = store.issue(store.register("Other", "https://other.example/", scope="crm"), 5)
    answer = await tables.caller.http.post(FIELDS, json={"auth": issued["access_token"]})

    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("method", ["biconnector.connector.copy", "crm.deal.list", "batched"])
async def test_an_unknown_method_is_not_found(tables: Portal, method: str) -> None:
    answer = await tables.caller.post(method)

    assert (answer.status_code, answer.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


async def test_a_webhook_reaches_the_field_descriptions_and_nothing_else(tables: Portal) -> None:
    module = [name for name in tables.app.state.portal.methods if name.startswith("biconnector.")]
    open_methods = set()
    for method in module:
        answer = await tables.caller.http.post(f"{WEBHOOK}/{method}.json", json={"id": 1})
        error = answer.json()["result"].get("error")
        if error is None:
            open_methods.add(method)
        else:
            assert error == {"error": "ACCESS_DENIED", "error_description": "Access denied."}

    assert open_methods == {
        f"biconnector.{group}.fields" for group in ("connector", "source", "dataset", "table")
    }


@pytest.mark.parametrize("path", ["7/wrong", "8/fixed-secret", "x/fixed-secret"])
async def test_a_wrong_webhook_is_refused(tables: Portal, path: str) -> None:
    answer = await tables.caller.http.post(f"{path}/{FIELDS}")

    assert (answer.status_code, answer.json()["error"]) == (403, "INVALID_CREDENTIALS")


async def test_errors_of_the_module_stand_inside_the_result() -> None:
    async with a_portal() as portal:
        answer = await portal.caller.post(GET, id=5)

    assert answer.status_code == 200
    assert answer.json()["result"] == {
        "error": {"error": "CONNECTOR_NOT_FOUND", "error_description": "Connector was not found."}
    }
    assert "time" in answer.json()


async def test_errors_of_the_module_stand_at_the_root_by_setting() -> None:
    async with a_portal(errors="root") as portal:
        answer = await portal.caller.post(GET, id=5)

    assert answer.status_code == 200
    assert answer.json() == {
        "error": "CONNECTOR_NOT_FOUND",
        "error_description": "Connector was not found.",
    }


async def test_a_failure_of_the_portal_itself_shows_nothing_of_its_inside(
    tables: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    tables.app.state.database.close()
    answer = await tables.caller.post(GET, id=5)

    assert answer.status_code == 500
    assert answer.json() == {
        "error": "INTERNAL_SERVER_ERROR",
        "error_description": "Internal server error",
    }
    assert "The practice portal failed" in caplog.text


async def test_the_number_of_methods_depends_on_the_generation(tables: Portal, classic: Portal) -> None:
    def module(portal: Portal) -> set[str]:
        return {name for name in portal.app.state.portal.methods if name.startswith("biconnector.")}

    assert (len(module(classic)), len(module(tables))) == (19, 26)
    assert {name.split(".")[1] for name in module(tables) - module(classic)} == {"table"}


async def test_a_batch_runs_commands_that_build_on_each_other(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller)
    source = f"fields[title]=S&fields[connectorId]={connector_id}&fields[settings][login]=ann"
    answer = await tables.caller.result(
        "batch",
        cmd={
            "source": f"biconnector.source.add?{source}",
            "read": "biconnector.source.get?id=$result[source][id]",
            "missing": "biconnector.source.get?id=99",
            "unknown": "biconnector.source.copy",
        },
    )

    assert answer["result"]["read"]["item"]["connection"]["title"] == "S"
    assert answer["result"]["missing"]["error"]["error"] == "SOURCE_NOT_FOUND"
    assert answer["result_error"]["unknown"]["error"] == "ERROR_METHOD_NOT_FOUND"


async def test_too_many_requests_from_one_address_are_refused_until_the_bucket_drains() -> None:
    clock = Clock()
    settings = LocalPortalSettings(limits="standard", access_token=Secret(TOKEN))
    transport = httpx.ASGITransport(app=create_app(settings, clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        caller = Caller(http)
        statuses = [(await caller.post("scope")).status_code for _ in range(51)]
        clock.now += 10
        later = await caller.post("scope")

    assert statuses == [200] * 50 + [503]
    assert later.status_code == 200


async def test_a_method_that_used_up_its_run_time_is_blocked_and_does_not_say_until_when() -> None:
    clock = Clock()
    settings = LocalPortalSettings(limits="standard", access_token=Secret(TOKEN))
    app = create_app(settings, clock=clock)
    app.state.portal.limits.after("scope", 481, clock.now)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        blocked = await Caller(http).post("scope")
        free = await Caller(http).post("profile")

    assert (blocked.status_code, blocked.json()["error"]) == (429, "OPERATION_TIME_LIMIT")
    assert "time" not in blocked.json()
    assert free.status_code == 200


async def test_system_methods_say_who_and_where_the_caller_is(tables: Portal) -> None:
    assert await tables.caller.result("scope") == ["biconnector"]
    assert (await tables.caller.result("app.info"))["CODE"] == "local.embedded"
    assert (await tables.caller.result("profile"))["ID"] == "1"
    assert await tables.caller.result("server.time") == "2023-11-14T22:13:20+00:00"


async def test_the_factory_is_configured_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_ACCESS_TOKEN", "from-environment")
    monkeypatch.setenv("BI_MCP_PORTAL_GENERATION", "classic")
    monkeypatch.delenv("BI_MCP_PORTAL_DB", raising=False)
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost") as http:
        known = await http.post("/rest/scope", json={"auth": "from-environment"})
        unknown = await http.post("/rest/biconnector.table.list", json={"auth": "from-environment"})

    assert (known.status_code, unknown.status_code) == (200, 404)
