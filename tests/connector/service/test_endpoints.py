"""What the endpoints answer, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bi_mcp.connector.refusal import SourceError
from bi_mcp.connector.service import questions
from tests.connector.service.serving import CONNECTION, KEY, ask, connector, refusal, shop

pytestmark = pytest.mark.anyio

ENDPOINTS = ("/check", "/tables", "/table", "/data")
ORDERS = {"table": "orders"}
WRONG = (401, "The source or the key is wrong.")


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of one connector, which keeps nothing of a request."""
    async with connector(shop()) as connected:
        yield connected


async def test_every_endpoint_answers_what_bitrix24_expects(client: httpx.AsyncClient) -> None:
    check = await ask(client, "/check")
    tables = await ask(client, "/tables")
    columns = await ask(client, "/table", ORDERS)
    rows = await ask(client, "/data", ORDERS)

    assert (check.status_code, check.json()) == (200, {"status": "ok"})
    assert tables.json() == [{"code": "orders", "title": "ORDERS"}, {"code": "empty", "title": "EMPTY"}]
    assert columns.json()[2] == {"code": "PAID", "name": "PAID", "type": "date"}
    assert (
        rows.text
        == '[["ID","NAME","PAID"],\n[1,"Ann","2025-01-31"],[2,"Bo",null],\n[3,"C\\"ora","2025-03-01"]]'
    )
    assert {one.headers["content-type"] for one in (check, tables, columns, rows)} == {"application/json"}


async def test_a_table_without_rows_is_answered_by_the_names_of_its_columns(
    client: httpx.AsyncClient,
) -> None:
    assert (await ask(client, "/data", {"table": "empty"})).json() == [["ID", "NAME", "PAID"]]


async def test_select_and_limit_reach_the_source(client: httpx.AsyncClient) -> None:
    asked = {**ORDERS, "select[0]": "NAME", "select[1]": "ID", "limit": "1"}
    assert (await ask(client, "/data", asked)).json() == [["NAME", "ID"], ["Ann", 1]]


async def test_the_list_of_tables_is_searched_in_any_case(client: httpx.AsyncClient) -> None:
    found = (await ask(client, "/tables", {"searchString": "Ord"})).json()
    assert [table["code"] for table in found] == ["orders"]


async def test_values_that_json_libraries_differ_on_are_still_json() -> None:
    source = shop(rows=((2**70, "half \ud800 of a character", None),))
    async with connector(source) as client:
        assert (await ask(client, "/data", ORDERS)).json()[1] == [2**70, "half ? of a character", None]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "shop", "key": "canary-key-of-the-shos"}, WRONG),
        ({"source": "sho", "key": KEY.reveal()}, WRONG),
        ({"source": "shop"}, (401, "The request gives no connection[source] and connection[key].")),
        ({}, (401, "The request gives no connection[source] and connection[key].")),
    ],
    ids=["wrong key", "unknown source", "no key", "nothing"],
)
async def test_every_endpoint_refuses_who_has_not_the_key_in_the_same_words(
    path: str, settings: dict[str, str], said: tuple[int, str]
) -> None:
    source = shop()
    async with connector(source) as client:
        form = {f"connection[{name}]": value for name, value in settings.items()} | ORDERS
        response = await client.post(path, data=form)
    assert (response.status_code, response.json()["error"]) == said
    assert source.answers == []


async def test_with_one_source_its_name_may_be_left_out(client: httpx.AsyncClient) -> None:
    assert (await client.post("/check", data={"connection[key]": KEY.reveal()})).status_code == 200


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/table", {}, (400, "The parameter table is missing.")),
        ("/table", {"table": "gone"}, (404, "There is no table 'gone'.")),
        ("/data", {"table": "gone"}, (404, "There is no table 'gone'.")),
        ("/data", {**ORDERS, "limit": "x"}, (400, "The limit must be a whole number of rows, not 'x'.")),
        (
            "/data",
            {**ORDERS, "filter[=GONE]": "1"},
            (400, "The filter names '=GONE', and the table has no such column."),
        ),
        (
            "/data",
            {"a[" * 30: "1"},
            (400, f"The brackets of the parameter {('a[' * 30)[:80]!r} do not match."),
        ),
        (
            "/check",
            {f"a{'[b]' * 30}": "1"},
            (400, "Parameters may nest 20 levels deep, and 'a' nests deeper."),
        ),
    ],
)
async def test_a_refusal_has_its_status_and_says_why(
    path: str, form: dict[str, str], said: tuple[int, str], client: httpx.AsyncClient
) -> None:
    assert await refusal(client, path, form) == said


async def test_a_connection_that_is_no_map_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/check", data={"connection": "shop"})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_source_that_does_not_answer_is_told_with_its_own_status(path: str) -> None:
    source = shop()
    source.fault = SourceError(503, "The database does not answer.", "secret cause")
    async with connector(source) as client:
        response = await ask(client, path, ORDERS)
    if path == "/table":
        assert response.status_code == 200
        return
    assert (response.status_code, response.json()) == (503, {"error": "The database does not answer."})


async def test_what_nobody_foresaw_is_no_business_of_the_caller() -> None:
    source = shop()
    source.fault = ZeroDivisionError("canary in a driver's text")
    async with connector(source) as client:
        response = await ask(client, "/data", ORDERS)
    assert (response.status_code, response.json()) == (
        500,
        {"error": "The connector failed. Its log says more."},
    )


async def test_only_forms_are_read(client: httpx.AsyncClient) -> None:
    response = await client.post("/check", json=CONNECTION)
    assert response.status_code == 415
    assert "application/x-www-form-urlencoded" in response.json()["error"]


async def test_a_body_beyond_the_bound_is_refused_and_one_below_is_read() -> None:
    source = shop()
    async with connector(source, body_bytes=1000) as client:
        assert (await ask(client, "/check", {"x": "y" * 2000})).status_code == 413
        assert (await ask(client, "/check", {"x": "y" * 800})).status_code == 200


async def test_nothing_becomes_of_a_body_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "parse_form", lambda _: pytest.fail("it was read"))
    async with connector(shop()) as client:
        body = {"connection[key]": "wrong", f"x{'[]' * 30}": "1"}
        assert (await client.post("/data", data=body)).status_code == 401


async def test_bodies_that_arrive_together_have_a_bound_of_their_own() -> None:
    async with connector(shop(), bodies_bytes=500) as client:
        refused = await ask(client, "/check", {"x": "y" * 600})
        assert (refused.status_code, (await ask(client, "/check")).status_code) == (503, 200)


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [("GET", "/data", 405), ("PUT", "/check", 405), ("GET", "/nothing", 404), ("POST", "/", 405)],
)
async def test_another_address_or_verb_is_refused_with_a_way_on(
    verb: str, path: str, status: int, client: httpx.AsyncClient
) -> None:
    response = await client.request(verb, path)
    assert response.status_code == status
    assert response.json() == {"error": f"{verb} {path} is not served here; open / for the four addresses."}


async def test_a_head_of_an_endpoint_is_not_allowed(client: httpx.AsyncClient) -> None:
    assert (await client.head("/data")).status_code == 405


async def test_a_person_finds_a_page_with_the_addresses_and_the_settings() -> None:
    async with connector(shop(), public_url="https://bi.example/", note="A <shop>.") as client:
        page = (await client.get("/")).text
    assert "<code>https://bi.example/data</code>" in page
    assert "A &lt;shop&gt;." in page
    assert "<code>source</code>" in page
    assert "<code>key</code>" in page


async def test_health_is_answered_without_a_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}


async def test_metrics_count_requests_rows_and_bytes() -> None:
    async with connector(shop()) as client:
        size = len((await ask(client, "/data", ORDERS)).content)
        await client.post("/data", data={"table": "orders"})
        text = (await client.get("/metrics")).text
    assert 'bi_connector_requests_total{endpoint="/data",status="200"} 1.0' in text
    assert 'bi_connector_requests_total{endpoint="/data",status="401"} 1.0' in text
    assert 'bi_connector_rows_total{source="shop"} 3.0' in text
    assert 'bi_connector_refused_total{status="401"} 1.0' in text
    assert "bi_connector_running_answers 0.0" in text
    assert float(text.split("\nbi_connector_bytes_total ")[1].split("\n")[0]) > size


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_metrics_are_not_for_those_who_come_through_a_proxy(
    client: httpx.AsyncClient, header: str
) -> None:
    assert (await client.get("/metrics", headers={header: "127.0.0.1"})).status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("bi.example", 404),
        ("[", 404),
        ("127.0.0.1.bi.example", 404),
    ],
)
async def test_metrics_are_for_those_who_call_this_machine_by_its_own_name(
    client: httpx.AsyncClient, host: str, status: int
) -> None:
    assert (await client.get("/metrics", headers={"Host": host})).status_code == status


@pytest.mark.parametrize(("readers", "status"), [("anyone", 200), ("off", 404)])
async def test_metrics_are_for_anyone_or_nobody_where_that_is_said(readers: str, status: int) -> None:
    async with connector(shop(), metrics=readers) as client:
        assert (await client.get("/metrics", headers={"Via": "a proxy"})).status_code == status


async def test_the_sources_are_closed_when_the_connector_ends() -> None:
    source = shop()
    async with connector(source) as client:
        await ask(client, "/data", ORDERS)
        before = source.closed
    assert (before, source.closed) == (False, True)
    assert [answer.closed for answer in source.answers] == [1]


async def test_a_page_is_no_answer_to_a_stranger_who_names_a_host(client: httpx.AsyncClient) -> None:
    page: httpx.Response = await client.get("/", headers={"Host": 'x"><script>'})
    assert "<script>" not in page.text
