from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from bi_mcp.practice.portal.answers import SystemFault
from bi_mcp.practice.portal.database import Database
from bi_mcp.practice.portal.identity import Caller
from bi_mcp.practice.portal.oauth import IssuedTokenStore, Lifetimes, RegisteredApplication
from bi_mcp.practice.portal.oauth_routes import oauth_routes
from bi_mcp.practice.portal.users import PortalUser, PortalUsers

pytestmark = pytest.mark.anyio

HANDLER = "http://127.0.0.1:8765/callback?from=portal"
NAME = 'Ann\'s <b>"BI"</b>'


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> IssuedTokenStore:
    return IssuedTokenStore(Database(":memory:"), clock)


@pytest.fixture
def application(store: IssuedTokenStore) -> RegisteredApplication:
    return store.register(NAME, HANDLER)


@pytest.fixture
async def browser(store: IssuedTokenStore) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(
        Starlette(routes=oauth_routes(store, PortalUsers([PortalUser(id=7, name="Anna")])))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test:8080") as client:
        yield client


def grant_of(application: RegisteredApplication, **grant: str) -> dict[str, str]:
    kind = "refresh_token" if "refresh_token" in grant else "authorization_code"
    return {
        "grant_type": kind,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        **grant,
    }


@contextmanager
def refused(status: int, code: str) -> Iterator[None]:
    with pytest.raises(SystemFault) as refusal:
        yield
    assert (refusal.value.status, refusal.value.code) == (status, code)


def ticket_in(page: httpx.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None
    return unescape(found[1])


async def allowed(
    browser: httpx.AsyncClient, application: RegisteredApplication, state: str
) -> httpx.Response:
    asked = {"client_id": application.client_id, "state": state}
    page = await browser.get("/oauth/authorize/", params=asked)
    form = {**asked, "ticket": ticket_in(page), "decision": "allow"}
    return await browser.post("/oauth/authorize/", data=form)


async def test_a_person_allows_and_the_application_gets_tokens_that_work(
    browser: httpx.AsyncClient, store: IssuedTokenStore, application: RegisteredApplication, clock: Clock
) -> None:
    returned = await allowed(browser, application, "s&t=1")
    assert returned.status_code == 302
    address = urlsplit(returned.headers["location"])
    assert address[:3] == ("http", "127.0.0.1:8765", "/callback")
    back = {name: values[0] for name, values in parse_qs(address.query).items()}
    code = back.pop("code")
    assert back == {
        "from": "portal",
        "state": "s&t=1",
        "domain": "portal.test:8080",
        "member_id": store.member_id,
        "scope": "biconnector",
        "server_domain": "portal.test:8080",
    }
    answer = await browser.get("/oauth/token/", params=grant_of(application, code=code))
    tokens = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert store.caller_of(tokens.pop("access_token")) == Caller(
        application.client_id, 7, webhook=False, scopes=frozenset({"biconnector"})
    )
    assert tokens.pop("refresh_token")
    assert tokens == {
        "expires": int(clock.now) + 3600,
        "expires_in": 3600,
        "client_endpoint": "http://portal.test:8080/rest/",
        "server_endpoint": "http://portal.test:8080/rest/",
        "domain": "portal.test:8080",
        "member_id": store.member_id,
        "scope": "biconnector",
        "status": "L",
        "user_id": 7,
    }


async def test_the_page_names_the_application_and_runs_nothing_from_its_name(
    browser: httpx.AsyncClient, application: RegisteredApplication
) -> None:
    asked = {"client_id": application.client_id, "state": '"><script>'}
    page = await browser.get("/oauth/authorize/", params=asked)
    assert NAME in unescape(page.text)
    assert "<b>" not in page.text
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_deny_stays_on_the_page(browser: httpx.AsyncClient, application: RegisteredApplication) -> None:
    page = await browser.get("/oauth/authorize/", params={"client_id": application.client_id})
    form = {"client_id": application.client_id, "ticket": ticket_in(page), "decision": "deny"}
    answer = await browser.post("/oauth/authorize/", data=form)
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert "not granted" in answer.text


async def test_an_unknown_application_is_told_to_the_person_only(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/oauth/authorize/", params={"client_id": "local.none", "state": "x"})
    assert answer.status_code == 404
    assert "Unknown application" in answer.text


async def test_a_form_of_another_site_grants_nothing(
    browser: httpx.AsyncClient, application: RegisteredApplication
) -> None:
    form = {"client_id": application.client_id, "decision": "allow", "ticket": ""}
    assert (await browser.post("/oauth/authorize/", data=form)).status_code == 400
    await browser.get("/oauth/authorize/", params={"client_id": application.client_id})
    forged = {**form, "ticket": "guessed"}
    assert (await browser.post("/oauth/authorize/", data=forged)).status_code == 400


async def test_tokens_come_for_a_form_post_too(
    browser: httpx.AsyncClient, store: IssuedTokenStore, application: RegisteredApplication
) -> None:
    grant = grant_of(application, code=store.authorise(application, 7))
    answer = await browser.post("/oauth/token/", data=grant)
    assert answer.json()["user_id"] == 7


async def test_a_refused_exchange_answers_json_with_its_status(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/oauth/token/", params={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "grant_type" in answer.json()["error_description"]


async def test_a_person_registers_an_application_on_a_page(
    browser: httpx.AsyncClient, store: IssuedTokenStore
) -> None:
    page = await browser.get("/oauth/applications")
    form = {"title": "By hand", "handler": HANDLER, "ticket": ticket_in(page)}
    answer = await browser.post("/oauth/applications", data=form)
    [registered] = store.applications()
    assert (registered.title, registered.handler) == ("By hand", HANDLER)
    assert registered.client_id.startswith("local.")
    assert registered.client_secret in answer.text


@pytest.mark.parametrize(
    "change", [{"title": " "}, {"handler": "javascript:alert(1)"}, {"handler": "callback"}, {"ticket": "x"}]
)
async def test_a_registration_with_a_bad_entry_registers_nothing(
    browser: httpx.AsyncClient, store: IssuedTokenStore, change: dict[str, str]
) -> None:
    page = await browser.get("/oauth/applications")
    form = {"title": "By hand", "handler": HANDLER, "ticket": ticket_in(page), **change}
    assert (await browser.post("/oauth/applications", data=form)).status_code == 400
    assert store.applications() == []


async def test_other_machines_do_not_see_the_cards(
    store: IssuedTokenStore, application: RegisteredApplication
) -> None:
    transport = httpx.ASGITransport(
        Starlette(routes=oauth_routes(store, PortalUsers())), client=("192.0.2.1", 1)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as stranger:
        answer = await stranger.get("/oauth/applications")
    assert answer.status_code == 403
    assert application.client_secret not in answer.text


def test_a_code_works_once_and_for_thirty_seconds(
    store: IssuedTokenStore, application: RegisteredApplication, clock: Clock
) -> None:
    code, late = store.authorise(application, 7), store.authorise(application, 7)
    clock.now += 29
    store.exchange(grant_of(application, code=code))
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(application, code=code))
    clock.now += 1
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(application, code=late))


def test_a_refresh_replaces_the_refresh_token_and_the_old_one_dies_at_once(
    store: IssuedTokenStore, application: RegisteredApplication
) -> None:
    first = store.issue(application, 7)
    second = store.exchange(grant_of(application, refresh_token=str(first["refresh_token"])))
    assert second["refresh_token"] != first["refresh_token"]
    assert second["user_id"] == 7
    assert store.caller_of(str(first["access_token"])) == store.caller_of(str(second["access_token"]))
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(application, refresh_token=str(first["refresh_token"])))
    store.exchange(grant_of(application, refresh_token=str(second["refresh_token"])))


def test_an_access_token_expires_after_an_hour_and_a_refresh_token_after_half_a_year(
    store: IssuedTokenStore, application: RegisteredApplication, clock: Clock
) -> None:
    tokens = store.issue(application, 7)
    clock.now += 3599
    assert store.caller_of(str(tokens["access_token"])).user_id == 7
    clock.now += 1
    with refused(401, "expired_token"):
        store.caller_of(str(tokens["access_token"]))
    clock.now += 180 * 24 * 3600
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(application, refresh_token=str(tokens["refresh_token"])))


def test_an_unknown_token_is_invalid_and_not_expired(store: IssuedTokenStore) -> None:
    with refused(401, "invalid_token"):
        store.caller_of("unknown")


def test_lifetimes_are_settable(clock: Clock) -> None:
    store = IssuedTokenStore(Database(":memory:"), clock, Lifetimes(access=5))
    tokens = store.issue(store.register("Short", HANDLER), 7)
    assert tokens["expires_in"] == 5
    clock.now += 5
    with refused(401, "expired_token"):
        store.caller_of(str(tokens["access_token"]))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"grant_type": "password"}, 400, "invalid_request"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"code": ""}, 400, "invalid_request"),
        ({"client_id": "local.none"}, 400, "invalid_client"),
        ({"client_secret": "wrong"}, 400, "invalid_client"),
        ({"code": "wrong"}, 400, "invalid_grant"),
        ({"scope": "biconnector,crm"}, 403, "invalid_scope"),
    ],
)
def test_a_bad_exchange_has_its_own_error_and_costs_no_code(
    store: IssuedTokenStore,
    application: RegisteredApplication,
    change: dict[str, str],
    status: int,
    code: str,
) -> None:
    grant = grant_of(application, code=store.authorise(application, 7))
    with refused(status, code):
        store.exchange({**grant, **change})
    assert store.exchange({**grant, "scope": "biconnector"})["user_id"] == 7


def test_a_grant_of_another_application_is_worth_nothing(
    store: IssuedTokenStore, application: RegisteredApplication
) -> None:
    other = store.register("Other", HANDLER)
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(other, code=store.authorise(application, 7)))
    tokens = store.issue(application, 7)
    with refused(400, "invalid_grant"):
        store.exchange(grant_of(other, refresh_token=str(tokens["refresh_token"])))


def test_a_portal_whose_plan_ran_out_exchanges_nothing(
    store: IssuedTokenStore, application: RegisteredApplication
) -> None:
    grant = grant_of(application, code=store.authorise(application, 7))
    store.payment_required = True
    with refused(401, "PAYMENT_REQUIRED"):
        store.exchange(grant)
    store.payment_required = False
    assert store.exchange(grant)["user_id"] == 7


def test_a_card_can_be_given_and_changed(store: IssuedTokenStore) -> None:
    store.register("Old", HANDLER, client_id="local.demo", client_secret="s3cret")
    changed = store.register(
        "New", HANDLER, scope="biconnector,user", client_id="local.demo", client_secret="s3cret"
    )
    assert store.application("local.demo") == changed
    tokens = store.issue(changed, 7)
    assert store.caller_of(str(tokens["access_token"])).scopes == {"biconnector", "user"}
    assert "s3cret" not in repr(changed)


def test_of_many_servers_on_one_file_exactly_one_gives_tokens_for_a_grant(
    tmp_path: Path, clock: Clock
) -> None:
    servers = [IssuedTokenStore(Database(str(tmp_path / "portal.db")), clock) for _ in range(8)]
    application = servers[0].register("Shared", HANDLER)
    grant = grant_of(application, refresh_token=str(servers[0].issue(application, 7)["refresh_token"]))

    def exchanged(server: IssuedTokenStore) -> bool:
        try:
            server.exchange(grant)
        except SystemFault:
            return False
        return True

    with ThreadPoolExecutor(len(servers)) as threads:
        assert sum(threads.map(exchanged, servers)) == 1
    assert len({server.member_id for server in servers}) == 1
