"""Over HTTP each call is its caller's: what one person plans, previews, exports, watches or may see is nothing to another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.server.auth.provider import AccessToken
from mcp.types import ResourceTemplateReference

from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.auth.caller import Caller
from bi_mcp.auth.person import Person
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from bi_mcp.server.callers import caller_of
from tests.app.sign_in.people import PeoplesPortal, peoples_portal, sign_in, sign_ins_to
from tests.server.conftest import Era
from tests.server.http.people import CLIENT, PersonalToken, hosted_for
from tests.server.http.serving import HELLO, LIMIT_S, client, http_client
from tests.server.talking import Talk
from tests.server.test_subscriptions import Watcher

pytestmark = pytest.mark.anyio

ANNA, BORIS, CLARA = "token-of-anna", "token-of-boris", "token-of-clara"


class Office:
    """Anna and Boris of one portal, Clara of another, and the server that all of them use."""

    def __init__(self, address: str, portals: tuple[PeoplesPortal, PeoplesPortal]) -> None:
        self.address = address
        self.portal, self.other_portal = portals

    @asynccontextmanager
    async def talks(self, era: Era, *tokens: str, **options: Any) -> AsyncIterator[list[Talk]]:
        async with AsyncExitStack() as stack:
            yield [
                Talk(await stack.enter_async_context(client(self.address, token, era, **options)))
                for token in tokens
            ]


async def everybody(sign_ins: SignIns, portals: tuple[PeoplesPortal, PeoplesPortal]) -> dict[str, Person]:
    first, second = portals
    return {
        ANNA: await sign_in(sign_ins, first, 7),
        BORIS: await sign_in(sign_ins, first, 8),
        CLARA: await sign_in(sign_ins, second, 7),
    }


@pytest.fixture
async def portals() -> AsyncIterator[tuple[PeoplesPortal, PeoplesPortal]]:
    async with peoples_portal() as first, peoples_portal() as second:
        yield first, second


@pytest.fixture
async def office(
    portals: tuple[PeoplesPortal, PeoplesPortal],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Office]:
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")
    sign_ins = sign_ins_to(*portals)
    server = build_server(Settings(configuration_folder=tmp_path), sign_ins=sign_ins)
    replicated = getattr(request, "param", "alone") == "replicated"
    people = await everybody(sign_ins, portals)
    async with hosted_for(people, server, replicated=replicated) as address:
        yield Office(address, portals)


async def test_plans_exports_and_confirmations_are_their_owners(office: Office, era: Era) -> None:
    async with office.talks(era, ANNA, BORIS, CLARA) as (anna, boris, clara):
        connector = await anna.add_connector()
        exported = (await anna.done("workspace_export"))["setup"]
        renamed = exported.replace("title: Sample", "title: Renamed")
        plans = [await talk.done("workspace_plan", setup=renamed) for talk in (anna, boris)]
        # The mark in an export says whose objects it holds: a changed title is no new object, for Anna.
        assert [plan["changes"][0]["action"] for plan in plans] == ["update", "create"]
        for other in (boris, clara):
            refusal = await other.refused("workspace_apply", token=plans[0]["token"])
            assert "there is no plan with this token" in refusal
        assert (await anna.done("workspace_apply", token=plans[0]["token"]))["complete"]

        confirm = await anna.preview("connector_delete", id=connector)
        refusal = await boris.refused("connector_delete", id=connector, confirm=confirm)
        assert "not the token of a preview" in refusal
        await anna.done("connector_delete", id=connector, confirm=confirm)


async def test_what_a_portal_shows_is_shown_to_its_own_people(office: Office, era: Era) -> None:
    async with office.talks(era, ANNA, CLARA) as (anna, clara):
        connector = await anna.add_connector("Seen by Anna")
        uri = f"bi://connector/{connector}"
        assert "Seen by Anna" in await anna.read(uri)
        with pytest.raises(MCPError) as hidden:
            await clara.read(uri)
        assert "Seen by Anna" not in str(hidden.value)
        assert "Seen by Anna" not in str(await clara.done("connector_list"))
        assert "connector_add" in await anna.read("bi://history")
        assert "connector_add" not in await clara.read("bi://history")
        offered = [await offered_to(talk, "Seen") for talk in (anna, clara)]
        assert offered == [[str(connector)], []]
        title = (await anna.done("portal_status"))["portal"]
        assert office.other_portal.address not in str(title)


async def offered_to(talk: Talk, typed: str) -> list[str]:
    reference = ResourceTemplateReference(type="ref/resource", uri="bi://connector/{id}")
    answer = await talk.client.complete(reference, {"name": "id", "value": typed})
    return answer.completion.values


@pytest.mark.parametrize("office", ["alone", "replicated"], indirect=True)
async def test_calls_at_once_are_made_with_their_callers_own_token(office: Office, era: Era) -> None:
    async with office.talks(era, ANNA, BORIS) as talks, anyio.create_task_group() as group:
        for _ in range(6):
            for name, talk in zip(("Anna", "Boris"), talks, strict=True):
                group.start_soon(talk.add_connector, f"of {name}")
                group.start_soon(talk.done, "portal_map")
    used = [
        {token for token, body in office.portal.sent if f"of {name}" in body} for name in ("Anna", "Boris")
    ]
    assert [len(tokens) for tokens in used] == [1, 1]
    assert used[0] | used[1] == office.portal.tokens
    assert len(office.portal.tokens) == 2
    assert office.portal.cookies == []


@pytest.mark.parametrize("watching_era", ["auto", "legacy"])
async def test_what_a_person_changes_only_their_own_clients_are_told(
    office: Office, era: Era, watching_era: Era
) -> None:
    watchers = {token: Watcher(watching_era) for token in (ANNA, BORIS)}
    async with AsyncExitStack() as stack:
        [anna, boris] = await stack.enter_async_context(office.talks(era, ANNA, BORIS))
        connector = await anna.add_connector()
        for token, watcher in watchers.items():
            stack.callback(watcher.close)
            watched = await stack.enter_async_context(
                client(office.address, token, watching_era, message_handler=watcher.on_message)
            )
            await stack.enter_async_context(watcher.watching(watched, f"bi://connector/{connector}"))
        await boris.done("connector_update", id=connector, fields={"description": "by Boris"})
        assert await watchers[BORIS].told() == f"bi://connector/{connector}"
        await anna.done("connector_update", id=connector, fields={"description": "by Anna"})
        assert await watchers[ANNA].told() == f"bi://connector/{connector}"
        assert all(watcher.nothing_more() for watcher in watchers.values())


async def test_one_person_cannot_take_all_streams(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bi_mcp.server.subscriptions.MOST_STREAMS_PER_PERSON", 1)
    async with office.talks("auto", ANNA, BORIS) as (anna, boris):
        async with listening(anna):
            with pytest.raises(MCPError, match="1 streams are open"):
                async with listening(anna):
                    pytest.fail("a second stream was opened")
            async with listening(boris):
                pass
        # The place of a stream that ended becomes free, as soon as the server has noticed.
        opened = False
        with anyio.fail_after(LIMIT_S):
            while not opened:
                with suppress(MCPError):
                    async with listening(anna):
                        opened = True


def listening(talk: Talk) -> AbstractAsyncContextManager[object]:
    return talk.client.listen(resource_subscriptions=["bi://connector/1"])


async def test_a_session_serves_the_person_who_opened_it(office: Office) -> None:
    async with http_client(office.address, ANNA) as anna, http_client(office.address, BORIS) as boris:
        opened = await anna.post("/mcp", json=HELLO)
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
        assert (await boris.post("/mcp", json=call, headers=session)).status_code == 404
        assert (await boris.delete("/mcp", headers=session)).status_code == 404
        async with boris.stream("GET", "/mcp", headers=session) as events:
            assert events.status_code == 404
        assert (await anna.post("/mcp", json=call, headers=session)).status_code == 200


async def test_the_description_of_the_server_is_the_same_for_all(office: Office, era: Era) -> None:
    async with office.talks(era, ANNA, CLARA) as (anna, clara):
        instructions = anna.client.instructions
        assert instructions is not None
        assert instructions == clara.client.instructions
        assert "the Bitrix24 of the user, who signed in there" in instructions
        for hidden in (office.portal.address, "Person", "bi-mcp secret set"):
            assert hidden not in instructions
        tools = [tool.input_schema["properties"] for tool in (await anna.client.list_tools()).tools]
        assert not any("portal" in properties for properties in tools)


async def test_the_operators_secrets_are_no_ones(office: Office, era: Era) -> None:
    async with office.talks(era, ANNA) as (anna,):
        connector = await anna.add_connector()
        settings = {"login": "demo", "password": {"env": "BI_MCP_SECRET_SAMPLE"}}
        fields = {"title": "Flights", "connectorId": connector, "settings": settings}
        assert "belong to its operator" in await anna.refused("source_add", fields=fields)


async def test_without_a_person_nothing_is_served(
    portals: tuple[PeoplesPortal, PeoplesPortal], era: Era
) -> None:
    server = build_server(Settings(), sign_ins=sign_ins_to(*portals))
    async with Client(server, mode=era) as nobody:
        talk = Talk(nobody)
        assert "Nobody is signed in" in await talk.refused("connector_list")
        assert "they disconnect this server, connect it again" in await talk.refused("portal_map")
        with pytest.raises(MCPError, match="Nobody is signed in"):
            await talk.read("bi://connector/1")
        assert await offered_to(talk, "7") == []


@pytest.mark.parametrize(
    ("token", "caller"),
    [
        (
            AccessToken(token="-", client_id="bearer-token", scopes=[]),
            Caller(client="bearer-token"),
        ),
        (
            AccessToken(token="-", client_id="acme-desktop", scopes=[], subject="u-7"),
            Caller(client="acme-desktop", subject="u-7"),
        ),
        (
            PersonalToken(
                token="-",
                client_id=CLIENT,
                scopes=[],
                subject="mark",
                person=Person(portal="https://acme.bitrix24.com", user_id=7),
                client_name="Claude",
            ),
            Caller(client="Claude", person=Person(portal="https://acme.bitrix24.com", user_id=7)),
        ),
    ],
)
def test_a_caller_is_known_by_the_token(token: AccessToken, caller: Caller) -> None:
    assert caller_of(token) == caller
