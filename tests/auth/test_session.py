from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.types import Receive, Scope, Send

from bi_mcp.auth.profiles import Profile, change_profiles, keep_member, load_profiles, move_profile
from bi_mcp.auth.session import StoredWebhook, TokenSession, open_session
from bi_mcp.auth.session_login import login_of_profile
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Grant, Token
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, InvalidRequestError, UnreachableError
from bi_mcp.rest import AccessToken, BIConnector, Webhook
from bi_mcp.rest.transport import HttpTransport
from tests.auth.portal import ADDRESS, HOUR, NAME, Clock, LoginPortal, profile, stored
from tests.door import at_server

pytestmark = pytest.mark.anyio


class Full(FileTokenStore):
    """A store whose disk is full from some moment on."""

    def __init__(self, folder: Path, full: Callable[[], bool]) -> None:
        super().__init__(folder)
        self._full = full

    def _write(self, profile: str, document: Mapping[str, object]) -> None:
        if self._full():
            raise AuthorisationError("the disk is full", code="STORE_FAILED")
        super()._write(profile, document)


async def kept(store: FileTokenStore) -> Grant:
    grant = await store.load(NAME)
    assert isinstance(grant, Grant)
    return grant


async def test_a_token_that_has_not_expired_is_used_without_asking_anyone(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grant = portal.grant(clock())
    session = portal.session(await stored(tmp_path, grant), clock)
    clock.now += HOUR - 1
    assert await session.current() == AccessToken(grant.token.access_token)
    assert portal.app.answered == []


async def test_who_logged_in_is_known_from_the_first_call_on(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grant = portal.grant(clock())
    known = replace(grant, token=replace(grant.token, user_id=7))
    session = portal.session(await stored(tmp_path, known), clock)
    assert session.user_id is None
    await session.current()
    assert session.user_id == 7


async def test_a_token_whose_stored_expiry_has_passed_is_refreshed_once_and_stored_before_it_is_used(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    before = portal.grant(clock())
    store = await stored(tmp_path, before)
    session = portal.session(store, clock)
    clock.now += HOUR
    used = await session.current()
    after = await kept(store)
    assert used == AccessToken(after.token.access_token) != AccessToken(before.token.access_token)
    assert after.token.refresh_token != before.token.refresh_token
    assert after.token.expires_at == clock.now + HOUR
    assert await session.current() == used
    assert portal.app.answered == [("refresh_token", 200)]


async def test_the_new_token_is_in_the_store_before_the_caller_has_it(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    await stored(tmp_path, portal.grant(clock()))
    session = portal.session(Full(tmp_path, lambda: portal.refreshes > 0), clock)
    clock.now += HOUR
    with pytest.raises(AuthorisationError, match="the disk is full"):
        await session.current()


async def test_a_store_that_fails_after_the_portal_answered_costs_no_login(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    await stored(tmp_path, portal.grant(clock()))
    is_full = True
    store = Full(tmp_path, lambda: is_full and portal.refreshes > 0)
    session = portal.session(store, clock)
    clock.now += HOUR
    for _ in range(2):
        with pytest.raises(AuthorisationError, match="the disk is full"):
            await session.current()
    is_full = False
    assert portal.accepts((await session.current()).token)
    assert portal.accepts((await kept(store)).token.access_token)
    assert portal.app.answered == [("refresh_token", 200)]


def placed(grant: Grant, host: str) -> Grant:
    return replace(grant, token=replace(grant.token, client_endpoint=f"https://{host}/rest/"))


class Renamed:
    """An OAuth server whose portal has another address from now on."""

    def __init__(self, portal: LoginPortal, clock: Clock, host: str) -> None:
        self._portal, self._clock, self._host = portal, clock, host

    async def refresh(self, _application: object, _token: Secret) -> Token:
        return placed(self._portal.grant(self._clock()), self._host).token


@pytest.mark.parametrize(
    ("before", "after", "followed"),
    [
        ("acme.bitrix24.com", "new.bitrix24.com", "https://new.bitrix24.com"),
        ("acme.bitrix24.com", "ACME.bitrix24.com", None),
        ("acme.bitrix24.com", "user:x@new.bitrix24.com", None),
    ],
)
async def test_a_renewal_that_names_another_address_is_followed_and_the_profile_keeps_up(
    portal: LoginPortal, clock: Clock, tmp_path: Path, before: str, after: str, followed: str | None
) -> None:
    change_profiles(tmp_path, lambda known: known.with_profile(profile()))
    store = await stored(tmp_path, placed(portal.grant(clock()), before))
    renamed: Any = Renamed(portal, clock, after)
    session = TokenSession(
        login_of_profile(profile(), moved=partial(move_profile, tmp_path, NAME)), store, renamed, clock
    )
    other = TokenSession(login_of_profile(profile()), FileTokenStore(tmp_path), renamed, clock)
    old = await session.current()
    assert await other.current() == old
    clock.now += HOUR

    assert (await session.current()).portal_url == followed
    # A process that did not ask itself learns it from the store.
    assert (await other.current()).portal_url == followed
    assert load_profiles(tmp_path).choose(NAME).portal_url == (followed or profile().portal_url)


async def test_a_renewal_tells_an_older_profile_whose_portal_it_is(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    change_profiles(tmp_path, lambda known: known.with_profile(profile()))
    grant = portal.grant(clock())
    store = await stored(tmp_path, grant)
    renewing: Any = Renamed(portal, clock, "acme.bitrix24.com")
    identified = partial(keep_member, tmp_path, NAME)
    session = TokenSession(login_of_profile(profile(), identified=identified), store, renewing, clock)
    await session.current()
    clock.now += HOUR
    await session.current()
    assert load_profiles(tmp_path).choose(NAME).member_id == grant.token.member_id != ""


async def test_calls_go_to_the_new_address(portal: LoginPortal, clock: Clock, tmp_path: Path) -> None:
    store = await stored(tmp_path, placed(portal.grant(clock()), "acme.bitrix24.com"))
    renamed: Any = Renamed(portal, clock, "new.bitrix24.com")
    hosts: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        hosts.append(dict(scope["headers"])[b"host"].decode())
        await portal.app(scope, receive, send)

    session = TokenSession(login_of_profile(profile()), store, renamed, clock)
    transport = HttpTransport("https://acme.bitrix24.com", session, app=app)
    async with BIConnector(transport) as bi:
        await bi.connectors.list_page()
        clock.now += HOUR
        await bi.connectors.list_page()
    assert hosts == ["acme.bitrix24.com", "new.bitrix24.com"]


async def test_a_store_that_cannot_save_costs_no_refresh_token(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = await stored(tmp_path, portal.grant(clock()))
    clock.now += HOUR
    with pytest.raises(AuthorisationError, match="the disk is full"):
        await portal.session(Full(tmp_path, lambda: True), clock).current()
    assert portal.app.answered == []
    assert portal.accepts((await portal.session(store, clock).current()).token)


async def test_many_tasks_share_one_refresh(portal: LoginPortal, clock: Clock, tmp_path: Path) -> None:
    session = portal.session(await stored(tmp_path, portal.grant(clock())), clock)
    clock.now += HOUR
    used: list[AccessToken] = []

    async def use() -> None:
        used.append(await session.current())

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(use)
    assert used == [used[0]] * 20
    assert portal.app.answered == [("refresh_token", 200)]


async def test_sessions_that_share_a_store_share_one_refresh(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = await stored(tmp_path, portal.grant(clock()))
    sessions = [portal.session(FileTokenStore(tmp_path), clock) for _ in range(8)]
    old = [await session.current() for session in sessions]
    async with anyio.create_task_group() as group:
        for session, rejected in zip(sessions, old, strict=True):
            group.start_soon(session.renew, rejected)
    token = (await kept(store)).token.access_token
    assert [await session.current() for session in sessions] == [AccessToken(token)] * 8
    assert portal.app.answered == [("refresh_token", 200)]


async def test_a_token_that_another_has_replaced_since_is_not_refreshed_again(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    session = portal.session(await stored(tmp_path, portal.grant(clock())), clock)
    old = await session.current()
    new = await session.renew(old)
    assert await session.renew(old) == new
    assert portal.refreshes == 1


async def test_a_call_that_the_portal_calls_expired_is_sent_again_with_the_new_token(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    # Our clock stands still: only the portal knows that an hour has passed.
    ours = Clock(clock.now)
    session = portal.session(await stored(tmp_path, portal.grant(ours())), ours)
    clock.now += HOUR
    async with portal.bi(session) as bi:
        page = await bi.connectors.list_page()
    assert page.items == []
    assert portal.refreshes == 1


@pytest.mark.parametrize("off", [600, -600, 30 * HOUR, -30 * HOUR], ids="{:+d} s".format)
@pytest.mark.parametrize("lifetime", [HOUR, 300], ids="tokens of {} s".format)
async def test_a_clock_that_is_wrong_costs_no_refresh(
    portal: LoginPortal, clock: Clock, tmp_path: Path, off: int, lifetime: int
) -> None:
    portal.tokens.lifetimes = type(portal.tokens.lifetimes)(access=lifetime)
    session = portal.session(await stored(tmp_path, portal.grant(clock() + off)), lambda: clock() + off)
    async with portal.bi(session) as bi:
        for _ in range(12):
            await bi.connectors.list_page()
            clock.now += lifetime / 4
    # 12 quarters: the token ended after 4 and after 8 of them.
    assert portal.refreshes == 2


@pytest.mark.parametrize("jump", [600, -600], ids="{:+d} s".format)
async def test_a_clock_that_jumps_costs_at_most_one_refresh_and_no_call(
    portal: LoginPortal, clock: Clock, tmp_path: Path, jump: int
) -> None:
    ours = Clock(clock.now)
    session = portal.session(await stored(tmp_path, portal.grant(ours())), ours)
    clock.now += HOUR - 300
    ours.now = clock.now + jump
    async with portal.bi(session) as bi:
        for _ in range(20):
            await bi.connectors.list_page()
        assert portal.refreshes == (1 if jump > 0 else 0)
        clock.now += 300
        ours.now += 300
        for _ in range(20):
            await bi.connectors.list_page()
    assert portal.refreshes == 1


async def test_an_answer_without_a_lifetime_does_not_make_every_call_a_refresh(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    portal.tokens.lifetimes = type(portal.tokens.lifetimes)(access=0)
    session = portal.session(await stored(tmp_path, portal.grant(clock())), clock)
    for _ in range(5):
        await session.current()
    assert portal.refreshes == 0


async def test_a_refused_refresh_says_what_to_do_and_is_asked_once_only(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grant = portal.grant(clock())
    store = await stored(tmp_path, grant)
    session = portal.session(store, clock)
    await portal.session(await stored(tmp_path / "copy", grant), clock).renew(await session.current())
    clock.now += HOUR
    for _ in range(3):
        with pytest.raises(AuthorisationError, match="Log in to the portal") as refused:
            await session.current()
        assert refused.value.code == "invalid_grant"
        assert at_server(refused.value).endswith(f"Run `bi-mcp login {ADDRESS} --name acme`.")
        assert grant.token.refresh_token.reveal() not in str(refused.value)
    assert portal.app.answered == [("refresh_token", 200), ("refresh_token", 400)]
    # The next login is used without a restart.
    await store.save(NAME, portal.grant(clock()))
    assert portal.accepts((await session.current()).token)


async def test_a_plan_that_ran_out_keeps_the_login(portal: LoginPortal, clock: Clock, tmp_path: Path) -> None:
    session = portal.session(await stored(tmp_path, portal.grant(clock())), clock)
    clock.now += HOUR
    portal.tokens.payment_required = True
    with pytest.raises(AuthorisationError, match=r"plan has run out.*Renew it") as refused:
        await session.current()
    assert refused.value.code == "PAYMENT_REQUIRED"
    portal.tokens.payment_required = False
    assert portal.accepts((await session.current()).token)


async def test_a_renewal_that_has_begun_is_finished_though_its_call_is_cancelled(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = await stored(tmp_path, portal.grant(clock()))
    session = portal.session(store, clock)
    clock.now += HOUR
    inner = portal.app.app
    with anyio.CancelScope() as call:

        async def cancel_meanwhile(scope: object, receive: object, send: object) -> None:
            call.cancel()
            await inner(scope, receive, send)  # type: ignore[arg-type]  # handed on as it came

        portal.app.app = cancel_meanwhile
        await session.current()
        await anyio.lowlevel.checkpoint()
    assert call.cancelled_caught
    portal.app.app = inner
    assert portal.accepts((await kept(store)).token.access_token)
    assert portal.accepts((await session.current()).token)
    assert portal.refreshes == 1


async def test_no_network_costs_no_refresh_token(portal: LoginPortal, clock: Clock, tmp_path: Path) -> None:
    session = portal.session(await stored(tmp_path, portal.grant(clock())), clock)
    clock.now += HOUR
    inner = portal.app.app

    async def gone(*_: object) -> None:
        raise OSError("cut")

    portal.app.app = gone
    with pytest.raises(OSError, match="cut"):
        await session.current()
    portal.app.app = inner
    assert portal.accepts((await session.current()).token)


async def test_a_server_that_is_not_there_is_an_error_without_an_address(
    clock: Clock, tmp_path: Path
) -> None:
    portal = LoginPortal(clock)
    # Nothing listens on the discard port of loopback.
    await stored(tmp_path, portal.grant(clock() - HOUR, "http://127.0.0.1:9"))
    session = open_session(profile("http://127.0.0.1:9"), tmp_path, clock=clock)
    with pytest.raises(
        UnreachableError, match=r"OAuth server of the portal gave no answer \(ConnectError\)"
    ) as error:
        await session.current()
    assert not error.value.may_have_happened
    assert portal.card.client_secret not in str(error.value)


async def test_who_is_not_logged_in_is_told_the_command(clock: Clock, tmp_path: Path) -> None:
    for used in (profile(), Profile(name="hook", portal_url=ADDRESS, kind="webhook")):
        with pytest.raises(AuthorisationError, match="is not logged in") as error:
            await open_session(used, tmp_path, clock=clock).current()
        assert error.value.advice == (used.advise_login(),)


async def test_a_login_that_ended_meanwhile_is_not_brought_back(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = await stored(tmp_path, portal.grant(clock()))
    session = portal.session(store, clock)
    await session.current()
    await store.delete(NAME)
    clock.now += HOUR
    with pytest.raises(AuthorisationError, match="not logged in"):
        await session.current()
    assert await store.load(NAME) is None


async def test_a_new_login_with_another_application_is_renewed_as_that_application(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = await stored(tmp_path, portal.grant(clock()))
    session = portal.session(store, clock)
    await session.current()
    portal.card = portal.tokens.register("Another", "http://127.0.0.1:8776/")
    await store.save(NAME, portal.grant(clock()))
    clock.now += HOUR
    await session.current()
    assert (await kept(store)).application == portal.application()
    assert portal.app.answered == [("refresh_token", 200)]


async def test_a_webhook_profile_reads_fields_and_says_what_it_cannot_do(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path)
    await store.save("hook", Webhook(Secret("7/webhook-canary")))
    session = open_session(Profile(name="hook", portal_url=ADDRESS, kind="webhook"), tmp_path)
    assert isinstance(session, StoredWebhook)
    webhook = await session.current()
    assert webhook == Webhook(Secret("7/webhook-canary"))
    async with BIConnector(HttpTransport(ADDRESS, session)) as bi:
        with pytest.raises(InvalidRequestError, match="webhook may call only the"):
            await bi.connectors.list_page()
