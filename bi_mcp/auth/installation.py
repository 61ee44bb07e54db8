"""Tokens that a portal posted to an application's handler when it was installed. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from bi_mcp.auth.token import parse_token
from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.auth.token import Token

# An application that "uses only the API" gets a form with nested names.
_NESTED = re.compile(r"auth\[(\w+)\]")

# The callback's names beside OAuth's own, which newer callbacks use.
_NAMES = {
    "AUTH_ID": "access_token",
    "REFRESH_ID": "refresh_token",
    "AUTH_EXPIRES": "expires_in",
    "DOMAIN": "domain",
    "SERVER_ENDPOINT": "server_endpoint",
}
_NEEDED = {"access_token": "AUTH_ID", "refresh_token": "REFRESH_ID"}


@dataclass(frozen=True)
class Installation:
    """A delivered token. `portal` and `oauth_host` are hosts as the callback names them, or empty: not yet checked."""

    token: Token
    portal: str
    oauth_host: str


def parse_installation(text: str, delivered_at: float) -> Installation:
    """Read a callback: a JSON object, also one whose `auth` holds the token, or the posted form as it came.

    `delivered_at` is unix seconds; if it is not known, pass the present: a token that is older is renewed when the portal
    calls it expired. Raises `ConfigError`, which names the missing fields and never a value.
    """
    delivered = _read_delivery(text)
    answer = {_NAMES.get(name, name): value for name, value in delivered.items()}
    missing = [f"{theirs} (or {name})" for name, theirs in _NEEDED.items() if not answer.get(name)]
    if missing:
        raise ConfigError(
            say(
                "The installation's data lacks {missing}. Copy all of it, as the portal posted it.",
                missing=" and ".join(missing),
            )
        )
    try:
        token = parse_token(answer, delivered_at)
    except ValueError as error:
        raise ConfigError(
            say(
                "The installation's data cannot be used: {error}. Copy it again, as the portal posted it.",
                error=error,
            )
        ) from None
    return Installation(
        token=token,
        portal=_host(token.client_endpoint) or token.domain,
        oauth_host=_host(token.server_endpoint),
    )


def _read_delivery(text: str) -> dict[str, Any]:
    try:
        delivered = json.loads(text)
    except (ValueError, RecursionError):
        posted = dict(parse_qsl(text.strip()))
        nested = {found[1]: value for name, value in posted.items() if (found := _NESTED.fullmatch(name))}
        delivered = nested or posted
    if isinstance(delivered, dict) and isinstance(delivered.get("auth"), dict):
        delivered = delivered["auth"]
    if not isinstance(delivered, dict) or not delivered:
        raise ConfigError(
            say(
                "The installation's data is neither a JSON object nor a form. Copy AUTH_ID, REFRESH_ID, AUTH_EXPIRES, member_id and DOMAIN as the portal posted them."
            )
        )
    return delivered


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""
