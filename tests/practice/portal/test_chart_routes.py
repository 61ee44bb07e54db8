"""`POST /practice/charts`: the same charts for whoever has an access token."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.practice.portal.calling import TOKEN
from tests.practice.portal.charting import ChartPortal, chart_portal

pytestmark = pytest.mark.anyio


async def post(portal: ChartPortal, **body: object) -> httpx.Response:
    return await portal.caller.http.post(
        "http://portal.localhost/practice/charts",
        content=json.dumps(body),
        headers={"content-type": "application/json"},
    )


async def test_a_chart_is_opened_with_the_token_of_the_rest_api() -> None:
    async with chart_portal() as portal:
        answer = await post(
            portal,
            auth=TOKEN,
            dataset="orders",
            columns=["CARRIER", "DELAY"],
            dates={"from": "2025-12-01", "to": "2025-12-31"},
            where=[
                {"column": "DELAY", "operator": "between", "values": [1, 5]},
                [
                    {"column": "CARRIER", "operator": "one of", "values": ["UA"], "exclude": True},
                    {"column": "CARRIER", "operator": "empty"},
                ],
            ],
            limit=10,
        )
    assert answer.status_code == 200
    assert answer.json() == {
        "columns": ["CARRIER", "DELAY"],
        "rows": [["UA", 5]],
        "notes": [],
        "failure": None,
        "sent": {
            "table": "flights",
            "select[0]": "CARRIER",
            "select[1]": "DELAY",
            "filter[>=DAY]": "01.12.2025",
            "filter[<=DAY]": "31.12.2025 23:59:59",
            "filter[0][LOGIC]": "OR",
            "filter[0][0][><DELAY][0]": "1",
            "filter[0][0][><DELAY][1]": "5",
            "filter[1][LOGIC]": "OR",
            "filter[1][0][!=CARRIER][0]": "UA",
            "filter[1][1][=CARRIER]": "0",
            "limit": "10",
            "mapFields[airline]": "CARRIER",
            "mapFields[dep_delay]": "DELAY",
        },
        "status": 200,
        "answer": portal.recorder.body.decode(),
    }


async def test_an_empty_chart_says_why() -> None:
    async with chart_portal() as portal:
        portal.recorder.status = 500
        body = (await post(portal, auth=TOKEN, dataset=portal.dataset)).json()
    assert (body["columns"], body["rows"], body["status"]) == ([], [], 500)
    assert body["failure"] == {
        "kind": "status",
        "reason": "The connector answered HTTP 500. The portal takes HTTP 200 alone and cannot connect.",
        "values": {"status": 500},
    }


@pytest.mark.parametrize(
    ("auth", "status", "code"),
    [(None, 401, "NO_AUTH_FOUND"), ("wrong", 401, "invalid_token"), ({"a": 1}, 401, "NO_AUTH_FOUND")],
)
async def test_without_a_token_nothing_is_opened(auth: object, status: int, code: str) -> None:
    async with chart_portal() as portal:
        answer = await post(portal, auth=auth, dataset=portal.dataset)
    assert (answer.status_code, answer.json()["error"], portal.recorder.forms) == (status, code, [])


async def test_a_token_needs_the_scope_and_sees_the_datasets_of_its_application_alone() -> None:
    async with chart_portal() as portal:
        tokens = portal.app.state.tokens
        other = tokens.issue(tokens.register("Other", "https://other.example/"), 5)["access_token"]
        answer = await post(portal, auth=other, dataset=portal.dataset)
    assert (answer.status_code, answer.json()["error"]) == (404, "DATASET_NOT_FOUND")
    assert portal.recorder.forms == []


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, "dataset must be the id or the name"),
        ({"dataset": True}, "dataset must be the id or the name"),
        ({"columns": "DELAY"}, "columns must be a list"),
        ({"columns": [True]}, "columns must be a list of texts or numbers"),
        ({"columns": ["\ud800"]}, "half of a surrogate pair"),
        ({"limit": 0}, "limit must be a whole number"),
        ({"limit": "ten"}, "limit must be a whole number"),
        ({"dates": {}}, 'dates must be an object with "from"'),
        ({"dates": {"from": "31.12.2025"}}, "days such as 2025-12-31"),
        ({"dates": {"to": "2025-12-31 10:00:00"}}, "days such as 2025-12-31"),
        ({"where": 5}, "where must be a list"),
        ({"where": [[]]}, "one condition at least"),
        ({"where": ["DELAY > 5"]}, "operator must be one of one of, contains"),
        ({"where": [{"column": "DELAY", "operator": "regex"}]}, "not 'regex'"),
        ({"where": [{"operator": "empty"}]}, "needs a column"),
        ({"where": [{"column": "DELAY", "operator": "empty", "exclude": "perhaps"}]}, "true or false"),
    ],
)
async def test_a_question_that_cannot_be_read_is_refused(question: dict[str, Any], said: str) -> None:
    async with chart_portal() as portal:
        given = {"dataset": portal.dataset, **question} if question else {}
        answer = await post(portal, auth=TOKEN, **given)
    assert (answer.status_code, answer.json()["error"]) == (400, "CHART_QUESTION")
    assert said in answer.json()["error_description"]
