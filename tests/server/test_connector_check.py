"""connector_check of services that answer by turns, and of a new address with the values that the portal holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bi_mcp.practice import sample
from tests.practice.portal.serving import served
from tests.server.talking import Talk, text_of

pytestmark = pytest.mark.anyio

URLS = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}


@asynccontextmanager
async def a_flaky_shop(received: list[str]) -> AsyncIterator[dict[str, str]]:
    """A connector whose urlData fails every fourth time; it keeps the passwords that it was sent."""
    calls = count(1)

    async def check(request: Request) -> Response:
        received.append(str((await request.form()).get("connection[password]")))
        return PlainTextResponse("ok")

    async def tables(_: Request) -> Response:
        return JSONResponse([{"code": "orders", "title": "Orders"}])

    async def description(_: Request) -> Response:
        return JSONResponse([{"code": "id", "name": "id", "type": "int"}])

    async def data(_: Request) -> Response:
        if next(calls) % 4 == 0:
            return PlainTextResponse("too many connections", 500)
        return JSONResponse([["id"], [1]])

    paths = {"urlCheck": check, "urlTableList": tables, "urlTableDescription": description, "urlData": data}
    routes = [Route(f"/{name}", endpoint, methods=["POST"]) for name, endpoint in paths.items()]
    async with served(Starlette(routes=routes)) as address:
        yield {name: f"http://{address}/{name}" for name in paths}


async def test_a_service_that_fails_now_and_then_is_told_with_its_rate(talk: Talk) -> None:
    async with a_flaky_shop([]) as urls:
        result = await talk.call("connector_check", urls=urls, repeat=8)
    report = result.structured_content
    assert report is not None
    first = text_of(result).splitlines()[0]
    assert "urlData answered 6 of 8." in first
    assert "urlTableList answered 8 of 8." in first
    assert "calls, rates of 8, in " in first
    assert [facts.get("failure") for facts in report["endpoints"]] == [None, None, None, "HTTP 500"]
    [finding] = [each for each in report["findings"] if each["code"] == "answers_at_a_rate"]
    assert finding["where"] == "urlData"
    assert "2 × HTTP 500" in finding["what"]
    assert "answers_by_turns" not in [each["code"] for each in report["findings"]]


async def test_a_steady_service_answers_every_time(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    report = await talk.done("connector_check", source=source, table="airlines", repeat=3)
    assert [facts["rate"] for facts in report["endpoints"]] == ["3 of 3"] * 4
    assert report["verdict"] == "ok", report["findings"]
    assert "less than or equal to 20" in await talk.refused("connector_check", source=source, repeat=21)


async def test_a_private_address_is_no_fault_where_the_portal_has_one_too(talk: Talk) -> None:
    async with a_flaky_shop([]) as urls:
        result = await talk.call("connector_check", urls={"urlCheck": urls["urlCheck"]}, quick=True)
    report = result.structured_content
    assert report is not None
    assert report["verdict"] == "ok"
    assert report["findings"] == []
    assert "urlCheck: the values are accepted." in text_of(result)


async def test_a_new_address_is_tried_with_the_values_of_a_source_once_that_is_confirmed(talk: Talk) -> None:
    received: list[str] = []
    source = await talk.add_source(await talk.add_connector())
    async with a_flaky_shop(received) as urls:
        moved = {"urlCheck": urls["urlCheck"]}
        asked = await talk.done("connector_check", source=source, urls=moved, quick=True)
        assert received == []
        assert "login, password" in asked["preview"]["text"]
        assert "epends on it" not in asked["preview"]["text"]
        assert urls["urlCheck"].split("/")[2] in asked["preview"]["text"]
        other = {"urlCheck": "https://elsewhere.example/check"}
        await talk.refused(
            "connector_check", source=source, urls=other, quick=True, confirm=asked["preview"]["confirm"]
        )
        report = await talk.done(
            "connector_check", source=source, urls=moved, quick=True, confirm=asked["preview"]["confirm"]
        )
    assert "demo-password" in received
    assert [facts["endpoint"] for facts in report["endpoints"]] == list(URLS)
    assert (await talk.done("source_get", id=source))["item"]["id"] == source


async def test_a_trial_names_all_that_it_sends_and_its_token_holds_for_nothing_else(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_TRIED", "tried-password")
    received: list[str] = []
    source = await talk.add_source(await talk.add_connector())
    async with a_flaky_shop(received) as urls:
        trial: dict[str, Any] = {
            "source": source,
            "urls": {"urlCheck": urls["urlCheck"]},
            "settings": {"login": "ann", "password": {"env": "BI_MCP_SECRET_TRIED"}},
            "quick": True,
        }
        asked = await talk.done("connector_check", **trial)
        assert set(asked) == {"preview", "notice"}
        told = asked["preview"]["text"]
        assert 'passed with this call: login: "ann", password: env "BI_MCP_SECRET_TRIED"' in told
        assert "held by the source" not in told
        assert "()" not in told
        assert "Secret by their names: password." in told
        token = asked["preview"]["confirm"]
        for other in (
            {"settings": trial["settings"] | {"login": "bob"}},
            {"settings": trial["settings"] | {"password": {"env": "BI_MCP_SECRET_OTHER"}}},
            {"settings": {"login": "ann"}},
            {"repeat": 20},
            {"table": "orders"},
            {"quick": False},
        ):
            await talk.refused("connector_check", **(trial | other), confirm=token)
        assert received == []
        await talk.done("connector_check", **trial, confirm=token)
    assert "tried-password" in received


async def test_another_path_of_the_same_host_is_tried_without_a_question(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    urls = {"urlData": f"{URLS['urlData']}?version=2"}
    report = await talk.done("connector_check", source=source, urls=urls, quick=True, table="airlines")
    assert report["verdict"] in {"ok", "error"}
    assert "preview" not in report
