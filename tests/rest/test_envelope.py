from __future__ import annotations

import json
import re

import pytest

from bi_mcp.errors import (
    BiMcpError,
    LimitError,
    MethodMissingError,
    NotFoundError,
    RefusedError,
    UnexpectedAnswerError,
)
from bi_mcp.rest.envelope import Timing, parse_answer
from bi_mcp.rest.kind_methods import parse_id, parse_model, parse_models, parse_true
from bi_mcp.rest.methods import method
from bi_mcp.rest.models import Connector
from bi_mcp.rest.recovery import may_have_happened
from bi_mcp.rest.retry import may_repeat

GET, ADD, UPDATE = method("connector", "get"), method("connector", "add"), method("source", "update")
ERROR = {"error": "CONNECTOR_NOT_FOUND", "error_description": "Connector was not found."}


def answered(body: object, status: int = 200) -> object:
    return parse_answer(GET, status, json.dumps(body).encode()).result


@pytest.mark.parametrize(
    "result", [True, None, 0, [], {}, {"id": 5}, {"error": None, "item": 1}, {"error": 0, "item": 1}, "text"]
)
def test_a_result_is_returned_as_it_came(result: object) -> None:
    assert answered({"result": result, "time": {"start": 1}}) == result


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_answer(GET, 200, b'\xef\xbb\xbf{"result": 1}').result == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"result": {"error": ERROR}, "time": {}}, 200),
        ({"result": ERROR, "time": {}}, 200),
        (ERROR, 200),
        ({"error": ERROR}, 200),
        (ERROR, 404),
        ({"error": ERROR}, 500),
    ],
)
def test_an_error_is_found_in_every_place(body: object, status: int) -> None:
    with pytest.raises(NotFoundError) as raised:
        answered(body, status)
    error = raised.value
    assert (error.code, error.message) == ("CONNECTOR_NOT_FOUND", "Connector was not found.")
    assert (error.method, error.status) == ("biconnector.connector.get", status)


ALL_REQUIRED = "All the fields are required."


@pytest.mark.parametrize("code", [0, "0", "", "-", None])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_refusal_without_a_code_is_one_in_every_place_and_shows_its_text(code: object, status: int) -> None:
    said = {"error": code, "error_description": ALL_REQUIRED}
    bodies: list[object] = [{"result": {"error": said}}, {"error": said}]
    if code is not None:
        bodies += [{"result": said}, said]
    for body in bodies:
        with pytest.raises(RefusedError) as raised:
            parse_answer(UPDATE, 200 if "result" in str(body)[:10] else status, json.dumps(body).encode())
        assert (raised.value.code, raised.value.message) == ("", ALL_REQUIRED)
        assert str(raised.value).startswith(f"biconnector.source.update refused. {ALL_REQUIRED} ")
        assert not may_have_happened(raised.value)
        assert not may_repeat(GET, raised.value)
        assert "proxy" not in str(raised.value)


@pytest.mark.parametrize(
    "body", [{"error": ""}, {"error": 0}, {"result": {"error": "-"}}, {"error": {"error": 0}}]
)
def test_a_refusal_that_says_nothing_is_still_one(body: object) -> None:
    with pytest.raises(RefusedError, match="does not say why"):
        answered(body)


@pytest.mark.parametrize("status", [200, 400, 500, 503])
def test_an_unknown_code_is_a_refusal_with_the_vendor_s_text_whatever_its_status(status: int) -> None:
    with pytest.raises(RefusedError, match="SOMETHING_NEW: The moon is full") as raised:
        answered({"error": "SOMETHING_NEW", "error_description": "The moon is full"}, status)
    assert not may_have_happened(raised.value)
    assert not may_repeat(GET, raised.value)


DATE = "Sun, 29 Nov 2026 05:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sun, 29 Nov 2026 05:01:30 GMT", "date": DATE}, 90.0),
        ({"retry-after": "Sun, 29 Nov 2026 04:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sun, 29 Nov 2026 05:01:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_a_page_with_429_is_a_limit_and_tells_how_long_to_wait(
    headers: dict[str, str], wait: float | None
) -> None:
    with pytest.raises(LimitError, match="Nothing happened") as raised:
        parse_answer(ADD, 429, b"<html>Too Many Requests</html>", headers)
    assert raised.value.retry_after == wait
    assert may_repeat(ADD, raised.value)
    assert not may_have_happened(raised.value)


def test_an_error_without_a_description_is_still_one() -> None:
    with pytest.raises(MethodMissingError, match="ERROR_METHOD_NOT_FOUND") as raised:
        answered({"error": "ERROR_METHOD_NOT_FOUND"}, 404)
    assert raised.value.message == ""


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        (b"", 200, "an empty body"),
        (b"  \n", 500, "an empty body"),
        (b"<html>login</html>", 200, "an HTML page"),
        (b"\n <!DOCTYPE html>", 502, "an HTML page"),
        (b'{"result": {"id": ', 200, "broken or cut-off JSON"),
        (b"[1, 2", 200, "broken or cut-off JSON"),
        (b"[" * 100_000, 200, "broken or cut-off JSON"),
        (b'{"result": "\xff"}', 200, "broken or cut-off JSON"),
        (b"Bad Gateway", 502, "plain text"),
        (b"\x89PNG", 200, "plain text"),
        (b"[]", 200, "an array where an object belongs"),
        (b"null", 200, "null where an object belongs"),
        (b"true", 200, "a boolean where an object belongs"),
        (b'"text"', 200, "a string where an object belongs"),
        (b"12", 200, "a number where an object belongs"),
        (b'{"time": {}}', 200, "a JSON object without 'result'"),
        (b'{"result": true}', 500, "HTTP 500 without an error code"),
        (b"{}", 503, "HTTP 503 without an error code"),
        (b'{"error": true}', 500, "an error without a code"),
        (b'{"result": {"error": ["CODE"]}}', 200, "an error without a code"),
    ],
)
def test_what_is_no_answer_of_the_api_is_described_and_not_repeated(
    body: bytes, status: int, what: str
) -> None:
    with pytest.raises(UnexpectedAnswerError, match=re.escape(what)) as raised:
        parse_answer(GET, status, body)
    text = str(raised.value)
    assert (raised.value.method, raised.value.status) == ("biconnector.connector.get", status)
    assert f"HTTP {status}" in text
    assert "no proxy or login page" in text
    assert "login</" not in text


def test_an_unreadable_answer_to_a_write_says_that_it_may_have_happened() -> None:
    with pytest.raises(
        UnexpectedAnswerError,
        match=r"may have been made all the same\. Look with biconnector\.connector\.list",
    ):
        parse_answer(ADD, 200, b"")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("See https://portal.example/rest/7/s3cret/m for more", "See (address) for more"),
        ("Failed.\n#0 /home/bitrix/www/rest.php(12): call()\n#1 {main}", "Failed."),
        ("x" * 5000, "x" * 500),
        (None, ""),
        (["a"], "['a']"),
    ],
)
def test_a_portals_text_is_one_line_without_addresses(said: object, shown: str) -> None:
    with pytest.raises(RefusedError) as raised:
        answered({"error": "SOME_CODE", "error_description": said}, 400)
    assert raised.value.message == shown


@pytest.mark.parametrize(("reply", "id"), [({"id": 5}, 5), ({"id": "5"}, 5), ({"id": 5, "more": 1}, 5)])
def test_an_id_may_come_as_text(reply: object, id: int) -> None:
    assert parse_id(ADD, reply) == id


@pytest.mark.parametrize(
    "reply",
    [
        None, True, [], {}, 5, "5", {"id": None}, {"id": 0}, {"id": -1}, {"id": "²"}, {"id": ""}, {"id": True},
        {"id": "9" * 5000}, {"id": [1]}, {"id": 1.5},
    ],
)  # fmt: skip
def test_what_is_no_id_is_a_clear_error(reply: object) -> None:
    with pytest.raises(UnexpectedAnswerError, match=r"unreadable in .* may have been made all the same"):
        parse_id(ADD, reply)


@pytest.mark.parametrize("reply", [True, 1, "true", "Y", "1"])
def test_a_success_is_true_in_every_spelling(reply: object) -> None:
    parse_true(ADD, reply)


@pytest.mark.parametrize("reply", [False, None, 0, "", {}, [], [True], "yes"])
def test_whatever_else_answers_a_write_is_no_success(reply: object) -> None:
    with pytest.raises(UnexpectedAnswerError, match="not the 'true' of a success"):
        parse_true(ADD, reply)


@pytest.mark.parametrize("reply", [None, {"id": 5}, "text", True, 5])
def test_what_is_no_list_is_a_clear_error(reply: object) -> None:
    with pytest.raises(UnexpectedAnswerError, match="not an array of objects"):
        parse_models(GET, Connector, reply)


@pytest.mark.parametrize(
    ("reply", "where"),
    [
        (None, "the object"),
        ([], "the object"),
        ({"title": "secret-title"}, "id"),
        ({"id": "secret-five", "sort": {}}, "id, sort"),
        ({"id": 5, "settings": [{"name": "secret-name"}]}, "settings.0.code"),
    ],
)
def test_an_object_that_cannot_be_read_names_its_fields_and_not_their_values(
    reply: object, where: str
) -> None:
    with pytest.raises(UnexpectedAnswerError, match=f"unreadable in {where},") as raised:
        parse_model(GET, Connector, reply)
    error: BiMcpError = raised.value
    assert "secret" not in str(error)
    assert error.__suppress_context__


def timed(block: object) -> Timing:
    body = {"result": True, "time": block}
    return parse_answer(GET, 200, json.dumps(body).encode()).timing


def test_the_run_time_comes_with_the_answer_where_the_portal_tells_it() -> None:
    assert timed({"operating": 12.5, "operating_reset_at": 1700000000}) == Timing(12.5, 1700000000.0)
    assert timed({"operating": "12.5"}) == Timing(12.5, None)
    blocks: list[object] = [{}, [], None, {"operating": "soon", "operating_reset_at": None}]
    for silent in blocks:
        assert timed(silent) == Timing()


def test_a_method_without_run_time_left_says_when_it_starts_anew() -> None:
    body = {
        "error": "OPERATION_TIME_LIMIT",
        "error_description": "x",
        "time": {"operating_reset_at": 1700000000},
    }
    with pytest.raises(LimitError) as raised:
        parse_answer(GET, 429, json.dumps(body).encode())
    assert raised.value.retry_at == 1700000000
    assert raised.value.without([]).retry_at == 1700000000
