"""One POST: what is sent where, and what becomes of a call that gets no answer."""

from __future__ import annotations

import json

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    InvalidRequestError,
    LimitError,
    PortalError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector, Credential, Webhook
from bi_mcp.rest.credential import parse_webhook
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect, Method, method
from bi_mcp.rest.request import Command, Request
from bi_mcp.rest.transport import HttpTransport, rest_address
from tests.rest.calling import (
    LOOPBACK,
    TOKEN,
    WEBHOOK,
    Answering,
    Portal,
    Recorder,
    a_portal,
    add_source,
    connect,
    connector_fields,
)

pytestmark = pytest.mark.anyio

EVERY_METHOD = pytest.mark.parametrize("called", METHODS + TABLE_METHODS, ids=lambda m: m.name)
GET = method("connector", "get")


def breaking(error: Exception) -> ASGIApp:
    """Build a portal whose every call ends with the given exception of the network."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def call(app: ASGIApp, called: Method = GET, credential: AccessToken | Webhook | None = None) -> object:
    transport = HttpTransport(LOOPBACK, credential or AccessToken(Secret(TOKEN)), app=app)
    try:
        return (await transport.send(Command(called, {}))).result
    finally:
        await transport.aclose()


async def add_plainly(portal: Portal) -> None:
    """Create a connector without a look at the portal before and after."""
    await portal.bi._transport.send(
        Command(method("connector", "add"), {"fields": connector_fields().to_wire()})
    )


async def test_the_token_travels_in_the_body_and_nowhere_else(tables: Portal) -> None:
    await tables.bi.connectors.fields()
    request, body = tables.calls.requests[0], tables.calls.bodies[0]
    assert (request.method, str(request.url)) == ("POST", f"{LOOPBACK}/rest/biconnector.connector.fields")
    assert request.headers["content-type"] == "application/json"
    assert TOKEN not in str(request.headers.items())
    assert json.loads(body) == {"auth": TOKEN}


async def test_text_of_every_script_arrives(tables: Portal) -> None:
    title = 'Магазин "№1" 🛒'
    connector_id = await tables.bi.connectors.add(connector_fields(title=title))
    assert (await tables.bi.connectors.get(connector_id)).title == title


@pytest.mark.parametrize("value", ["\ud83d", float("nan"), float("inf")])
async def test_what_is_no_json_is_not_sent_and_not_shown(tables: Portal, value: object) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON") as raised:
        await tables.bi.connectors.list_page(filter={"title": value})
    assert TOKEN not in f"{raised.value} {raised.value!r}"
    assert raised.value.__suppress_context__
    assert tables.calls.methods == []


async def test_a_wrong_token_is_an_authentication_error(tables: Portal) -> None:
    async with connect(tables.app, AccessToken(Secret("other"))) as bi:
        with pytest.raises(AuthenticationError) as refused:
            await bi.connectors.get(1)
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")


async def test_a_webhook_describes_fields_and_nothing_else() -> None:
    async with a_portal(credential=Webhook(Secret(WEBHOOK))) as portal:
        assert await portal.bi.connectors.fields()
        assert json.loads(portal.calls.bodies[0]) == {}
        for refused in (
            portal.bi.connectors.get(1),
            portal.bi.sources.list_page(),
            portal.bi.datasets.delete(1),
        ):
            with pytest.raises(InvalidRequestError, match=r"webhook may call only the \*\.fields"):
                await refused
    assert portal.calls.methods == ["connector.fields"]


async def test_an_unknown_webhook_is_refused(tables: Portal) -> None:
    async with connect(tables.app, Webhook(Secret("7/other-secret"))) as bi:
        with pytest.raises(AccessDeniedError) as refused:
            await bi.connectors.fields()
    assert refused.value.code == "INVALID_CREDENTIALS"
    assert "other-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "expected", "status"),
    [
        ("expired_token", AuthenticationError, 401),
        ("query_limit", LimitError, 503),
        ("overload", LimitError, 503),
        ("operation_limit", LimitError, 429),
        ("internal_error", RefusedError, 500),
    ],
)
async def test_a_system_error_has_its_type_and_status(
    portal: Portal, fault: str, expected: type[PortalError], status: int
) -> None:
    portal.faults.arm(fault)
    with pytest.raises(expected) as raised:
        await portal.bi.connectors.list_page()
    assert raised.value.status == status
    assert (await portal.bi.connectors.list_page()).items == []


@pytest.mark.parametrize(
    ("fault", "status", "what", "happened"),
    [
        ("html", 502, "an HTML page", False),
        ("html_ok", 200, "an HTML page", False),
        ("truncated", 200, "broken or cut-off JSON", True),
        ("empty", 200, "an empty body", True),
    ],
)
async def test_a_spoilt_answer_to_a_write_tells_to_look_first(
    tables: Portal, fault: str, status: int, what: str, happened: bool
) -> None:
    tables.faults.arm(fault)
    with pytest.raises(UnexpectedAnswerError, match=f"{what}.*may have been made.*connector.list") as raised:
        await add_plainly(tables)
    assert raised.value.status == status
    assert len((await tables.bi.connectors.list_page()).items) == happened


@pytest.mark.parametrize(("fault", "happened"), [("cut_before", False), ("cut_after", True)])
async def test_a_cut_connection_leaves_open_whether_a_write_happened(
    tables: Portal, fault: str, happened: bool
) -> None:
    tables.faults.arm(fault)
    with pytest.raises(UnreachableError, match="localhost closed the connection") as raised:
        await add_plainly(tables)
    assert raised.value.may_have_happened
    assert TOKEN not in str(raised.value)
    assert len((await tables.bi.connectors.list_page()).items) == happened


@EVERY_METHOD
@pytest.mark.parametrize(
    "error",
    [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError, httpx.DecodingError],
)  # fmt: skip
async def test_once_something_was_sent_a_write_may_have_happened(
    error: type[httpx.HTTPError], called: Method
) -> None:
    with pytest.raises(UnreachableError) as raised:
        await call(breaking(error(f"https://portal/{TOKEN}")), called)
    unreachable = raised.value
    assert unreachable.may_have_happened == (called.effect is not Effect.READ)
    assert ("may have been made" in str(unreachable)) == unreachable.may_have_happened
    assert unreachable.method == called.name
    assert TOKEN not in f"{unreachable} {unreachable!r}"


@EVERY_METHOD
@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
)
async def test_before_anything_was_sent_nothing_can_have_happened(
    error: type[httpx.HTTPError], called: Method
) -> None:
    with pytest.raises(UnreachableError, match="localhost could not be reached") as raised:
        await call(breaking(error("no")), called)
    assert not raised.value.may_have_happened


async def test_a_time_out_is_called_by_its_name() -> None:
    with pytest.raises(UnreachableError, match=r"did not answer in time \(ReadTimeout\)"):
        await call(breaking(httpx.ReadTimeout("slow")))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_names_the_new_host_and_is_not_followed(status: int) -> None:
    portal = Recorder(Answering("", status, {"Location": f"https://user@New.Example:8443/{TOKEN}"}))
    with pytest.raises(UnexpectedAnswerError, match=r"localhost redirects to new\.example:8443 ") as raised:
        await call(portal)
    assert raised.value.status == status
    assert len(portal.requests) == 1
    assert "use https://new.example:8443." in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    "location", ["/login", "", "https://localhost/x", "https://a b/", "https://[x", "https://`rm`/"]
)
async def test_a_redirect_that_names_no_other_host_shows_none(location: str) -> None:
    portal = Recorder(Answering("", 302, {"Location": location}))
    with pytest.raises(UnexpectedAnswerError, match="redirects to another of its pages") as raised:
        await call(portal)
    assert "rm" not in str(raised.value).replace("permission", "")


class Canned:
    """A transport without a portal: every answer names the method and what was sent."""

    closed = False

    async def send(self, request: Request) -> Envelope:
        return Envelope({"item": {"id": "5", "title": f"{request.method.name} {dict(request.parameters)}"}})

    async def aclose(self) -> None:
        self.closed = True


async def test_any_transport_can_stand_behind_the_client() -> None:
    canned = Canned()
    async with BIConnector(canned) as bi:
        assert (await bi.connectors.get(5)).title == "biconnector.connector.get {'id': 5}"
    assert canned.closed


def test_an_address_needs_a_credential() -> None:
    with pytest.raises(TypeError, match="needs a credential"):
        BIConnector("https://portal.example")


async def test_a_closed_client_closes_its_connections() -> None:
    transport = HttpTransport("https://portal.example", AccessToken(Secret(TOKEN)))
    async with BIConnector(transport):
        assert not transport._client.is_closed
    assert transport._client.is_closed


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://portal.example", "https://portal.example/rest/"),
        ("https://portal.example/", "https://portal.example/rest/"),
        ("https://portal.example/rest/", "https://portal.example/rest/"),
        ("portal.example", "https://portal.example/rest/"),
        ("https://portal.example:8443/b24", "https://portal.example:8443/b24/rest/"),
        ("http://localhost:8080", "http://localhost:8080/rest/"),
        ("http://127.0.0.1:8080/rest", "http://127.0.0.1:8080/rest/"),
        ("http://[::1]:8080", "http://[::1]:8080/rest/"),
        ("https://пример.рф", "https://пример.рф/rest/"),
    ],
)
def test_an_address_may_be_written_in_several_ways(given: str, address: str) -> None:
    assert rest_address(given) == address


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("http://portal.example", "must be addressed by https"),
        ("http://localhost.evil.example", "must be addressed by https"),
        ("http://127.0.0.1.evil.example", "must be addressed by https"),
        ("ftp://portal.example", "must be addressed by https"),
        ("", "must look like"),
        ("https://", "must look like"),
        ("https://s3cret@portal.example", "must look like"),
        ("https://:s3cret@portal.example", "must look like"),
        ("https://portal.example?auth=s3cret", "must look like"),
        ("https://portal.example#s3cret", "must look like"),
        ("https://portal.example:s3cret", "must look like"),
        ("https://portal.example:99999", "must look like"),
        ("https://[::1", "must look like"),
        ("https://portal\x00.example", "must look like"),
        ("https://portal.example/rest/7/s3cret/", "is a webhook's"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secret(given: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        BIConnector(given, AccessToken(Secret(TOKEN)))
    assert "s3cret" not in str(refused.value)


def test_a_webhooks_address_is_split_into_portal_and_secret() -> None:
    portal, webhook = parse_webhook(" https://portal.example/rest/7/s3cret/\n")
    assert (portal, webhook.path.reveal()) == ("https://portal.example", "7/s3cret")
    assert "s3cret" not in repr(webhook)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "7/s3cret",
        "https://portal.example/rest/s3cret/",
        "https://portal.example/rest/7/s3cret/profile.json",
        "https://user:s3cret@portal.example/rest/7/s3cret/",
        "https://portal.example/rest/7/s3cret/?a=1",
    ],
)
def test_what_is_no_webhooks_address_is_refused_without_its_secret(given: str) -> None:
    with pytest.raises(ConfigError, match=r"looks like https://portal.example/rest/USER/SECRET/") as refused:
        parse_webhook(given)
    assert "s3cret" not in str(refused.value)


async def test_the_settings_of_a_source_leave_as_they_are(tables: Portal) -> None:
    await add_source(tables.bi)
    assert json.loads(tables.calls.bodies[-1])["fields"]["settings"] == {"login": "ann", "password": "right"}


class Session:
    """A source whose token can be renewed a given number of times."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = [AccessToken(Secret(token)) for token in tokens]
        self.rejected: list[Credential] = []

    async def current(self) -> Credential:
        return self.tokens[0]

    async def renew(self, rejected: Credential) -> Credential | None:
        self.rejected.append(rejected)
        self.tokens.pop(0)
        return self.tokens[0] if self.tokens else None

    async def replaced(self, refused: Credential) -> Credential | None:  # noqa: ARG002  the protocol's signature
        return None


async def test_an_expired_token_is_renewed_once_and_the_write_is_sent_again() -> None:
    app = create_app(LocalPortalSettings(access_token=Secret("fresh")))
    app.state.faults.arm("expired_token", times=1)
    session = Session("stale", "fresh")
    transport = HttpTransport("http://localhost", session, app=app)
    async with BIConnector(transport) as bi:
        assert await bi.connectors.add(connector_fields()) == 1
        assert len((await bi.connectors.list_page()).items) == 1
    assert [token.token.reveal() for token in session.rejected if isinstance(token, AccessToken)] == ["stale"]


async def test_a_token_that_is_renewed_and_expired_again_is_an_error() -> None:
    app = create_app(LocalPortalSettings(access_token=Secret("fresh")))
    app.state.faults.arm("expired_token", times=2)
    async with BIConnector(HttpTransport("http://localhost", Session("a", "b", "c"), app=app)) as bi:
        with pytest.raises(AuthenticationError, match="expired_token"):
            await bi.connectors.get(1)


async def test_an_unknown_token_is_not_renewed() -> None:
    app = create_app(LocalPortalSettings(access_token=Secret("fresh")))
    session = Session("unknown", "fresh")
    async with BIConnector(HttpTransport("http://localhost", session, app=app)) as bi:
        with pytest.raises(AuthenticationError, match="invalid_token"):
            await bi.connectors.get(1)
    assert session.rejected == []
