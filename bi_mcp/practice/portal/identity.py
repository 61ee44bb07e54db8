"""Callers: a user through an application, or a user through a webhook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bi_mcp.base.secret import Secret
from bi_mcp.practice.portal.answers import SystemFault

FIXED_APPLICATION = "local.embedded"
FIXED_USER = 1
SCOPE = "biconnector"


@dataclass(frozen=True)
class Caller:
    """The caller of a method. `application` is the client id that owns new objects; None for a webhook."""

    application: str | None
    user_id: int
    webhook: bool
    scopes: frozenset[str]


class TokenLookup(Protocol):
    def caller_of(self, access_token: str) -> Caller:
        """Return the caller of an access token; raise `SystemFault` (401 expired_token, invalid_token)."""


class Credentials:
    """The fixed credentials of the settings first, then the issued tokens. `user_id` is for whom the fixed token acts."""

    def __init__(
        self,
        *,
        access_token: Secret | None,
        webhook: Secret | None,
        issued: TokenLookup,
        user_id: int = FIXED_USER,
    ) -> None:
        self._access_token = access_token
        self._webhook = webhook
        self._issued = issued
        self._user_id = user_id

    def by_token(self, access_token: str) -> Caller:
        if not access_token:
            raise SystemFault(401, "NO_AUTH_FOUND", "Wrong authorization data")
        if self._access_token and self._access_token == Secret(access_token):
            return Caller(FIXED_APPLICATION, self._user_id, webhook=False, scopes=frozenset({SCOPE}))
        return self._issued.caller_of(access_token)

    def by_webhook(self, user: str, secret: str) -> Caller:
        if self._webhook and user.isdecimal() and self._webhook == Secret(f"{user}/{secret}"):
            return Caller(None, int(user), webhook=True, scopes=frozenset({SCOPE}))
        raise SystemFault(403, "INVALID_CREDENTIALS", "Invalid request credentials")
