"""Attacks on signing in: each must fail, and nothing of the person under attack may reach the attacker.

The attacker is Boris: he has an account in the same portal, a client and a browser of his own. Anna is a colleague.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream
from mcp import MCPError

from bi_mcp.app.sign_in.portals import SignInPortal
from tests.practice.portal.calling import connector_fields
from tests.server.http.serving import ACCEPT, HELLO
from tests.server.http.serving import client as mcp_client
from tests.server.http.sign_in.browsing import Browser, Page
from tests.server.http.sign_in.flow import RETURN, HandMadeClient, challenge_of, refusal
from tests.server.http.sign_in.hosting import (
    ANNA,
    BORIS,
    IVAN,
    Connected,
    Hosted,
    agree,
    allow,
    consent,
    hosting,
)
from tests.server.talking import Talk
from tests.server.talking import connector_fields as sample_fields

pytestmark = pytest.mark.anyio


async def begun(hosted: Hosted) -> tuple[HandMadeClient, Browser, Page]:
    """A registered client, and the consent page of its sign-in in a new browser."""
    client, browser = hosted.client(), hosted.browser()
    await client.register()
    return client, browser, await browser.open(client.address())


async def with_code(hosted: Hosted) -> tuple[HandMadeClient, str]:
    """A client whose person, Anna, went through all pages; its code was not used yet."""
    client, browser, page = await begun(hosted)
    return client, (await agree(browser, page, ANNA)).answer["code"]


async def is_connected(connected: Connected) -> bool:
    """Whether any of the client's tokens still opens anything."""
    greeted = await connected.client.greet(connected.access)
    refreshed = await connected.client.refresh(connected.refresh)
    assert greeted.is_success == refreshed.is_success
    return greeted.is_success


async def clients_of(hosted: Hosted, user_id: int) -> list[str]:
    """The names of the clients that are connected for a user."""
    people = await hosted.sign_ins[0].clients.people()
    found = [person for person in people if person.user_id == user_id]
    return [client.client_name for person in found for client in await hosted.sign_ins[0].clients.of(person)]


def check_refused(page: Page, status: int = 403) -> None:
    """The browser stayed on a page of this server that says what happened, and nothing else."""
    assert not page.left, page.address
    assert page.status == status, (page.status, page.words)
    assert page.words
    assert "Traceback" not in page.text


# Codes


async def test_a_replayed_code_disconnects_the_client(hosted: Hosted) -> None:
    client, code = await with_code(hosted)
    first = await client.exchange(code)
    connected = Connected(client, hosted.browser(), first.json())
    assert (await client.greet(connected.access)).is_success
    assert refusal(await client.exchange(code)) == (400, "invalid_grant")
    assert not await is_connected(connected)
    assert await clients_of(hosted, ANNA.id) == []


async def test_a_stolen_code_is_worth_nothing_without_the_verifier(hosted: Hosted) -> None:
    """PKCE downgraded at the token endpoint: left out, empty, plain, or the challenge itself."""
    client, code = await with_code(hosted)
    for verifier in (None, "", challenge_of(client.verifier), "x" * 43, client.verifier + "x"):
        status, error = refusal(await client.exchange(code, code_verifier=verifier))
        assert (status, error in {"invalid_grant", "invalid_request"}) == (400, True), verifier


@pytest.mark.parametrize("change", ["client", "redirect", "no redirect", "resource"])
async def test_a_stolen_code_is_worth_nothing_to_another_client_or_elsewhere(
    hosted: Hosted, change: str
) -> None:
    client, code = await with_code(hosted)
    thief = hosted.client(redirect="http://127.0.0.1:41766/stolen")
    await thief.register()
    changes: dict[str, dict[str, str | None]] = {
        "client": {"client_id": thief.id},
        "redirect": {"redirect_uri": thief.redirect},
        "no redirect": {"redirect_uri": None},
        "resource": {"resource": "https://elsewhere.example/mcp"},
    }
    answer = await client.exchange(code, **changes[change])
    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.text


# PKCE and redirects at the authorization endpoint


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": None, "code_challenge_method": None},
    ],
)
async def test_pkce_cannot_be_downgraded(hosted: Hosted, changes: dict[str, str | None]) -> None:
    client, browser = hosted.client(), hosted.browser()
    await client.register()
    page = await browser.open(client.address(**changes))
    assert page.left
    assert page.address.startswith(RETURN)
    assert page.answer["error"] == "invalid_request"
    # Also a refusal says whose it is, and to which request it belongs.
    assert (page.answer["iss"], page.answer["state"]) == (hosted.origin, client.state)


FOREIGN = [
    "https://evil.example/callback",
    "http://127.0.0.1:41765/callback/../stolen",
    "http://127.0.0.1:41765/callback/",
    "http://127.0.0.1:41765/Callback",
    "http://127.0.0.1:41765/callback?to=evil",
    "http://127.0.0.1:41765/callback#",
    "http://127.0.0.1:41765/callback%2e",
    "http://127.0.0.1.evil.example:41765/callback",
    "http://127.0.0.1@evil.example/callback",
    "http://evil.example@127.0.0.1:41765/callback",
    "http://127.0.0.1:41765\\@evil.example/callback",
    "http://127.0.0.1:41765/callback\r\nLocation: https://evil.example",
    "https://127.0.0.1:41765/callback",
    "http://0.0.0.0:41765/callback",
    "http://2130706433:41765/callback",
    "//evil.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,x",
]


@pytest.mark.parametrize("address", FOREIGN)
async def test_nothing_is_sent_to_an_address_that_is_not_registered(hosted: Hosted, address: str) -> None:
    client, browser = hosted.client(), hosted.browser()
    await client.register()
    page = await browser.open(client.address(redirect_uri=address))
    check_refused(page, 400)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://evil.example/callback",
        "https://evil.example/callback#fragment",
        "https://user:password@evil.example/callback",
    ],
)
async def test_no_client_registers_an_address_that_is_not_safe(hosted: Hosted, address: str) -> None:
    answer = await hosted.client().register(redirect_uris=[RETURN, address])
    assert answer.status_code == 400
    assert "client_id" not in answer.text


async def test_a_client_on_this_machine_may_listen_on_any_port(hosted: Hosted) -> None:
    """What the table above must not break (RFC 8252)."""
    client, browser, _ = await begun(hosted)
    other = RETURN.replace("41765", "41999")
    ended = await agree(browser, await browser.open(client.address(redirect_uri=other)), ANNA)
    assert ended.address.startswith(f"{other}?")
    assert (await client.exchange(ended.answer["code"], redirect_uri=other)).is_success


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "state", "code_challenge", "scope", "resource"]
)
async def test_a_repeated_parameter_is_refused(hosted: Hosted, name: str) -> None:
    """Two readers could each take another one."""
    client, browser = hosted.client(), hosted.browser()
    await client.register()
    page = await browser.open(f"{client.address()}&{urlencode({name: 'https://evil.example/'})}")
    assert not page.says("Continue to Bitrix24")
    assert "evil.example" not in urlsplit(page.address).netloc


# State, consent and the browser


async def test_a_sign_in_without_its_state_ends_nowhere(hosted: Hosted) -> None:
    client, browser, page = await begun(hosted)
    at_portal = await consent(browser, page)
    state = at_portal.answer["state"]
    card = hosted.portal.card
    code = hosted.portal.app.state.tokens.authorise(card, ANNA.id)
    for wrong in (state[:-1], f"{state}x", state.swapcase(), "", client.state):
        query = urlencode({"code": code, "state": wrong, "server_domain": hosted.portal.host})
        check_refused(await browser.open(f"{hosted.origin}/sign-in/return?{query}"), 400)
    repeated = urlencode({"code": code, "state": state}) + "&" + urlencode({"state": "other"})
    check_refused(await browser.open(f"{hosted.origin}/sign-in/return?{repeated}"), 400)
    # The code of the portal was never exchanged.
    assert hosted.portal.exchanges == []


async def test_a_return_is_used_once(hosted: Hosted) -> None:
    client, browser, page = await begun(hosted)
    returned: list[str] = []

    async def note(request: httpx2.Request) -> None:
        if request.url.path == "/sign-in/return":
            returned.append(str(request.url))

    browser.http.event_hooks["request"].append(note)
    ended = await agree(browser, page, ANNA)
    check_refused(await browser.open(returned[0]), 400)
    # Pressing the button again in another tab is too late as well.
    check_refused(await browser.open(page.address), 400)
    # And the person who was first is not harmed.
    assert (await client.exchange(ended.answer["code"])).is_success


async def test_consent_cannot_be_skipped(hosted: Hosted) -> None:
    """A stranger's page sends the victim's browser everywhere it likes, and knows all but what is on our pages."""
    victim = await hosted.connect(ANNA)
    thief = hosted.client(name="Thief", redirect="http://127.0.0.1:41766/stolen")
    await thief.register()
    browser = victim.browser
    page = await browser.open(thief.address())
    # An earlier consent of another client changes nothing, and neither does a login at the portal.
    assert page.says("Continue to Bitrix24")
    assert "not verified" in page.words
    form = page.form_with("Continue to Bitrix24")
    # The form from a foreign page, and with the token of another attempt.
    sent = await browser.send("https://evil.example/", form, "Continue to Bitrix24", rights="write")
    check_refused(sent)
    other = (await browser.open(thief.address())).form_with("Continue to Bitrix24")
    check_refused(await browser.send(page.address, form, "Continue to Bitrix24", **token_of(other.fields)))
    form.fields = {name: value for name, value in form.fields.items() if name not in token_of(form.fields)}
    check_refused(await browser.send(page.address, form, "Continue to Bitrix24"))
    # A page that only has to be opened agrees to nothing.
    assert (await browser.open(f"{page.address}?decision=continue&rights=write")).says("Continue to Bitrix24")
    # The portal's page with our application's id, opened by a stranger's link, leads nowhere.
    query = urlencode({"client_id": hosted.portal.card.client_id, "state": "of-the-stranger"})
    portal = await browser.open(f"{hosted.portal.url}/oauth/authorize/?{query}")
    check_refused(await allow(browser, portal, ANNA), 400)
    assert await clients_of(hosted, ANNA.id) == [victim.client.name]


def token_of(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if len(value) > 20}


async def test_the_page_of_a_sign_in_opens_only_where_it_began(hosted: Hosted) -> None:
    """Session fixation: the attacker begins, and sends Anna the link."""
    thief, _, page = await begun(hosted)
    anna = hosted.browser()
    opened = await anna.open(page.address)
    check_refused(opened)
    assert not opened.says("Continue to Bitrix24")
    # A form of a page of her own does not help the attacker either.
    _, anna, own = await begun(hosted)
    form = own.form_with("Continue to Bitrix24")
    form.action = page.address
    check_refused(await anna.send(page.address, form, "Continue to Bitrix24"))
    assert await clients_of(hosted, ANNA.id) == []
    assert thief.id


async def test_a_stranger_cannot_let_somebody_else_finish(hosted: Hosted) -> None:
    """The attacker consents himself, and sends Anna to the portal with his state. She even allows it."""
    thief, boris, page = await begun(hosted)
    at_portal = await consent(boris, page)
    anna = hosted.browser()
    ended = await allow(anna, await anna.open(at_portal.address), ANNA)
    check_refused(ended)
    # Her answer of the portal was not used, and is not in the address of a page that leads anywhere.
    assert hosted.portal.exchanges == []
    assert await clients_of(hosted, ANNA.id) == []
    # Even then: the attacker himself can finish as himself only.
    own = await allow(boris, at_portal, BORIS)
    tokens = (await thief.exchange(own.answer["code"])).json()
    assert (await thief.greet(tokens["access_token"])).is_success
    assert await clients_of(hosted, BORIS.id) == [thief.name]


async def test_a_login_cannot_be_planted_in_another_browser(hosted: Hosted) -> None:
    """Login CSRF: Anna's browser is to finish the attacker's sign-in, so that she works in his account."""
    _, boris, page = await begun(hosted)
    at_portal = await consent(boris, page)
    code = hosted.portal.app.state.tokens.authorise(hosted.portal.card, BORIS.id)
    state = at_portal.answer["state"]
    query = urlencode({"code": code, "state": state, "server_domain": hosted.portal.host})
    _, anna, _ = await begun(hosted)
    check_refused(await anna.open(f"{hosted.origin}/sign-in/return?{query}"))
    # The same for the pages of this server.
    at_portal = await consent(boris, await boris.open(f"{hosted.origin}/account"))
    code = hosted.portal.app.state.tokens.authorise(hosted.portal.card, BORIS.id)
    query = urlencode({"code": code, "state": at_portal.answer["state"], "server_domain": hosted.portal.host})
    check_refused(await anna.open(f"{hosted.origin}/sign-in/return?{query}"))
    account = await anna.open(f"{hosted.origin}/account")
    assert "Boris" not in account.words
    assert account.says("Continue to Bitrix24")


async def test_the_account_page_does_only_what_its_own_form_says(hosted: Hosted) -> None:
    connected = await hosted.connect(ANNA)
    browser = connected.browser
    page = await agree(browser, await browser.open(f"{hosted.origin}/account"), ANNA)
    assert "Anna Petrova" in page.words
    form = page.form_with("Disconnect")
    check_refused(await browser.send("https://evil.example/", form, "Disconnect"))
    # Boris has a form of his own, and knows the id of her client.
    boris = hosted.browser()
    own = await hosted.connect(BORIS)
    his = await agree(boris, await boris.open(f"{hosted.origin}/account"), BORIS)
    button = his.form_with("Disconnect").button("Disconnect")
    hers = form.button("Disconnect")
    assert button is not None
    assert hers is not None
    taken = his.form_with("Disconnect")
    taken.buttons = [hers]
    await boris.send(his.address, taken, "Disconnect")
    assert await is_connected(connected)
    assert await is_connected(own)


# Tokens


async def test_a_refresh_token_used_twice_disconnects_the_client(hosted: Hosted) -> None:
    victim = await hosted.connect(ANNA)
    renewed = (await victim.client.refresh(victim.refresh)).json()
    assert renewed["refresh_token"] != victim.refresh
    # The thief of the old one.
    assert refusal(await victim.client.refresh(victim.refresh)) == (400, "invalid_grant")
    assert not await is_connected(Connected(victim.client, victim.browser, renewed))
    assert (await victim.client.greet(victim.access)).status_code == 401


async def test_a_refresh_token_belongs_to_its_client_and_grants_no_more(hosted: Hosted) -> None:
    victim = await hosted.connect(ANNA, rights="read")
    assert victim.tokens["scope"] == "bi:read"
    thief = hosted.client()
    await thief.register()
    assert refusal(await victim.client.refresh(victim.refresh, client_id=thief.id))[0] in {400, 401}
    for changes in ({"scope": "bi:read bi:write"}, {"resource": "https://elsewhere.example/mcp"}):
        answer = await victim.client.refresh(victim.refresh, **changes)
        assert not answer.is_success
        assert "access_token" not in answer.text
    renewed = await victim.client.refresh(victim.refresh)
    assert renewed.json()["scope"] == "bi:read"


async def test_what_is_not_an_access_token_opens_nothing(hosted: Hosted) -> None:
    client, code = await with_code(hosted)
    assert (await client.greet(code)).status_code == 401
    connected = Connected(client, hosted.browser(), (await client.exchange(code)).json())
    portals_own = hosted.portal.app.state.tokens.issue(hosted.portal.card, ANNA.id)["access_token"]
    for wrong in (connected.refresh, connected.access[:-1], connected.access.upper(), portals_own, client.id):
        assert (await client.greet(wrong)).status_code == 401, wrong
    # An access token renews nothing.
    assert refusal(await client.refresh(connected.access)) == (400, "invalid_grant")


@pytest.mark.needs("redis-server")
async def test_what_one_server_issues_is_worth_nothing_at_another(tmp_path: Path, redis: str) -> None:
    """Two servers, one store, one portal's user: a malicious or leaking server must not be able to use the other."""
    async with (
        hosting(tmp_path / "one", redis=redis) as one,
        hosting(tmp_path / "other", redis=redis) as other,
    ):
        connected = await one.connect(ANNA)
        client, code = await with_code(one)
        elsewhere = HandMadeClient(other.origin, other.http(), id=client.id, verifier=client.verifier)
        assert (await elsewhere.greet(connected.access)).status_code == 401
        for answer in (
            await elsewhere.exchange(code),
            await elsewhere.exchange(code, resource=one.origin + "/mcp"),
            await elsewhere.refresh(connected.refresh, client_id=connected.client.id),
        ):
            assert not answer.is_success
            assert "access_token" not in answer.text


# Headers


async def raw(host: str, head: bytes, body: bytes = b"") -> tuple[int, str]:
    """Send this request; return the status and everything that came back."""
    return await sent(host, head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


async def sent(host: str, everything: bytes) -> tuple[int, str]:
    """Send exactly these bytes; return the first status and everything that came back until the server closed the connection."""
    name, _, port = host.partition(":")
    async with await anyio.connect_tcp(name, int(port)) as stream:
        await stream.send(everything)
        received = b""
        try:
            while True:
                received += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass
    return int(received.split(b" ", 2)[1]), received.decode(errors="replace")


async def test_no_request_hides_behind_the_end_of_another(hosted: Hosted) -> None:
    """A proxy that goes by the length would take the second request for the body of the first, and hand its answer to somebody else."""
    hidden = f"GET /health HTTP/1.1\r\nHost: {hosted.host}\r\n\r\n".encode()
    body = b"0\r\n\r\n" + hidden
    lines = (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked\r\n")
    status, received = await sent(hosted.host, head(hosted.host, *lines, path="/token") + body)
    assert (status, received.count("HTTP/1.1 "), "version" in received) == (400, 1, False)


def head(host: str, *lines: str, path: str = "/mcp") -> bytes:
    sent = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Accept: {ACCEPT['Accept']}",
    ]
    return "".join(f"{line}\r\n" for line in [*sent, *lines]).encode()


async def test_a_token_counts_only_in_one_plain_header(hosted: Hosted) -> None:
    anna, boris = await hosted.connect(ANNA), await hosted.connect(BORIS)
    body = json.dumps(HELLO).encode()
    good, other = f"Authorization: Bearer {anna.access}", f"Authorization: Bearer {boris.access}"
    assert (await raw(hosted.host, head(hosted.host, good), body))[0] == 200
    smuggled = [
        (good, other),
        (other, good),
        (good, "authorization: Bearer x"),
        (good, good),
        (f"Authorization: Bearer {anna.access}, Bearer {boris.access}",),
        (f"Authorization: Bearer {anna.access}\r\n ,Bearer {boris.access}",),
        (f"Authorization: Basic {anna.access}",),
        (f"X-Authorization: Bearer {anna.access}",),
        (f"X-Forwarded-Authorization: Bearer {anna.access}",),
        (f"Proxy-Authorization: Bearer {anna.access}",),
        (f"Cookie: access_token={anna.access}",),
        (f"Authorization : Bearer {anna.access}",),
        (f"Authorization: Bearer {anna.access}\x00",),
        ("X-Forwarded-User: 7", "X-Remote-User: 7"),
    ]
    for lines in smuggled:
        status, answer = await raw(hosted.host, head(hosted.host, *lines), body)
        assert status in {400, 401}, lines
        assert "serverInfo" not in answer
    # A folded header is one header: the reader joins its lines (RFC 9112, 5.2), and it means the same to everybody.
    assert (await raw(hosted.host, head(hosted.host, f"Authorization: Bearer\r\n {anna.access}"), body))[
        0
    ] == 200
    for path in (f"/mcp?access_token={anna.access}", f"/mcp?Authorization=Bearer%20{anna.access}"):
        assert (await raw(hosted.host, head(hosted.host, path=path), body))[0] == 401


@pytest.mark.parametrize(
    "lines",
    [
        ("X-Forwarded-Host: evil.example",),
        ("X-Forwarded-Proto: https", "X-Forwarded-Port: 444"),
        ("Forwarded: host=evil.example;proto=https",),
        ("X-Original-URL: https://evil.example/", "X-Rewrite-URL: /evil"),
        ("X-Forwarded-Prefix: /evil",),
    ],
)
async def test_forwarding_headers_change_no_address(hosted: Hosted, lines: tuple[str, ...]) -> None:
    headers = dict(line.split(": ", 1) for line in lines)
    client, browser = hosted.client(), hosted.browser()
    await client.register()
    http = hosted.http()
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"):
        plain = await http.get(f"{hosted.origin}{path}")
        assert plain.is_success
        assert (await http.get(f"{hosted.origin}{path}", headers=headers)).text == plain.text
    refused = await http.post(client.resource, headers=headers, json=HELLO)
    assert refused.status_code == 401
    assert f'"{hosted.origin}/.well-known/' in refused.headers["www-authenticate"]
    browser.http.headers.update(headers)
    ended = await agree(browser, await browser.open(client.address()), ANNA)
    assert ended.answer["iss"] == hosted.origin
    [departed] = [
        asked for asked in hosted.portal.overheard.asked if asked.startswith("/oauth/authorize/?client")
    ][:1]
    assert set(parse_qs(urlsplit(departed).query)) == {"client_id", "state"}


async def test_other_host_names_are_not_answered(hosted: Hosted) -> None:
    """DNS rebinding: a page of evil.example, whose name leads here, gets nothing."""
    client = hosted.client()
    await client.register()
    for path in ("/authorize", "/sign-in/x", "/sign-in/return", "/account"):
        answer = await hosted.http().get(f"{hosted.origin}{path}", headers={"Host": "evil.example"})
        assert answer.status_code in {403, 421}, path


# Portals


async def test_an_answer_of_another_portal_is_not_taken(tmp_path: Path) -> None:
    """Mix-up: one of two portals is the attacker's, and wants the codes and the secret of the other."""
    async with hosting(tmp_path, portals=2) as hosted:
        good, evil = hosted.portals
        for begun_at, answering in ((good, evil), (evil, good)):
            _, browser, page = await begun(hosted)
            at_portal = await consent(browser, page, portal=begun_at.host)
            code = answering.app.state.tokens.authorise(answering.card, ANNA.id)
            query = {"code": code, "state": at_portal.answer["state"], "domain": answering.host}
            query |= {"server_domain": answering.host, "member_id": answering.app.state.tokens.member_id}
            ended = await browser.open(f"{hosted.origin}/sign-in/return?{urlencode(query)}")
            check_refused(ended)
        # The secret of one portal's application never reached the other.
        assert all(good.card.client_secret not in asked for asked in evil.exchanges)
        assert all(evil.card.client_secret not in asked for asked in good.exchanges)
        assert await hosted.sign_ins[0].clients.people() == []
        # A portal that was not offered cannot be chosen.
        _, browser, page = await begun(hosted)
        check_refused(await consent(browser, page, portal="evil.example"), 400)


@pytest.mark.parametrize("kind", ["other_users_token", "other_portal"])
async def test_a_portal_that_answers_wrongly_lets_nobody_in(hosted: Hosted, kind: str) -> None:
    _, browser, page = await begun(hosted)
    hosted.portal.app.state.faults.arm(kind, method="/oauth/token/")
    check_refused(await agree(browser, page, ANNA))
    assert await hosted.sign_ins[0].clients.people() == []


@pytest.mark.parametrize("kind", ["other_user", "other_users_token", "other_portal"])
async def test_a_portal_that_renews_wrongly_shows_nobody_what_is_anothers(hosted: Hosted, kind: Any) -> None:
    """Anna's token runs out, and the portal answers her refresh token with a token of Boris or of another portal."""
    anna = await hosted.connect(ANNA)
    portal = hosted.portal.caller(BORIS)
    async with portal.http:
        await portal.result("biconnector.connector.add", fields=connector_fields(title="Boris's own"))
    async with mcp_client(hosted.host, anna.access) as connected:
        talk = Talk(connected)
        await talk.add_connector("Anna's own")
        hosted.portal.app.state.faults.arm("expired_token")
        hosted.portal.app.state.faults.arm(kind, method="/oauth/token/")
        refusal = await talk.refused("connector_list", select=["id", "title"])
        assert "It was not used" in refusal
        assert "Boris's own" not in refusal
        # The login is worth nothing any more: her clients are disconnected, and say so when they come again.
        with pytest.raises(MCPError):
            await talk.call("connector_add", fields=sample_fields("Added by Anna"))
    # It was renewed once, wrongly.
    assert len(hosted.portal.exchanges) == 2
    assert not await is_connected(anna)
    with hosted.portal.app.state.database.snapshot() as connection:
        rows = connection.execute("SELECT title, createdById FROM connectors ORDER BY id").fetchall()
    made = [(row["title"], row["createdById"]) for row in rows]
    assert made == [("Boris's own", BORIS.id), ("Anna's own", ANNA.id)]


@pytest.mark.parametrize(("allowed", "status"), [({"users": [8]}, 403), ({"departments": [5]}, 403)])
async def test_who_may_not_sign_in_is_not_let_in(
    tmp_path: Path, allowed: dict[str, list[int]], status: int
) -> None:
    only = {name: frozenset(ids) for name, ids in allowed.items()}
    async with hosting(tmp_path, allowed=only) as hosted:
        _, browser, page = await begun(hosted)
        ended = await agree(browser, page, ANNA)
        check_refused(ended, status)
        assert await hosted.sign_ins[0].clients.people() == []
        # He may.
        await hosted.connect(BORIS)


INWARD = [
    "https://127.0.0.1:{port}/client.json",
    "https://localhost:{port}/client.json",
    "https://[::1]:{port}/client.json",
    "https://2130706433:{port}/client.json",
    "https://0x7f.1:{port}/client.json",
    "https://0:{port}/client.json",
    "https://[::ffff:127.0.0.1]:{port}/client.json",
    "https://localhost.:{port}/client.json",
    "https://user@127.0.0.1:{port}/client.json",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/client.json",
]


@pytest.mark.parametrize("template", INWARD)
async def test_a_client_document_that_points_inwards_is_not_fetched(hosted: Hosted, template: str) -> None:
    reached: list[object] = []

    async def note(stream: SocketStream) -> None:
        reached.append(stream)
        await stream.aclose()

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, note)
        port = listener.listeners[0].extra(SocketAttribute.local_port)  # noqa: S610  not Django's
        client = hosted.client(id=template.format(port=port))
        page = await hosted.browser().open(client.address())
        check_refused(page, 400)
        group.cancel_scope.cancel()
    assert reached == []


async def test_whom_the_operator_no_longer_lets_in_is_signed_out_at_the_next_renewal(hosted: Hosted) -> None:
    anna, ivan = await hosted.connect(ANNA), await hosted.connect(IVAN)
    sign_ins = hosted.sign_ins[0]
    portals = cast("dict[str, SignInPortal]", sign_ins.portals)
    host = hosted.portal.host
    portals[host] = replace(portals[host], users=frozenset({IVAN.id}))
    assert refusal(await anna.client.refresh(anna.refresh)) == (400, "invalid_grant")
    assert (await anna.client.greet(anna.access)).status_code == 401
    assert (await ivan.client.refresh(ivan.refresh)).is_success
    assert [client.person.user_id for client in await sign_ins.clients.everybodys()] == [IVAN.id]
