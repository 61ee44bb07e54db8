"""One POST as Bitrix24 makes it, or one GET, over the network or inside this process. The only place of this package with httpx."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import anyio
import httpx

from bi_mcp.base.language import say, text
from bi_mcp.base.logs import hide_answers_in_logs
from bi_mcp.base.unpacking import ENCODINGS, NO_ENCODING, PART, unpack
from bi_mcp.endpoints.answers import EndpointAnswer
from bi_mcp.endpoints.guard import Address, Destination
from bi_mcp.endpoints.wording import Connection, name_address, name_answered_address, quote_refusal
from bi_mcp.errors import EndpointError, EndpointReason
from bi_mcp.rest.network import certificate_trouble, require_key_log

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Enough for a service's sentence about its refusal.
LARGEST_REFUSAL = 4096
# Further addresses of a host are not tried.
MOST_IPS = 4
_POST_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "bi-mcp (as Bitrix24)"}
_GET_HEADERS = {"Accept": "application/json", "User-Agent": "bi-mcp"}
STATUS_REASONS: Mapping[int, EndpointReason] = {
    401: "denied",
    403: "denied",
    404: "not_found",
    429: "too_often",
}


@dataclass(frozen=True)
class EndpointLimits:
    """Limits: Bitrix24's own for time, and the most that is read of an answer: bytes (uncompressed), rows, tables or columns."""

    connect_s: float = 250.0
    body_s: float = 60.0
    size: int = 8 * 1024 * 1024
    rows: int = 1000
    items: int = 10_000


class Exchange:
    """One POST of a form, or one GET without one, with everything that its errors mention."""

    def __init__(
        self,
        url: str,
        form: bytes | None,
        connection: Connection,
        limits: EndpointLimits,
        wants: Callable[[bytes], bool],
    ) -> None:
        self.scope = anyio.CancelScope()
        self._url = url
        self._form = form
        self._connection = connection
        self._limits = limits
        self._wants = wants
        self._started = anyio.current_time()
        self._connected = False

    async def in_process(self, app: ASGIApp, address: Address) -> EndpointAnswer:
        self._now_connected()
        carrier = httpx.ASGITransport(_Bounded(app, self._limits.size), raise_app_exceptions=False)
        answer = await self._exchange(carrier, self._parsed_url(), {"Host": address.authority}, {})
        return replace(answer, scheme=address.scheme, in_process=True)

    async def over_network(self, destination: Destination, certificates: ssl.SSLContext) -> EndpointAnswer:
        """Connect to one of the judged addresses and to no other: the name is not resolved again."""
        address = destination.address
        extensions = {"sni_hostname": address.host, "trace": self._trace}
        for ip in destination.ips[:MOST_IPS]:
            carrier = httpx.AsyncHTTPTransport(verify=certificates, trust_env=False)
            url = self._parsed_url().copy_with(scheme=address.scheme, host=str(ip), port=address.port)
            try:
                answer = await self._exchange(carrier, url, {"Host": address.authority}, extensions)
            except httpx.ConnectError as error:
                refused = error
                if _tls_error(error):
                    break
                continue
            return replace(answer, scheme=address.scheme, not_public=destination.not_public)
        raise self._unreachable(refused)

    async def _exchange(
        self,
        carrier: httpx.AsyncBaseTransport,
        url: httpx.URL,
        headers: Mapping[str, str],
        extensions: Mapping[str, object],
    ) -> EndpointAnswer:
        method, own = ("GET", _GET_HEADERS) if self._form is None else ("POST", _POST_HEADERS)
        headers = {**headers, **own, "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(transport=carrier, trust_env=False, timeout=None) as client:  # noqa: S113 - the scope ends it
            request = client.build_request(
                method, url, content=self._form, headers=headers, extensions=dict(extensions)
            )
            try:
                response = await client.send(request, stream=True, follow_redirects=False)
                await self._check_status(response)
                size = await self._read(response)
                tls = _tls_version(response)
                await response.aclose()
            except httpx.ConnectError:
                raise
            except httpx.HTTPError as error:
                # The text of an httpx exception may hold the address with its query: only its class is used.
                raise self._unreachable(error) from None
        return EndpointAnswer(
            status=response.status_code,
            seconds=anyio.current_time() - self._started,
            size=size,
            tls=tls,
            compressed=_encoding(response) not in NO_ENCODING,
            headers=response.headers,
        )

    async def _read(self, response: httpx.Response) -> int:
        size = 0
        async with aclosing(_uncompress(response, self._name())) as parts:
            async for part in parts:
                size += len(part)
                if size > self._limits.size or not self._wants(part):
                    break
        return size

    async def _said(self, response: httpx.Response) -> str:
        """Quote the beginning of a refusal's body; a body that cannot be read is not quoted."""
        body = bytearray()
        try:
            async with aclosing(_uncompress(response, self._name())) as parts:
                async for part in parts:
                    body += part
                    if len(body) >= LARGEST_REFUSAL:
                        break
        except (httpx.HTTPError, EndpointError):
            return ""
        cut = len(body) >= LARGEST_REFUSAL
        return quote_refusal(bytes(body[:LARGEST_REFUSAL]), self._connection, cut=cut)

    async def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if response.has_redirect_location:
            target = self._target(response)
            if target is not None and name_address(target) == self._name():
                raise EndpointError(
                    say("{url} redirects to itself (HTTP {status}).", url=self._name(), status=status),
                    reason="loop",
                    status=status,
                )
            raise EndpointError(
                say(
                    "{url} redirects to {target} (HTTP {status}). Only HTTP 200 counts, and a connection's values are not sent on to another address.",
                    url=self._name(),
                    target=say("an address that cannot be read")
                    if target is None
                    else name_answered_address(target, self._connection),
                    status=status,
                ),
                reason="redirect",
                status=status,
            )
        if status != 200:
            refused = EndpointError(
                say("{url} answered HTTP {status}.", url=self._name(), status=status),
                reason=STATUS_REASONS.get(status, "status"),
                status=status,
            )
            refused.said = await self._said(response)
            raise refused

    def _target(self, response: httpx.Response) -> str | None:
        try:
            return urljoin(self._url, response.headers["location"])
        except ValueError:
            return None

    def _parsed_url(self) -> httpx.URL:
        try:
            # The guard has judged the host; a browser's way of reading it must not come in between.
            parts = urlsplit(self._url)
            return httpx.URL(parts._replace(netloc="host.invalid", fragment="").geturl())
        except (httpx.InvalidURL, ValueError):
            raise EndpointError(
                say(
                    "The endpoint's address cannot be called: its path or query cannot be read. Give the connector one such as https://host/path."
                ),
                reason="bad_address",
            ) from None

    def _name(self) -> str:
        return name_address(self._url)

    async def _trace(self, event: str, _: Mapping[str, object]) -> None:
        if event.endswith("send_request_headers.started"):
            self._now_connected()

    def _now_connected(self) -> None:
        self._connected = True
        self.scope.deadline = anyio.current_time() + self._limits.body_s

    def late(self) -> EndpointError:
        what, seconds = text("Could not connect to {name} within {seconds:g} s."), self._limits.connect_s
        if self._connected:
            what, seconds = (
                text("{name} did not send its whole answer within {seconds:g} s."),
                self._limits.body_s,
            )
        return EndpointError(say(what, name=self._name(), seconds=seconds), reason="timeout")

    def _unreachable(self, error: httpx.HTTPError) -> EndpointError:
        trouble = certificate_trouble(error, urlsplit(self._url).hostname or "") or _tls_error(error)
        if trouble is not None:
            return EndpointError(
                say("{url}: TLS failed: {trouble}.", url=self._name(), trouble=trouble), reason="tls"
            )
        what = text("Cannot connect to {name} ({kind}).")
        if self._connected:
            what = text("{name} closed the connection ({kind}).")
        return EndpointError(say(what, name=self._name(), kind=type(error).__name__), reason="unreachable")


class _Bounded:
    """An app in this process that is stopped when it has sent too much: httpx would first collect the whole answer."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._left = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_bounded(message: Message) -> None:
            await send(message)
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise OSError("enough was read")

        await self._app(scope, receive, send_bounded)


def _encoding(response: httpx.Response) -> str:
    encoding: str = response.headers.get("content-encoding", "").strip().lower()
    return encoding


async def _uncompress(response: httpx.Response, name: str) -> AsyncGenerator[bytes, None]:
    encoding = _encoding(response)
    if encoding not in NO_ENCODING | ENCODINGS:
        raise EndpointError(
            say("{name} answered in a content encoding that was not requested.", name=name),
            reason="encoding",
            status=200,
        )
    try:
        async with aclosing(unpack(response.aiter_raw(PART), encoding)) as parts:
            async for part in parts:
                yield part
    except zlib.error:
        raise EndpointError(
            say(
                "{name} sent a body that is not {encoding}, although its header says so.",
                name=name,
                encoding=encoding,
            ),
            reason="encoding",
            status=200,
        ) from None


def _tls_error(error: BaseException) -> str | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return (cause.reason or say("no common protocol")).replace("_", " ").lower()
        cause = cause.__cause__ or cause.__context__
    return None


def _tls_version(response: httpx.Response) -> str | None:
    stream = response.extensions.get("network_stream")
    session = stream.get_extra_info("ssl_object") if stream is not None else None
    return session.version() if isinstance(session, ssl.SSLObject) else None


@lru_cache(maxsize=1)
def certificates_of_authorities() -> ssl.SSLContext:
    require_key_log()
    return httpx.create_ssl_context(trust_env=False)


hide_answers_in_logs()
