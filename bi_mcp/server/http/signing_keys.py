"""The public keys of an OAuth server, fetched when they are needed and kept for a while."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import jwt

from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.rest.network import find_way_out
from bi_mcp.server.http.serving_rules import is_trustworthy

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH_S = 600.0
# A withdrawn key must stop working, even while its owner cannot be reached.
USABLE_S = 3600.0
# Tokens with made-up key ids must not become requests to the issuer.
PAUSE_S = 30.0
TIMEOUT_S = 10.0
LARGEST_ANSWER = 256 * 1024

# RFC 8414 puts its path before the issuer's, OpenID Connect behind it.
_OAUTH_METADATA = "/.well-known/oauth-authorization-server"
_OPENID_METADATA = "/.well-known/openid-configuration"

logger = logging.getLogger(__name__)


class KeysUnavailableError(jwt.PyJWTError):
    """The issuer has no such key, or gave no keys at all."""


class SigningKeys:
    """The keys of `issuer`, at `jwks` or where its metadata says."""

    def __init__(
        self,
        issuer: str,
        jwks: str | None = None,
        *,
        http: httpx2.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._jwks = jwks
        self._http = http or _connect(jwks or issuer)
        self._clock = clock
        self._keys: list[jwt.PyJWK] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._one_at_a_time = anyio.Lock()

    async def find(self, key_id: str | None) -> jwt.PyJWK:
        """Return the key of that id; without an id the only key. Raises `KeysUnavailableError`."""
        if self._age(self._fetched_at) > FRESH_S or self._known(key_id) is None:
            async with self._one_at_a_time:
                if self._age(self._tried_at) > PAUSE_S:
                    await self._fetch()
        key = self._known(key_id) if self._age(self._fetched_at) <= USABLE_S else None
        if key is None:
            raise KeysUnavailableError("the issuer has no key for this token")
        return key

    async def aclose(self) -> None:
        """Close the connections to the issuer."""
        await self._http.aclose()

    def _known(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.key_id == key_id), None)

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            jwks = self._jwks or await self._discover()
            self._keys = jwt.PyJWKSet.from_dict(await self._get(jwks)).keys
        except (httpx2.HTTPError, ValueError, jwt.PyJWTError) as error:
            logger.warning(
                "The keys of the OAuth server %s could not be fetched (%s). Check BI_MCP_HTTP_ISSUER and BI_MCP_HTTP_JWKS.",
                self._issuer,
                type(error).__name__ if isinstance(error, httpx2.HTTPError) else error,
            )
            return
        self._fetched_at = self._clock()

    async def _discover(self) -> str:
        scheme, _, rest = self._issuer.partition("://")
        host, slash, path = rest.partition("/")
        origin, path = f"{scheme}://{host}", f"{slash}{path}".rstrip("/")
        for address in (f"{origin}{_OAUTH_METADATA}{path}", f"{origin}{path}{_OPENID_METADATA}"):
            try:
                metadata = await self._get(address)
            except (httpx2.HTTPStatusError, ValueError):
                continue
            jwks = metadata.get("jwks_uri")
            if metadata.get("issuer") == self._issuer and isinstance(jwks, str) and is_trustworthy(jwks):
                return jwks
        raise ValueError("its metadata names no jwks_uri for this issuer")

    async def _get(self, address: str) -> dict[str, Any]:
        async with self._http.stream("GET", address, headers={"Accept": "application/json"}) as response:
            response.raise_for_status()
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise ValueError("its answer is too large")
        document = parse_foreign(body)
        if not isinstance(document, dict):
            raise ValueError("its answer is not a JSON object")  # noqa: TRY004  one error for all that is not metadata
        return document


def _connect(address: str) -> httpx2.AsyncClient:
    way = find_way_out(address)
    certificates = way.certificates or httpx2.create_ssl_context(trust_env=False)
    proxy = None
    if way.proxy is not None:
        # A proxy without TLS takes no certificates.
        trusted = certificates if way.proxy.startswith("https:") else None
        proxy = httpx2.Proxy(way.proxy, ssl_context=trusted)
    return httpx2.AsyncClient(proxy=proxy, verify=certificates, timeout=TIMEOUT_S, trust_env=False)
