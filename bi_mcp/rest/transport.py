"""One POST to the portal. The only place of the REST library where httpx is used, and where a secret leaves."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text
from bi_mcp.base.logs import hide_answers_in_logs
from bi_mcp.base.secret import MASK, Secret, secrets_in
from bi_mcp.base.unpacking import PART, read_bounded
from bi_mcp.base.web_address import LOOPBACK
from bi_mcp.errors import (
    AuthenticationError,
    ConfigError,
    InvalidRequestError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest.credential import AccessToken, Credential, CredentialSource, FixedCredential, Webhook
from bi_mcp.rest.envelope import Envelope, parse_answer, unexpected_answer
from bi_mcp.rest.error_codes import look_first
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.network import Connections, certificate_trouble
from bi_mcp.rest.tracing import rest_span

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Request

# One request of the portal lives 60 s at most; a little more, so that its own error is seen.
TIMEOUT = httpx.Timeout(65.0, connect=10.0)
# A page of fifty datasets with a thousand columns each has some ten megabytes.
MOST_BYTES = 64 * 1024 * 1024
# A login page gets the address back as a parameter, with its slashes encoded.
_WEBHOOK_SECRET = re.compile(r"(rest(?:/|%2F)\d+(?:/|%2F))[^/%&\s'\"]+", re.IGNORECASE)
# Refused before a byte of the request was written. A proxy that refuses to tunnel has not seen the request.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class HttpTransport:
    """Calls `POST {portal}/rest/{method}` with a JSON body.

    A credential that its source can renew is renewed once when the portal calls it expired, and one that the portal does
    not know any more is looked up again, in case of a newer login; one that names another
    address of the portal is followed there. `app` is a portal in the
    same process, called without a socket. `connections` are shared with others, and stay open when this one is closed.
    Raises `ConfigError` for an unusable address.
    """

    def __init__(
        self,
        portal_url: str,
        credential: Credential | CredentialSource,
        *,
        app: ASGIApp | None = None,
        connections: Connections | None = None,
    ) -> None:
        self._base = rest_address(portal_url)
        self.host = urlsplit(self._base).netloc
        self._source: CredentialSource = (
            FixedCredential(credential) if isinstance(credential, AccessToken | Webhook) else credential
        )
        self._owns_connections = connections is None
        self._connections = connections or Connections(
            TIMEOUT, None if app is None else httpx.ASGITransport(app)
        )
        self._client, self._proxy_variable = self._connections.to(self._base)

    async def send(self, request: Request) -> Envelope:
        """POST the request with the current credential; once more with a renewed one."""
        credential = await self._source.current()
        try:
            return await self._post(request, credential)
        except AuthenticationError as error:
            # The portal looks at the token before anything else, so a write that met an expired one did not happen.
            another = self._source.renew if error.code == "expired_token" else self._source.replaced
            renewed = await another(credential)
            if renewed is None:
                raise
        return await self._post(request, renewed)

    async def _post(self, request: Request, credential: Credential) -> Envelope:
        self._follow(credential)
        method, address = request.method, self._address(request.method, credential)
        content = _body(request, credential)
        with rest_span(request, self.host):
            try:
                async with self._client.stream(
                    "POST", address, content=content, headers={"Content-Type": "application/json"}
                ) as response:
                    encoding = response.headers.get("content-encoding", "")
                    body = await read_bounded(response.aiter_raw(PART), encoding, MOST_BYTES)
            except httpx.HTTPError as error:
                # The text of an httpx exception may hold the address, and a webhook's address is a secret: only its class is used.
                raise self._unreachable(method, error) from None
            if response.is_redirect:
                raise self._redirect_error(method, response)
            if body is None:
                what = say("larger than {most} bytes, or not compressed in the way it says", most=MOST_BYTES)
                raise unexpected_answer(method, response.status_code, what)
            try:
                return parse_answer(method, response.status_code, body, response.headers)
            except PortalError as error:
                secrets = [*_secrets_of(credential), *secrets_in(dict(request.parameters))]
                raise error.without(secrets) from None

    async def aclose(self) -> None:
        """Close the connections that were kept open, except for shared ones."""
        if self._owns_connections:
            await self._connections.aclose()

    def _follow(self, credential: Credential) -> None:
        """Call the portal under its new name, once the source of credentials knows one."""
        if not isinstance(credential, AccessToken) or credential.portal_url is None:
            return
        base = rest_address(credential.portal_url)
        if base == self._base:
            return
        self._base, self.host = base, urlsplit(base).netloc
        self._client, self._proxy_variable = self._connections.to(base)

    def _address(self, method: Method, credential: Credential) -> str:
        if not isinstance(credential, Webhook):
            return f"{self._base}{method.name}"
        if not method.webhook:
            raise InvalidRequestError(
                say(
                    "{name} was not sent: a webhook may call only the *.fields methods. Configure an application's access token (BI_MCP_ACCESS_TOKEN) for everything else.",
                    name=method.name,
                )
            )
        return f"{self._base}{credential.path.reveal()}/{method.name}"

    def _redirect_error(self, method: Method, response: httpx.Response) -> UnexpectedAnswerError:
        """Make the error for a redirect. No credential follows one: the answering server could name any host."""
        status, new = response.status_code, _host_of(response.headers.get("location", ""))
        if new in {None, self.host}:
            what = say(
                "{host} redirects to another of its pages (HTTP {status}), and a credential is not sent after a redirect. Configure the portal's final address.",
                host=self.host,
                status=status,
            )
        else:
            what = say(
                "{host} redirects to {new} (HTTP {status}). Nothing was sent there. {advice}",
                host=self.host,
                new=new,
                status=status,
                advice=advise(AdviceKind.USE_NEW_ADDRESS, host=self.host, new=new),
            )
        return UnexpectedAnswerError(f"{method.name}: {what}", method=method.name, status=status)

    def _unreachable(self, method: Method, error: httpx.HTTPError) -> UnreachableError:
        trouble = certificate_trouble(error, self.host)
        if trouble is not None:
            return self._certificate_error(method, trouble)
        nothing_sent = isinstance(error, _NOTHING_SENT)
        harmless = nothing_sent or method.effect is Effect.READ
        what = text("{name}: {host} closed the connection ({kind}). {advice}")
        if nothing_sent:
            what = text("{name}: {host} could not be reached ({kind}). {advice}")
        elif isinstance(error, httpx.TimeoutException):
            what = text("{name}: {host} did not answer in time ({kind}). {advice}")
        advice = say("Check the portal's address and your network, then try again.")
        if nothing_sent and self._proxy_variable:
            advice = say(
                "The request goes through the proxy that {variable} names: check it, the portal's address and NO_PROXY, then try again.",
                variable=self._proxy_variable,
            )
        if not harmless:
            advice = say("The change may have been made all the same. {advice}", advice=look_first(method))
        return UnreachableError(
            say(what, name=method.name, host=self.host, kind=type(error).__name__, advice=advice),
            method=method.name,
            may_have_happened=not harmless,
        )

    def _certificate_error(self, method: Method, trouble: str) -> UnreachableError:
        return UnreachableError(
            say(
                "{name} was not sent: {trouble}. If your company's network inspects TLS, set SSL_CERT_FILE to the file with its certificates; else check the portal's address.",
                name=method.name,
                trouble=trouble,
            ),
            method=method.name,
            may_have_happened=False,
            lasting=True,
        )


def _host_of(location: str) -> str | None:
    """Return the host of a redirect if it looks like one: the text came from outside and is shown to people."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    return host if re.fullmatch(r"[a-z0-9.-]{1,253}(:\d{1,5})?", host) else None


_NO_ADDRESS = text(
    "The portal's address must look like https://portal.example, without user, query or fragment."
)


def rest_address(portal_url: str) -> str:
    """`https://portal.example`, with or without `/rest/` -> `https://portal.example/rest/`.

    Raises `ConfigError` for anything but https, except http on loopback: a token would travel in clear text.
    """
    address = portal_url if "://" in portal_url else f"https://{portal_url}"
    try:
        parts = urlsplit(address)
        usable = httpx.URL(address).host and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        raise ConfigError(say(_NO_ADDRESS)) from None
    if not usable or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(say(_NO_ADDRESS))
    if re.search(r"/rest/\d+/", f"{parts.path}/"):
        raise ConfigError(
            say(
                "The portal's address is a webhook's. Set BI_MCP_WEBHOOK to it instead, or leave out all after the host."
            )
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigError(
            say(
                "The portal {hostname} must be addressed by https: a token would travel in clear text.",
                hostname=parts.hostname,
            )
        )
    path = parts.path.rstrip("/").removesuffix("/rest")
    return f"{parts.scheme}://{parts.netloc}{path}/rest/"


def _body(request: Request, credential: Credential) -> bytes:
    body = dict(request.parameters)
    if isinstance(credential, AccessToken):
        body["auth"] = credential.token
    try:
        return json.dumps(body, default=_reveal, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        # The text of these exceptions may hold the whole body, token included.
        raise InvalidRequestError(
            say(
                "{name} was not sent: a value cannot be written as JSON (half a Unicode character, a number that is not finite, or something else than text, numbers, arrays and objects). Correct it.",
                name=request.method.name,
            )
        ) from None


def _secrets_of(credential: Credential) -> list[Secret]:
    if isinstance(credential, AccessToken):
        return [credential.token]
    return [credential.path, Secret(credential.path.reveal().rpartition("/")[2])]


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} cannot be sent to a portal")


def _without_webhook(record: logging.LogRecord) -> bool:
    """Mask the webhook in log records of httpx, which hold each request's address: a webhook's address is a secret."""
    record.msg = _mask(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(_mask(part) for part in record.args)
    return True


def _mask(part: object) -> object:
    text = str(part)
    masked = _WEBHOOK_SECRET.sub(rf"\1{MASK}", text)
    return part if masked == text else masked


logging.getLogger("httpx").addFilter(_without_webhook)
hide_answers_in_logs()
