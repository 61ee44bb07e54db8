from __future__ import annotations

import re
from urllib.parse import urlencode

import anyio
import httpx
import pytest

from bi_mcp.auth.login import Authorisation, Returned, handler_address
from bi_mcp.auth.receiver import Receiver, receiving
from bi_mcp.base.language import speaking
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError

pytestmark = pytest.mark.anyio

PORTAL = "https://acme.bitrix24.com"
# Generous: it ends a test that would hang, and measures nothing.
LIMIT_S = 30


def answer_of(authorisation: Authorisation, **changes: str) -> str:
    return "?" + urlencode({"code": "code-canary", "state": authorisation.state} | changes)


class Waiting:
    """A login that waits on a free port, and what it ended with."""

    def __init__(self, receiver: Receiver, authorisation: Authorisation) -> None:
        self.address = receiver.handler_address
        self.outcome: Returned | AuthorisationError | None = None
        self._receiver = receiver
        self._authorisation = authorisation

    async def wait(self) -> None:
        try:
            self.outcome = await self._receiver.receive(self._authorisation, LIMIT_S)
        except AuthorisationError as error:
            self.outcome = error


async def outcome_of(
    *requests: tuple[str, str, int],
) -> tuple[Returned | AuthorisationError | None, list[httpx.Response]]:
    """Send requests (method, target, expected status) to a login that waits; the last one ends the wait."""
    authorisation = Authorisation(PORTAL, "local.1", state="the state")
    answers = []
    with anyio.fail_after(LIMIT_S), receiving(0) as receiver:
        async with httpx.AsyncClient(trust_env=False) as browser:
            waiting = Waiting(receiver, authorisation)
            async with anyio.create_task_group() as group:
                group.start_soon(waiting.wait)
                for verb, target, status in requests:
                    answers.append(await browser.request(verb, waiting.address + target))
                    assert answers[-1].status_code == status
    return waiting.outcome, answers


GOOD = "?code=code-canary&state=the+state"


async def test_the_browser_comes_back_and_is_sent_to_the_terminal() -> None:
    outcome, [page] = await outcome_of(("GET", GOOD, 200))
    assert outcome == Returned(Secret("code-canary"), "https://oauth.bitrix24.tech")
    assert "go back to the terminal" in page.text
    assert "canary" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_a_russian_login_is_told_in_russian() -> None:
    wrong, foreign = ("GET", "?code=x", 400), ("GET", "elsewhere", 404)
    with speaking("ru"):
        _, pages = await outcome_of(wrong, foreign, ("POST", GOOD, 405), ("GET", GOOD, 200))
    for page in pages:
        assert '<html lang="ru">' in page.text
        for sentence in re.findall(r"<(?:h1|p)>([^<]+)<", page.text):
            assert re.search("[а-яё]", sentence), sentence
    assert "вернитесь в терминал" in pages[-1].text


@pytest.mark.parametrize(
    ("verb", "target", "status"),
    [
        ("GET", "favicon.ico", 404),
        ("GET", "", 404),
        ("GET", "elsewhere" + GOOD, 404),
        ("GET", "?code=code-canary&state=another", 400),
        ("GET", "?code=code-canary", 400),
        ("GET", "?state=the+state", 400),
        ("POST", GOOD, 405),
        ("GET", "?state=%3Cscript%3E&code=%3Cscript%3E", 400),
    ],
)
async def test_what_is_not_this_logins_answer_does_not_end_the_wait(
    verb: str, target: str, status: int
) -> None:
    outcome, [first, _] = await outcome_of((verb, target, status), ("GET", GOOD, 200))
    assert outcome == Returned(Secret("code-canary"), "https://oauth.bitrix24.tech")
    assert "<script>" not in first.text
    assert "canary" not in first.text


async def test_an_answer_that_names_a_foreign_server_ends_the_login() -> None:
    outcome, [page] = await outcome_of(("GET", GOOD + "&server_domain=evil.example", 400))
    assert isinstance(outcome, AuthorisationError)
    assert outcome.code == "FOREIGN_SERVER"
    assert "evil" not in page.text


@pytest.mark.parametrize("sent", [b"", b"GET", b"\r\n\r\n", b"\xff\xfe\r\n\r\n", b"GET /" + b"a" * 40_000])
async def test_a_connection_that_says_nothing_useful_disturbs_nobody(sent: bytes) -> None:
    authorisation = Authorisation(PORTAL, "local.1")
    with anyio.fail_after(LIMIT_S), receiving(0) as receiver:
        async with httpx.AsyncClient(trust_env=False) as browser:
            waiting = Waiting(receiver, authorisation)
            async with anyio.create_task_group() as group:
                group.start_soon(waiting.wait)
                port = httpx.URL(waiting.address).port
                assert port is not None
                # One is open all the while, as a browser's spare connection is; another one is cut.
                async with (
                    await anyio.connect_tcp("127.0.0.1", port),
                    await anyio.connect_tcp("127.0.0.1", port) as cut,
                ):
                    if sent:
                        await cut.send(sent)
                    await cut.aclose()
                    assert (await browser.get(waiting.address + answer_of(authorisation))).status_code == 200
    assert isinstance(waiting.outcome, Returned)


async def test_a_browser_that_does_not_come_back_is_explained() -> None:
    with (
        receiving(0) as receiver,
        pytest.raises(AuthorisationError, match=f"application's card .{receiver.handler_address}") as error,
    ):
        await receiver.receive(Authorisation(PORTAL, "local.1"), 0)
    assert error.value.code == "NO_ANSWER"


def test_two_logins_on_one_port_are_told_apart() -> None:
    with receiving(0) as first:
        port = httpx.URL(first.handler_address).port
        assert port is not None
        with pytest.raises(AuthorisationError, match="perhaps by another login") as error:
            receiving(port).__enter__()
    assert error.value.code == "PORT_IN_USE"
    # The first one has ended: the port is free again.
    with receiving(port) as again:
        assert again.handler_address == handler_address(port)


async def test_a_code_of_one_login_that_reaches_another_ones_port_stays_unused() -> None:
    mine, other = Authorisation(PORTAL, "local.1"), Authorisation(PORTAL, "local.1")
    with anyio.fail_after(LIMIT_S), receiving(0) as receiver:
        async with httpx.AsyncClient(trust_env=False) as browser:
            waiting = Waiting(receiver, mine)
            async with anyio.create_task_group() as group:
                group.start_soon(waiting.wait)
                foreign = await browser.get(waiting.address + answer_of(other, code="other-canary"))
                assert "belongs to another login" in foreign.text
                await browser.get(waiting.address + answer_of(mine))
    assert isinstance(waiting.outcome, Returned)
    assert waiting.outcome.code == Secret("code-canary")


def test_only_this_machine_can_reach_it() -> None:
    with receiving(0) as receiver:
        assert receiver.handler_address.startswith("http://127.0.0.1:")
