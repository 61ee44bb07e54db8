"""Two requests to the OAuth server: a code for a token, and a refresh token for the next token."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import httpx

from bi_mcp.auth.token import parse_token
from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.base.language import say, text
from bi_mcp.base.secret import MASK
from bi_mcp.base.unpacking import PART, read_bounded
from bi_mcp.errors import AuthorisationError, UnexpectedAnswerError, UnreachableError
from bi_mcp.rest.network import certificate_trouble, open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bi_mcp.auth.token import Application, Token
    from bi_mcp.base.advice import Advice
    from bi_mcp.base.secret import Secret

METHOD = "oauth.token"
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
MOST_BYTES = 1024 * 1024
# For a whole exchange: a server may send a byte now and then, and other processes wait meanwhile.
LIMIT_S = 30.0

# Advice for the codes of OAuth.
_ADVICE: dict[str, str] = {
    "authorization_code invalid_grant": text(
        "The portal does not accept the code: it lives 30 seconds and works once. Log in again and confirm without delay."
    ),
    "refresh_token invalid_grant": text(
        "The portal does not accept this login any more: it was not used for 180 days, was withdrawn, "
        "was renewed from a copy elsewhere, or a process was stopped in the middle of a renewal."
    ),
    "PAYMENT_REQUIRED": text(
        "The portal's plan has run out or does not include REST. Renew it in the portal; the login is kept and "
        "works again then."
    ),
    "invalid_client": text(
        "The portal knows no such application, or its secret is another. Compare client_id and client_secret with "
        "the application's card."
    ),
    "invalid_scope": text("The application lacks the scope 'biconnector'. Add it on the application's card."),
    "insufficient_scope": text(
        "The application lacks the scope 'biconnector'. Add it on the application's card."
    ),
    "invalid_request": text(
        "The OAuth server did not understand the request. Check client_id and client_secret."
    ),
}
_UNLISTED = text("The OAuth server refused. Try again later, or log in again.")
_CODE = re.compile(r"\w{1,64}", re.ASCII)
_QUERY = re.compile(r"(/oauth/token/\?)[^\s'\"]+")


class OAuthClient:
    """Client of the server that `Application.oauth_server` names. Secrets travel in the address, as the vendor wants it.

    Raises `AuthorisationError` for a refusal of the server, `UnreachableError` and `UnexpectedAnswerError` if it does not
    give an OAuth answer; `login` is advised as the next step.
    """

    def __init__(
        self,
        *,
        login: Advice,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._login = login
        self._clock = clock
        self._transport = transport

    async def exchange(self, application: Application, code: Secret) -> Token:
        """Turn the code of a login into a token. The code lives 30 seconds and works once."""
        return await self._ask(application, "authorization_code", {"code": code.reveal()})

    async def refresh(self, application: Application, refresh_token: Secret) -> Token:
        """Get the next token. From here on the portal does not know the old refresh token any more."""
        return await self._ask(application, "refresh_token", {"refresh_token": refresh_token.reveal()})

    async def _ask(self, application: Application, grant_type: str, grant: Mapping[str, str]) -> Token:
        query = {
            "grant_type": grant_type,
            "client_id": application.client_id,
            "client_secret": application.client_secret.reveal(),
            **grant,
        }
        asked_at = self._clock()
        response, body = await self._get(application.oauth_server, query)
        answer = _answer(response, body)
        if answer.get("error"):
            raise self._refusal(grant_type, answer["error"])
        try:
            return parse_token(answer, asked_at)
        except ValueError as error:
            raise _unexpected_answer(response, str(error)) from None

    async def _get(self, server: str, query: Mapping[str, str]) -> tuple[httpx.Response, bytes]:
        client, _ = open_client(server, TIMEOUT, self._transport)
        try:
            async with client:
                with anyio.fail_after(LIMIT_S):
                    async with client.stream("GET", f"{server}/oauth/token/", params=query) as response:
                        encoding = response.headers.get("content-encoding", "")
                        body = await read_bounded(response.aiter_raw(PART), encoding, MOST_BYTES)
                        return response, body or b""
        except (httpx.HTTPError, TimeoutError) as error:
            # The text of an httpx exception may hold the address, and the address holds the secrets.
            raise _unreachable(server, error) from None

    def _refusal(self, grant_type: str, code: object) -> AuthorisationError:
        known = code if isinstance(code, str) and _CODE.fullmatch(code) else "unknown"
        advice = _ADVICE.get(f"{grant_type} {known}") or _ADVICE.get(known) or _UNLISTED
        # Where the plan has run out the login stays good.
        login = [] if known == "PAYMENT_REQUIRED" else [self._login]
        return AuthorisationError(f"{known}: {say(advice)}", *login, code=known)


def _unreachable(server: str, error: Exception) -> UnreachableError:
    trouble = certificate_trouble(error, urlsplit(server).netloc)
    if trouble is None:
        what = say(
            "The OAuth server of the portal gave no answer ({name}). Check your network, then try again.",
            name=type(error).__name__,
        )
    else:
        what = say(
            "The OAuth server of the portal was not asked: {trouble}. If your company's network inspects TLS, set SSL_CERT_FILE to the file with its certificates.",
            trouble=trouble,
        )
    return UnreachableError(what, method=METHOD, may_have_happened=False, lasting=trouble is not None)


def _answer(response: httpx.Response, body: bytes) -> Mapping[str, Any]:
    if response.is_redirect:
        raise _unexpected_answer(response, say("a redirect, and secrets are not sent after one"))
    try:
        answer = parse_foreign(body)
    except ValueError:
        raise _unexpected_answer(response, say("not JSON")) from None
    if not isinstance(answer, dict):
        raise _unexpected_answer(response, say("not a JSON object"))
    return answer


def _unexpected_answer(response: httpx.Response, what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        say(
            "The OAuth server of the portal answered HTTP {status_code} with something else than a token ({what}). Try again later.",
            status_code=response.status_code,
            what=what,
        ),
        method=METHOD,
        status=response.status_code,
    )


def _without_query(record: logging.LogRecord) -> bool:
    """Mask the query in log records of httpx, which hold each request's address: here it holds every secret of a login."""
    if isinstance(record.args, tuple):
        record.args = tuple(_mask(part) for part in record.args)
    return True


def _mask(part: object) -> object:
    text = str(part)
    return _QUERY.sub(rf"\1{MASK}", text) if "/oauth/token/" in text else part


for _name in ("httpx", "httpcore.http11", "httpcore.http2"):
    logging.getLogger(_name).addFilter(_without_query)
