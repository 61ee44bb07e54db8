"""Clients of other SDKs sign in by themselves, each with its own OAuth, and use the server as the person who signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.clients.clients import CLIENTS, RealClient, played
from tests.clients.journey import Call, Complete, Read, Step, confirmed
from tests.practice.portal.serving import served
from tests.server.http.sign_in.hosting import ANNA, Hosted, agree, hosting
from tests.server.talking import connector_fields

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("foreign clients and checkers")]

# mcpdo has no provider that another program could play.
CASES = [
    pytest.param(client, era, marks=client.needs, id=f"{client.name}-{era}")
    for client in CLIENTS
    if client.name != "mcpdo"
    for era in client.eras
]
WORK: list[Step] = [
    Call("portal_status"),
    Call("connector_add", {"fields": connector_fields("Anna's")}, {"connector": "id"}),
    Call("connector_list"),
    Read("bi://connector/$connector"),
    Complete("bi://connector/{id}", "id", "$connector"),
    Call("connector_update", {"id": "$connector", "fields": {"title": "Still Anna's"}}),
    Call("history_list"),
    *confirmed("connector_delete", id="$connector"),
    Call("connector_add", {"fields": connector_fields("What is left")}),
]


@asynccontextmanager
async def browsing(hosted: Hosted) -> AsyncIterator[str]:
    """The browser of Anna, for a program: it takes an address, follows the pages, and says where it ended."""

    async def open_and_agree(request: Request) -> PlainTextResponse:
        browser = hosted.browser()
        page = await browser.open((await request.body()).decode())
        ended = await agree(browser, page, ANNA)
        return PlainTextResponse(ended.address)

    async with served(Starlette(routes=[Route("/", open_and_agree, methods=["POST"])])) as address:
        yield f"http://{address}/"


@pytest.mark.parametrize(("client", "era"), CASES)
async def test_a_real_client_signs_in_and_works_as_its_person(
    client: RealClient, era: str, tmp_path: Path
) -> None:
    async with hosting(tmp_path / "server") as hosted, browsing(hosted) as browser:
        server = {"url": f"{hosted.origin}/mcp", "browser": browser}
        report = await played(client, era, server, tmp_path, WORK)
        assert report["protocol"] == client.eras[era]
        assert report["called"] == [step.tool for step in WORK if isinstance(step, Call)]
        [person] = await hosted.sign_ins[0].clients.people()
        assert (person.user_id, person.name) == (ANNA.id, ANNA.full_name)
        [connected] = await hosted.sign_ins[0].clients.of(person)
        assert connected.scopes == ("bi:read", "bi:write")
    # What is left in the portal was made as Anna.
    assert created_by(hosted) == [ANNA.id]


def created_by(hosted: Hosted) -> list[int]:
    with hosted.portal.app.state.database.snapshot() as connection:
        return [row["createdById"] for row in connection.execute("SELECT createdById FROM connectors")]
