"""Access to the server: one fixed bearer token, or the access tokens of an OAuth server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import jwt
from mcp.server.auth.provider import AccessToken

from bi_mcp.base.secret import MASK, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.server.http.signing_keys import SigningKeys

READ = "bi:read"
WRITE = "bi:write"
SCOPES = (READ, WRITE)

# Signatures that only the issuer can make. With a shared secret, every receiver of a token could make one, too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
CLOCK_SKEW_S = 30
# RFC 9068 demands at+jwt; many servers write JWT, or nothing. Other types (of logouts, events, proofs) are not access tokens.
TYPES = (None, "JWT", "AT+JWT", "APPLICATION/AT+JWT")

logger = logging.getLogger(__name__)


class FixedToken:
    """One token for everyone. It may read and write."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token allows, None where it is another. Takes as long for a near miss as for a far one."""
        if Secret(token) != self._token:
            return None
        return AccessToken(token=MASK, client_id="bearer-token", scopes=list(SCOPES))


class IssuedTokens:
    """JSON Web Tokens of one issuer for one audience (RFC 9068): signature, `typ`, `exp`, `nbf`, `iss` and `aud` are checked."""

    def __init__(self, issuer: str, audience: str, keys: SigningKeys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token allows, None where it is not valid here; the reason goes to the log only."""
        try:
            header = jwt.get_unverified_header(token)
            kind = header.get("typ")
            if (kind.upper() if isinstance(kind, str) else kind) not in TYPES:
                raise jwt.InvalidTokenError("typ names another kind of token")
            key = await self._keys.find(header.get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_S,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            # These texts hold names of claims and algorithms, never the token. %r keeps them on one line.
            logger.warning("access token refused: %r", str(error))
            return None
        subject = _text(claims, "sub")
        return AccessToken(
            token=MASK,
            client_id=_text(claims, "client_id") or _text(claims, "azp") or subject or "unknown",
            scopes=scopes_of(claims),
            subject=subject,
            claims={"iss": self._issuer},
        )


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """The scopes of a token: `scope` as RFC 9068 has it, or `scp` as some servers do."""
    granted = claims.get("scope", claims.get("scp", ""))
    listed = granted.split() if isinstance(granted, str) else granted
    return [scope for scope in listed if isinstance(scope, str)] if isinstance(listed, list) else []


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
