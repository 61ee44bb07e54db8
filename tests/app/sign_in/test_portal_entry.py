"""Entry through a portal, over HTTP: who comes in, and which answers of the portal let nobody in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bi_mcp.app.sign_in.portal_entry import enter
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.auth.login import Returned
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, UnreachableError
from bi_mcp.rest import BIConnector
from bi_mcp.rest.credential import AccessToken
from tests.auth.portal import USER, Clock, LoginPortal
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

Answer = dict[str, Any]
Change = Callable[[Answer], Answer]
NO_RIGHT = {"error": "insufficient_scope", "error_description": "The request requires higher privileges"}


@dataclass
class ChangedAnswers:
    """A portal some of whose answers are changed on their way, by path; a change that names an error is a refusal."""

    app: ASGIApp
    changes: Mapping[str, Change]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].strip("/")
        self.asked.append(path)
        change = self.changes.get(path)
        if change is None:
            await self.app(scope, receive, send)
            return
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        answer = change(json.loads(b"".join(parts)))
        status = 403 if "error" in answer else 200
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


@dataclass(frozen=True)
class Visited:
    """A portal from which a person comes back."""

    portal: SignInPortal
    returned: Returned
    answers: ChangedAnswers
    practice: LoginPortal


@asynccontextmanager
async def visited(
    changes: Mapping[str, Change] | None = None,
    *,
    users: frozenset[int] = frozenset(),
    departments: frozenset[int] = frozenset(),
) -> AsyncIterator[Visited]:
    practice = LoginPortal(Clock())
    answers = ChangedAnswers(practice.inner, changes or {})
    async with served(answers) as host:
        url = f"http://{host}"
        secret = Secret(practice.card.client_secret)
        portal = SignInPortal(
            url=url,
            client_id=practice.card.client_id,
            client_secret=secret,
            users=users,
            departments=departments,
        )
        code = Secret(practice.tokens.authorise(practice.card, USER))
        yield Visited(portal, Returned(code, url), answers, practice)


def result(**fields: object) -> Change:
    """Change fields of a method's result, or answer them where the method was refused."""
    return lambda answer: {"result": {"ID": str(USER), **answer.get("result", {}), **fields}}


def top(**fields: object) -> Change:
    return lambda answer: {**answer, **fields}


async def refused(changes: Mapping[str, Change] | None = None, **restrictions: frozenset[int]) -> str:
    """Enter where nobody may; return the code of the error and its text."""
    async with visited(changes, **restrictions) as visit:
        with pytest.raises(AuthorisationError) as raised:
            await enter(visit.portal, visit.returned)
        for secret in (visit.portal.client_secret, visit.returned.code):
            assert secret.reveal() not in str(raised.value)
    return f"{raised.value.code}: {raised.value}"


async def test_a_person_comes_in_with_their_own_login() -> None:
    async with visited() as visit:
        entered = await enter(visit.portal, visit.returned)
        person = entered.person
        assert (person.portal, person.user_id, person.name) == (visit.portal.url, USER, "Local User")
        assert person.administrator
        token = entered.grant.token
        assert visit.practice.accepts(token.access_token)
        assert (token.user_id, entered.grant.application.client_id) == (USER, visit.portal.client_id)
        async with BIConnector(visit.portal.url, AccessToken(token.access_token)) as bi:
            assert (await bi.portal.user()).id == USER
        assert "rest/user.current" not in visit.answers.asked, "departments are nobody's business here"
        with pytest.raises(AuthorisationError) as again:
            await enter(visit.portal, visit.returned)
        assert again.value.code == "invalid_grant"


@pytest.mark.parametrize(
    "endpoint", ["https://other.bitrix24.example/rest/", "", "http://127.0.0.1:1/rest/", None]
)
async def test_the_login_of_another_portal_is_not_used(endpoint: str | None) -> None:
    async with visited({"oauth/token": top(client_endpoint=endpoint)}) as visit:
        with pytest.raises(AuthorisationError) as raised:
            await enter(visit.portal, visit.returned)
        assert raised.value.code == "OTHER_PORTAL"
        assert visit.answers.asked == ["oauth/token"], "nothing was asked with it"


async def test_a_domain_is_not_taken_for_the_portal_since_it_is_the_oauth_servers() -> None:
    async with visited({"oauth/token": top(domain="oauth.bitrix24.tech")}) as visit:
        assert (await enter(visit.portal, visit.returned)).person.user_id == USER


@pytest.mark.parametrize(
    "changes",
    [
        {"rest/profile": result(ID="2")},
        {"oauth/token": top(user_id=2)},
        {"rest/profile": result(ID="0"), "oauth/token": top(user_id=None)},
    ],
    ids=["the portal", "the OAuth server", "nobody"],
)
async def test_a_portal_that_answers_another_users_token_lets_nobody_in(
    changes: Mapping[str, Change],
) -> None:
    assert (await refused(changes)).startswith("OTHER_USER")


async def test_an_oauth_server_need_not_name_the_user() -> None:
    async with visited({"oauth/token": top(user_id=None)}) as visit:
        entered = await enter(visit.portal, visit.returned)
        assert (entered.person.user_id, entered.grant.token.user_id) == (USER, USER)


async def test_only_the_users_of_the_operator_come_in() -> None:
    async with visited(users=frozenset({USER, 5})) as visit:
        assert (await enter(visit.portal, visit.returned)).person.user_id == USER
        assert "rest/user.current" not in visit.answers.asked
    assert (await refused(users=frozenset({5}))).startswith("NOT_ALLOWED")


@pytest.mark.parametrize(
    ("departments", "allowed"),
    [
        ([3, 8], True),
        (["8"], True),
        ({"1": 8}, True),
        ([3], False),
        ([], False),
        (False, False),
        (None, False),
    ],
)
async def test_only_the_departments_of_the_operator_come_in(departments: object, allowed: bool) -> None:
    changes = {"rest/user.current": result(UF_DEPARTMENT=departments)}
    restrictions = {"users": frozenset({5}), "departments": frozenset({8, 9})}
    if not allowed:
        assert (await refused(changes, **restrictions)).startswith("NOT_ALLOWED")
        return
    async with visited(changes, **restrictions) as visit:
        assert (await enter(visit.portal, visit.returned)).person.user_id == USER


async def test_departments_of_another_user_count_for_nobody() -> None:
    changes = {"rest/user.current": result(ID="2", UF_DEPARTMENT=[8])}
    assert (await refused(changes, departments=frozenset({8}))).startswith("OTHER_USER")


async def test_an_application_that_may_not_see_departments_says_which_scope_it_lacks() -> None:
    text = await refused({"rest/user.current": lambda _: NO_RIGHT}, departments=frozenset({8}))
    # The log names the code: the operator must see that it is the application, not the person.
    assert text.startswith("SCOPE_MISSING")
    assert "'user_brief'" in text


async def test_a_name_from_outside_is_one_short_line() -> None:
    changes = {"rest/profile": result(NAME="Anna\n\x1b[31m\u202eevil", LAST_NAME="x" * 200)}
    async with visited(changes) as visit:
        name = (await enter(visit.portal, visit.returned)).person.name
    assert name.startswith("Anna �[31m�evil xxx")
    assert len(name) == 100


async def test_a_portal_that_is_gone_is_named() -> None:
    async with visited() as visit:
        pass
    with pytest.raises(UnreachableError):
        await enter(visit.portal, visit.returned)
