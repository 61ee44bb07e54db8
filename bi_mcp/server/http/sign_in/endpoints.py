"""The SDK's endpoints for clients, behind what they leave open.

They take the last of repeated parameters, ignore `resource`, want `client_id` beside HTTP Basic, refuse public clients that revoke a
token, and let an error of the store become a stack trace in the log.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlencode

from mcp.shared.auth import OAuthClientMetadata
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.errors import BiMcpError
from bi_mcp.server.http.access import SCOPES
from bi_mcp.server.http.sign_in.authorize import is_resource
from bi_mcp.server.http.sign_in.forms import FormError, TooLargeError, is_form, parse_fields, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Message

    Handler = Callable[[Request], Awaitable[Response]]

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
LONGEST_NAME = 200
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_GRANTS = ("authorization_code", "refresh_token")
_HINTS = ("access_token", "refresh_token")
# What is kept of a registration. The rest says nothing that this server would show or use.
_KEPT = ("client_name", "redirect_uris", "token_endpoint_auth_method", "application_type")

logger = logging.getLogger(__name__)


class OAuthRefusalError(Exception):
    """A refusal in the words of OAuth, whose descriptions are ASCII for developers (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error, description)
        self.answer = refuse(error, description, status=status)


def refuse(error: str, description: str, *, status: int = 400) -> Response:
    """Build OAuth's error answer."""
    headers = NO_STORE | ({"Retry-After": "30"} if status in (429, 503) else {})
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def token_endpoint(handler: Handler, resource: str) -> Handler:
    """Guard the token endpoint. `resource` is this server's address, for which alone it issues tokens."""

    def check(fields: dict[str, str]) -> dict[str, str]:
        if not is_resource(fields.get("resource"), resource):
            raise OAuthRefusalError("invalid_target", f"resource must be {resource}.")
        grant = fields.get("grant_type")
        if grant is None:
            raise OAuthRefusalError("invalid_request", "grant_type is missing.")
        if grant not in _GRANTS:
            raise OAuthRefusalError("unsupported_grant_type", f"grant_type must be {' or '.join(_GRANTS)}.")
        if grant == "authorization_code" and not _VERIFIER.fullmatch(fields.get("code_verifier", "")):
            raise OAuthRefusalError(
                "invalid_grant", "code_verifier is missing or not PKCE's (RFC 7636, 4.1)."
            )
        return fields

    return _form_endpoint(handler, check)


def revocation_endpoint(handler: Handler) -> Handler:
    """Guard the revocation endpoint."""

    def check(fields: dict[str, str]) -> dict[str, str]:
        if "token" not in fields:
            raise OAuthRefusalError("invalid_request", "token is missing.")
        if fields.get("token_type_hint") not in _HINTS:
            # RFC 7009 has servers ignore hints that they do not know.
            fields.pop("token_type_hint", None)
        # The SDK wants the field of clients without a secret as well.
        return {"client_secret": "", **fields}

    return _form_endpoint(handler, check)


def registration_endpoint(handler: Handler) -> Handler:
    """Guard the registration endpoint."""

    async def answer(request: Request) -> Response:
        registration = _registration(await read_body(request))
        return await handler(_with_body(request, json.dumps(registration).encode(), "application/json"))

    return _guarded(answer, "invalid_client_metadata")


def _form_endpoint(handler: Handler, check: Callable[[dict[str, str]], dict[str, str]]) -> Handler:
    async def answer(request: Request) -> Response:
        if not is_form(request):
            raise OAuthRefusalError("invalid_request", "The body must be application/x-www-form-urlencoded.")
        fields = check(_with_client_id(request, parse_fields(await read_body(request))))
        return await handler(
            _with_body(request, urlencode(fields).encode(), "application/x-www-form-urlencoded")
        )

    return _guarded(answer, "invalid_request")


def _guarded(answer: Handler, error: str) -> Handler:
    """Answer every failure as OAuth does, and let nobody keep an answer."""

    async def guarded(request: Request) -> Response:
        try:
            response = await answer(request)
        except OAuthRefusalError as refused:
            return refused.answer
        except TooLargeError:
            return refuse(error, "The request is too large.", status=413)
        except FormError:
            return refuse(error, "The body is not a form, or a parameter is repeated.")
        except BiMcpError as failure:
            logger.warning("an OAuth endpoint failed: %s", type(failure).__name__)
            return refuse(
                "temporarily_unavailable",
                "The server cannot reach its store, or the client's document. Try again.",
                status=503,
            )
        response.headers.update(NO_STORE)
        if response.status_code == 401:
            # RFC 6749, 5.2.
            response.headers["WWW-Authenticate"] = 'Basic realm="bi-mcp"'
        return response

    return guarded


def _with_client_id(request: Request, fields: dict[str, str]) -> dict[str, str]:
    """Add the client of HTTP Basic, which needs no parameter (RFC 6749, 2.3.1)."""
    basic = request.headers.getlist("authorization")
    if not basic:
        return fields
    if len(basic) > 1 or "client_secret" in fields:
        raise OAuthRefusalError("invalid_request", "The client authenticates in more than one way.")
    scheme, _, credentials = basic[0].partition(" ")
    if scheme.lower() != "basic":
        return fields
    try:
        name, colon, _ = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise OAuthRefusalError(
            "invalid_client", "The Authorization header is not HTTP Basic.", status=401
        ) from None
    client_id = unquote_plus(name)
    if not colon or fields.get("client_id", client_id) != client_id:
        raise OAuthRefusalError(
            "invalid_client", "The Authorization header names another client.", status=401
        )
    return {**fields, "client_id": client_id}


def _registration(body: bytes) -> Mapping[str, Any]:
    """Read a registration, and leave out what this server does not support: RFC 7591 has it say so in its answer."""
    try:
        asked = parse_foreign(body)
        if not isinstance(asked, dict):
            raise OAuthRefusalError("invalid_client_metadata", "The body must be a JSON object.")
        _check_spelling(OAuthClientMetadata.model_validate(asked), asked)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]})
        kind = "invalid_redirect_uri" if names == ["redirect_uris"] else "invalid_client_metadata"
        raise OAuthRefusalError(kind, f"Not valid: {', '.join(names)[:LONGEST_NAME]}.") from None
    except ValueError:
        raise OAuthRefusalError("invalid_client_metadata", "The body must be JSON.") from None
    if len(asked.get("client_name") or "") > LONGEST_NAME:
        raise OAuthRefusalError(
            "invalid_client_metadata", f"client_name is longer than {LONGEST_NAME} characters."
        )
    kept = {name: asked[name] for name in _KEPT if asked.get(name) is not None}
    return {
        **kept,
        "scope": _scopes(asked.get("scope")),
        "grant_types": list(_GRANTS),
        "response_types": ["code"],
    }


def _check_spelling(registration: OAuthClientMetadata, asked: Mapping[str, Any]) -> None:
    """Refuse addresses that are spelled otherwise than they are kept: later they are compared letter by letter."""
    kept = [str(address) for address in registration.redirect_uris or []]
    if not kept or kept != asked["redirect_uris"]:
        raise OAuthRefusalError(
            "invalid_redirect_uri", "redirect_uris must be a list of addresses in their normal form."
        )


def _scopes(asked: object) -> str:
    known = [scope for scope in SCOPES if scope in (asked.split() if isinstance(asked, str) else [])]
    return " ".join(known or SCOPES)


def _with_body(request: Request, body: bytes, kind: str) -> Request:
    """The request with another body."""
    changed = {b"content-length": str(len(body)).encode(), b"content-type": kind.encode()}
    headers = [(name, value) for name, value in request.scope["headers"] if name not in changed]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": [*headers, *changed.items()]}, receive)
