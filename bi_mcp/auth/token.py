"""Result of a login: the token, and the application it was given to. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFETIME_S = 3600
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?")
# A number above this is a moment, not a duration: callbacks use one name for both.
_LONGEST_LIFETIME_S = 10 * 365 * 24 * 3600


@dataclass(frozen=True)
class Token:
    """An access token, the refresh token that replaces it once, and the portal and user that both belong to.

    `expires_at` is a moment of OUR clock (unix seconds): the time of asking plus the lifetime that the answer named.
    A clock that is wrong is wrong in both, so it neither wears tokens out nor keeps them too long. `client_endpoint`
    and `server_endpoint` are as the OAuth server said; calls go to the address that the user gave, unless a renewal
    names another one than the login did: then the portal was renamed.
    """

    access_token: Secret
    refresh_token: Secret
    expires_at: float
    client_endpoint: str = ""
    server_endpoint: str = ""
    domain: str = ""
    member_id: str = ""
    user_id: int | None = None
    scope: tuple[str, ...] = ()

    def is_expired(self, now: float) -> bool:
        """Check whether the stored expiry has passed."""
        return now >= self.expires_at

    def to_json(self) -> dict[str, object]:
        """Return the stored form. Only here and in `Application.to_json` are these secrets revealed for storage."""
        return {
            "access_token": self.access_token.reveal(),
            "refresh_token": self.refresh_token.reveal(),
            "expires_at": self.expires_at,
            "client_endpoint": self.client_endpoint,
            "server_endpoint": self.server_endpoint,
            "domain": self.domain,
            "member_id": self.member_id,
            "user_id": self.user_id,
            "scope": " ".join(self.scope),
        }


@dataclass(frozen=True)
class Application:
    """A local application of the portal. `oauth_server` is `https://HOST`, checked before anything is sent to it."""

    client_id: str
    client_secret: Secret
    oauth_server: str

    def to_json(self) -> dict[str, object]:
        """Return the stored form."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "oauth_server": self.oauth_server,
        }


@dataclass(frozen=True)
class Grant:
    """Data of a renewal, kept and replaced together: a refresh token is worth nothing to another application.

    `portal_url` is where the portal is since it was renamed, for a login whose address no profile keeps.
    """

    application: Application
    token: Token
    portal_url: str | None = None


def parse_token(answer: Mapping[str, Any], asked_at: float) -> Token:
    """Read an answer of `/oauth/token/`, tolerantly. Raises `ValueError` if one of the two tokens is missing.

    `asked_at` is when the request left: a slow answer must not make a token look younger than it is.
    """
    expires = _number(answer.get("expires_in"))
    return Token(
        access_token=_secret(answer, "access_token"),
        refresh_token=_secret(answer, "refresh_token"),
        expires_at=asked_at + (expires if 0 < expires < _LONGEST_LIFETIME_S else LIFETIME_S),
        client_endpoint=_text(answer, "client_endpoint"),
        server_endpoint=_text(answer, "server_endpoint"),
        domain=_text(answer, "domain"),
        member_id=_text(answer, "member_id"),
        user_id=int(_number(answer.get("user_id"))) or None,
        scope=tuple(_text(answer, "scope").replace(",", " ").split()),
    )


def grant_from_json(stored: Mapping[str, Any]) -> Grant:
    """Read the output of `grant_to_json`. Raises `ValueError` for anything else."""
    application, token = stored.get("application"), stored.get("token")
    if not isinstance(application, dict) or not isinstance(token, dict):
        raise ValueError("no grant")  # noqa: TRY004  one error for all that is not ours
    return Grant(
        Application(
            client_id=_text(application, "client_id"),
            client_secret=_secret(application, "client_secret"),
            oauth_server=_text(application, "oauth_server"),
        ),
        replace(parse_token(token, 0), expires_at=_number(token.get("expires_at"))),
        _text(stored, "portal_url") or None,
    )


def grant_to_json(grant: Grant) -> dict[str, object]:
    """Return the stored form of a grant."""
    moved = {"portal_url": grant.portal_url} if grant.portal_url else {}
    return {"application": grant.application.to_json(), "token": grant.token.to_json(), **moved}


def find_new_address(before: Token, now: Token) -> str | None:
    """Return the portal's new address, `https://HOST`, if a renewal names another host than the token before it."""
    old, new = _portal_of(before), _portal_of(now)
    return new if old is not None and new != old else None


def _portal_of(token: Token) -> str | None:
    try:
        parts = urlsplit(token.client_endpoint)
    except ValueError:
        return None
    usable = parts.scheme == "https" and _HOST.fullmatch(parts.netloc)
    return f"https://{parts.netloc.lower()}" if usable else None


def _secret(wire: Mapping[str, Any], name: str) -> Secret:
    value = wire.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(say("{name} is missing", name=name))
    return Secret(value)


def _text(wire: Mapping[str, Any], name: str) -> str:
    value = wire.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    """Read a number, which some portals send as text; 0 if it is missing."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if isfinite(number) else 0.0
