"""The four endpoints over the data that comes with the package."""

from __future__ import annotations

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.columns import ColumnNames, TableColumn
from bi_mcp.practice.sample import ENDPOINTS, ORIGIN, create_app
from tests.practice.sample.calls import DEMO_CONNECTION, Form, call, error, rows

pytestmark = pytest.mark.anyio


async def test_the_check_answers_a_body_when_login_and_password_are_right(demo: httpx.AsyncClient) -> None:
    response = await call(demo, ENDPOINTS["urlCheck"])

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize("path", ENDPOINTS.values())
@pytest.mark.parametrize(
    "form",
    [
        {"connection[login]": "demo", "connection[password]": "wrong"},
        {"connection[login]": "someone", "connection[password]": "demo-password"},
        {"connection[login]": "demo"},
        {},
    ],
    ids=["wrong password", "wrong login", "no password", "no connection"],
)
async def test_every_endpoint_asks_for_login_and_password(
    demo: httpx.AsyncClient, path: str, form: dict[str, str]
) -> None:
    response = await demo.post(path, data=form or {"table": "flights"})

    assert response.status_code == 401
    assert "login" in response.json()["error"]


async def test_a_password_given_at_start_replaces_the_one_of_the_demo() -> None:
    app = create_app(login="analyst", password=Secret("s3cret"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        mine = {"connection[login]": "analyst", "connection[password]": "s3cret"}

        assert (await client.post("/check", data=mine)).status_code == 200
        assert (await client.post("/check", data=DEMO_CONNECTION)).status_code == 401


async def test_the_table_list_names_every_table(demo: httpx.AsyncClient) -> None:
    assert (await call(demo, "/tables")).json() == [
        {"code": "airlines", "title": "Airlines"},
        {"code": "airports", "title": "Airports"},
        {"code": "flights", "title": "Flights"},
        {"code": "weather", "title": "Weather"},
    ]


async def test_the_table_list_searches_in_codes_and_titles_whatever_their_case(
    demo: httpx.AsyncClient,
) -> None:
    found = (await call(demo, "/tables", {"searchString": "AIR"})).json()

    assert [table["code"] for table in found] == ["airlines", "airports"]
    assert (await call(demo, "/tables", {"searchString": "nothing like it"})).json() == []


async def test_the_description_of_flights_has_all_five_types(demo: httpx.AsyncClient) -> None:
    described = (await call(demo, "/table", {"table": "flights"})).json()

    assert {column["code"]: column["type"] for column in described} == {
        "FLIGHT_DATE": "date",
        "SCHEDULED_DEPARTURE": "datetime",
        "ACTUAL_DEPARTURE": "datetime",
        "CARRIER": "string",
        "FLIGHT_NUMBER": "int",
        "TAIL_NUMBER": "string",
        "ORIGIN": "string",
        "DESTINATION": "string",
        "DEPARTURE_DELAY": "int",
        "ARRIVAL_DELAY": "int",
        "AIR_TIME": "int",
        "DISTANCE": "int",
        "TEMPERATURE": "double",
    }
    assert described[5] == {"code": "TAIL_NUMBER", "name": "TAIL_NUMBER", "type": "string"}


@pytest.mark.parametrize("path", ["/table", "/data"])
async def test_an_unknown_table_is_not_found_and_a_missing_one_asked_for(
    demo: httpx.AsyncClient, path: str
) -> None:
    assert await error(demo, path, {"table": "fligths"}) == (404, "There is no table 'fligths'.")
    assert await error(demo, path) == (400, "The parameter table is missing.")


async def test_without_select_filter_and_limit_the_data_is_the_whole_table(demo: httpx.AsyncClient) -> None:
    answer = (await call(demo, "/data", {"table": "flights"})).json()

    assert len(answer) == 1 + 2699
    assert answer[0][:4] == ["FLIGHT_DATE", "SCHEDULED_DEPARTURE", "ACTUAL_DEPARTURE", "CARRIER"]
    assert answer[1] == [
        *("2013-01-01", "2013-01-01 05:15:00", "2013-01-01 05:17:00", "UA", 1545, "N14228", "EWR", "IAH"),
        *(2, 11, 227, 1400, 3.9),
    ]


async def test_a_missing_value_is_null(demo: httpx.AsyncClient) -> None:
    form: Form = {
        "filter[FLIGHT_NUMBER]": "1925",
        "filter[FLIGHT_DATE]": "2013-01-01",
        "select[]": ["ACTUAL_DEPARTURE"],
    }

    assert await rows(demo, "flights", form) == [[None]]


async def test_select_chooses_columns_and_their_order(demo: httpx.AsyncClient) -> None:
    form = {"table": "airports", "select[0]": "STATE", "select[1]": "CODE", "limit": "1"}

    assert (await call(demo, "/data", form)).json() == [["STATE", "CODE"], ["NY", "ALB"]]


async def test_mapped_names_work_in_select_and_filter_and_the_header_keeps_the_codes(
    demo: httpx.AsyncClient,
) -> None:
    names = {"mapFields[CODE]": "IATA", "mapFields[CITY]": "TOWN"}
    form: Form = {"table": "airports", **names, "select[]": ["TOWN"], "filter[=IATA]": "ALB"}

    assert (await call(demo, "/data", form)).json() == [["CITY"], ["Albany"]]


async def test_where_a_mapped_name_is_also_the_code_of_another_column_the_name_counts(
    demo: httpx.AsyncClient,
) -> None:
    swapped = {"mapFields[CODE]": "CITY", "mapFields[CITY]": "CODE"}
    form = {"table": "airports", **swapped, "filter[=CITY]": "ALB", "select[0]": "CODE"}

    assert (await call(demo, "/data", form)).json() == [["CITY"], ["Albany"]]


@pytest.mark.parametrize("name", ["city", "City", "CITY"])
async def test_without_mapped_names_a_name_is_its_code_in_any_case_and_the_header_says_it_as_asked(
    demo: httpx.AsyncClient, name: str
) -> None:
    form = {"table": "airports", "select[0]": name, f"filter[0][0][={name}][0]": "Albany"}

    assert (await call(demo, "/data", form)).json() == [[name], ["Albany"]]


async def test_a_column_that_is_selected_twice_is_answered_once(demo: httpx.AsyncClient) -> None:
    form: Form = {"table": "airports", "select[]": ["CITY", "CODE", "city"], "limit": "1"}

    assert (await call(demo, "/data", form)).json() == [["CITY", "CODE"], ["Albany", "ALB"]]


def test_codes_that_differ_in_case_only_are_found_by_themselves_alone() -> None:
    names = ColumnNames(
        [TableColumn("Città", "string"), TableColumn("CITTÀ", "string"), TableColumn("id", "int")], {}
    )

    assert names.find_in_any_case("Città") == TableColumn("Città", "string")
    assert names.find_in_any_case("città") is None
    assert names.find_in_any_case("ID") == TableColumn("id", "int")


async def test_a_mapping_for_a_column_that_is_gone_does_no_harm(demo: httpx.AsyncClient) -> None:
    assert len(await rows(demo, "airlines", {"mapFields[alliance]": "ALLIANCE"})) == 16


@pytest.mark.parametrize(("limit", "count"), [("0", 0), ("3", 3), ("999999999999", 16), ("", 16)])
async def test_limit_bounds_the_rows_below_the_header(
    demo: httpx.AsyncClient, limit: str, count: int
) -> None:
    assert len(await rows(demo, "airlines", {"limit": limit})) == count


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"limit": "-1"}, "The limit must be a whole number of rows, not '-1'."),
        ({"limit": "ten"}, "The limit must be a whole number of rows, not 'ten'."),
        ({"select[]": ["NAME", "alliance"]}, "The table 'airlines' has no column 'alliance' to select."),
        ({"select": "name"}, "The parameter select must use brackets, as in select[…]=…."),
        ({"filter": "name"}, "The parameter filter must use brackets, as in filter[…]=…."),
        ({"select[0][x]": "name"}, "The parameter select takes a list of column names."),
        ({"limit[]": ["1"]}, "The parameter limit takes one value."),
        ({"filter[x": "1"}, "The brackets of the parameter 'filter[x' do not match."),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]], sentence: str
) -> None:
    assert await error(demo, "/data", {"table": "airlines", **form}) == (400, sentence)


async def test_only_form_bodies_are_read(demo: httpx.AsyncClient) -> None:
    response = await demo.post("/check", json={"connection": {"login": "demo", "password": "demo-password"}})

    assert response.status_code == 415
    assert "application/x-www-form-urlencoded" in response.json()["error"]


async def test_an_oversized_body_is_refused(demo: httpx.AsyncClient) -> None:
    status, sentence = await error(demo, "/check", {"padding": "x" * 4_000_000})

    assert (status, sentence) == (413, "A request may hold 4000000 bytes at most.")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/data", 405), ("POST", "/rows", 404)])
async def test_other_addresses_answer_json_too(
    demo: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await demo.request(method, path)

    assert response.status_code == status
    assert response.json()["error"].startswith(f"{method} {path} is not served here")


async def test_a_person_who_opens_the_connector_reads_the_addresses_and_settings(
    demo: httpx.AsyncClient,
) -> None:
    response = await demo.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for path in ENDPOINTS.values():
        assert f"<code>{ORIGIN}{path}</code>" in response.text
    assert "<code>login</code><td>STRING" in response.text
    assert "<code>password</code><td>STRING" in response.text
    assert "demo-password" in response.text
