"""The login of a person: only that person's tokens are used, and its end is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.auth.session import TokenSession
from bi_mcp.auth.session_login import PersonalLogin
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Application, Grant, Token
from bi_mcp.errors import AuthorisationError, UnreachableError
from bi_mcp.rest import AccessToken
from tests.auth.portal import HOUR, NAME, USER, Clock, LoginPortal, stored

pytestmark = pytest.mark.anyio


@dataclass
class Server:
    """An OAuth server that answers every renewal with this, or refuses it so."""

    answer: Token | AuthorisationError
    asked: list[Application] = field(default_factory=list)

    async def refresh(self, application: Application, _token: object) -> Token:
        self.asked.append(application)
        if isinstance(self.answer, AuthorisationError):
            raise self.answer
        return self.answer


class Person:
    """A person's session, and how often the end of the login was told."""

    def __init__(self, store: FileTokenStore, server: Server, clock: Clock) -> None:
        client: Any = server
        self.ends = 0
        self.says: int | Exception = USER
        login = PersonalLogin(
            name=NAME,
            missing=lambda: AuthorisationError("not signed in", code="NOT_LOGGED_IN"),
            user_id=USER,
            application=lambda stored: replace(stored, client_id="configured last"),
            whose=self._whose,
            ended=self._end,
        )
        self.session = TokenSession(login, store, client, clock)
        self._store = store

    async def _whose(self, _token: AccessToken) -> int:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def _end(self) -> None:
        # Signing out takes the lock, too.
        async with self._store.lock(NAME):
            self.ends += 1


@pytest.fixture
def grant(portal: LoginPortal, clock: Clock) -> Grant:
    return portal.grant(clock())


def refusal(code: str) -> AuthorisationError:
    return AuthorisationError(code, code=code)


async def test_a_renewal_asks_for_the_application_that_is_configured(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    server = Server(portal.grant(clock() + HOUR).token)
    person = Person(await stored(tmp_path, grant), server, clock)
    clock.now += HOUR
    assert await person.session.current() == AccessToken(server.answer.access_token)  # type: ignore[union-attr]  # it is a token
    assert [application.client_id for application in server.asked] == ["configured last"]
    assert (person.session.user_id, person.ends) == (USER, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"user_id": USER + 1}, "OTHER_USER"), ({"member_id": "another portal's"}, "OTHER_PORTAL")],
)
async def test_a_renewal_that_is_somebody_elses_is_not_used_and_ends_the_login(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    store = await stored(tmp_path, grant)
    server = Server(replace(portal.grant(clock()).token, expires_at=clock() + 2 * HOUR, **changes))
    person = Person(store, server, clock)
    clock.now += HOUR
    for _ in range(2):
        with pytest.raises(AuthorisationError, match="It was not used") as refused:
            await person.session.current()
        assert refused.value.code == code
    # Asked once: the vendor blocks applications that ask too often.
    assert (len(server.asked), person.ends) == (1, 2)
    kept = await store.load(NAME)
    assert isinstance(kept, Grant)
    assert kept.token == grant.token


@pytest.mark.parametrize("unknown", ["before", "now"])
async def test_a_login_that_names_no_portal_is_nobody_elses(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path, unknown: str
) -> None:
    nowhere = replace(grant.token, member_id="", user_id=None)
    renewed = portal.grant(clock() + HOUR).token
    before, now = (nowhere, renewed) if unknown == "before" else (grant.token, replace(renewed, member_id=""))
    person = Person(await stored(tmp_path, replace(grant, token=before)), Server(now), clock)
    clock.now += HOUR
    assert await person.session.current() == AccessToken(now.access_token)
    assert person.ends == 0


async def test_a_stored_login_of_another_user_is_not_used(grant: Grant, clock: Clock, tmp_path: Path) -> None:
    other = replace(grant, token=replace(grant.token, user_id=USER + 1))
    person = Person(await stored(tmp_path, other), Server(refusal("unexpected")), clock)
    with pytest.raises(AuthorisationError, match="login of another user"):
        await person.session.current()
    assert person.ends == 1


@pytest.mark.parametrize(
    ("code", "ends"), [("invalid_grant", 1), ("invalid_client", 0), ("PAYMENT_REQUIRED", 0)]
)
async def test_only_a_refusal_for_good_ends_a_login(
    grant: Grant, clock: Clock, tmp_path: Path, code: str, ends: int
) -> None:
    person = Person(await stored(tmp_path, grant), Server(refusal(code)), clock)
    clock.now += HOUR
    with pytest.raises(AuthorisationError, match=code):
        await person.session.current()
    assert person.ends == ends


async def test_a_login_that_is_gone_has_ended(clock: Clock, tmp_path: Path) -> None:
    person = Person(FileTokenStore(tmp_path), Server(refusal("unexpected")), clock)
    with pytest.raises(AuthorisationError, match="not signed in"):
        await person.session.current()
    assert person.ends == 1


class SignedInMeanwhile(FileTokenStore):
    """A store in which the person signs in again while the former login is renewed."""

    def __init__(self, folder: Path, again: Grant) -> None:
        super().__init__(folder)
        self._again = again

    @asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        async with super().lock(profile):
            try:
                yield
            except AuthorisationError:
                await self.save(profile, self._again)
                raise


async def test_who_signed_in_again_meanwhile_stays_signed_in(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    await stored(tmp_path, grant)
    again = portal.grant(clock() + HOUR)
    person = Person(SignedInMeanwhile(tmp_path, again), Server(refusal("invalid_grant")), clock)
    clock.now += HOUR
    with pytest.raises(AuthorisationError, match="invalid_grant"):
        await person.session.current()
    assert person.ends == 0
    assert await person.session.current() == AccessToken(again.token.access_token)


async def test_the_address_of_a_renamed_portal_is_kept_with_the_login(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    def placed(token: Token, host: str) -> Token:
        return replace(token, client_endpoint=f"https://{host}/rest/")

    store = await stored(tmp_path, replace(grant, token=placed(grant.token, "acme.bitrix24.com")))
    for hours in (1, 2):
        server = Server(placed(portal.grant(clock() + HOUR).token, "new.bitrix24.com"))
        clock.now += HOUR
        assert (await Person(store, server, clock).session.current()).portal_url == "https://new.bitrix24.com"
        assert len(server.asked) == 1, hours
    # A replica that did not ask itself finds it there.
    elsewhere = Person(FileTokenStore(tmp_path), Server(refusal("unexpected")), clock)
    assert (await elsewhere.session.current()).portal_url == "https://new.bitrix24.com"


async def test_a_renewal_that_the_portal_says_is_somebody_elses_ends_the_login(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    """The OAuth server's answer names nobody, as the vendor's own example does."""
    server = Server(replace(portal.grant(clock() + HOUR).token, user_id=None))
    person = Person(await stored(tmp_path, grant), server, clock)
    person.says = USER + 1
    clock.now += HOUR
    for _ in range(2):
        with pytest.raises(AuthorisationError, match="It was not used") as refused:
            await person.session.current()
        assert refused.value.code == "OTHER_USER"
    assert (len(server.asked), person.ends) == (1, 2)


async def test_a_token_that_could_not_be_confirmed_waits_for_that(
    grant: Grant, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    """Neither is the login lost, since the portal has forgotten the old token, nor is the new one used."""
    store = await stored(tmp_path, grant)
    server = Server(portal.grant(clock() + HOUR).token)
    person = Person(store, server, clock)
    person.says = UnreachableError("no answer", method="profile", may_have_happened=False)
    clock.now += HOUR
    with pytest.raises(UnreachableError):
        await person.session.current()
    # Another replica, or this one after a restart.
    other = Person(store, server, clock)
    assert await other.session.current() == AccessToken(server.answer.access_token)  # type: ignore[union-attr]  # it is a token
    assert (len(server.asked), person.ends, other.ends) == (1, 0, 0)
