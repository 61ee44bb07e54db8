"""Clients that describe themselves in a document on the web (draft-ietf-oauth-client-id-metadata-document).

Anybody can name an address in an OAuth request. So what is fetched is bounded in every way, and kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from weakref import WeakValueDictionary

import anyio
from mcp.shared.auth import OAuthClientInformationFull
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.base.language import say
from bi_mcp.endpoints.guard import parse_address, resolve_host
from bi_mcp.errors import AuthorisationError, EndpointError
from bi_mcp.server.http.access import SCOPES
from bi_mcp.server.http.sign_in.fetch_allowance import Allowance, TooManyError
from bi_mcp.server.http.sign_in.redirects import kind_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.endpoints.document import Document
    from bi_mcp.endpoints.guard import Resolver

LONGEST_ADDRESS = 1000
LARGEST_DOCUMENT = 16 * 1024
# A person waits for it.
CONNECT_S = 5.0
BODY_S = 5.0

SHORTEST_FRESH_S = 5 * 60.0
LONGEST_FRESH_S = 60 * 60.0
REFUSED_S = 60.0
# While its host is down, a client that was there before stays.
STALE_S = 6 * 60 * 60.0
# Longer than a refresh token lives.
USED_S = 90 * 24 * 60 * 60.0

# Refusals that say nothing about the document.
_PASSING = frozenset({"unresolved", "unreachable", "tls", "timeout", "too_often"})
_JSON = re.compile(r"application/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;.*)?", re.IGNORECASE)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:store|cache)(?:[,\s=]|$)", re.IGNORECASE)
_SEEN = re.compile(r"[!-~]+")
_READ = TypeAdapter(list[AnyUrl])

logger = logging.getLogger(__name__)


class _Described(BaseModel):
    """The parts of a document that are used. There is no client secret that both sides could know."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    client_id: str
    client_name: str | None = Field(None, max_length=500)
    redirect_uris: list[str] = Field(min_length=1, max_length=50)
    token_endpoint_auth_method: str = Field("none", pattern=r"^none$")
    grant_types: list[str] = ["authorization_code"]
    response_types: list[str] = ["code"]
    client_secret: None = None
    client_secret_expires_at: None = None

    @field_validator("redirect_uris")
    @classmethod
    def _are_redirect_addresses(cls, addresses: list[str]) -> list[str]:
        if not all(map(kind_of, addresses)):
            raise ValueError("an address among them cannot be one that an answer is sent to")
        # The SDK, which reads them later, knows fewer addresses.
        _READ.validate_python(addresses)
        return addresses

    @field_validator("grant_types")
    @classmethod
    def _use_codes(cls, grants: list[str]) -> list[str]:
        if "authorization_code" not in grants:
            raise ValueError("it does without authorization_code")
        return grants

    @field_validator("response_types")
    @classmethod
    def _take_codes(cls, types: list[str]) -> list[str]:
        if "code" not in types:
            raise ValueError("it does without code")
        return types


class ClientDocuments:
    """Finds the client that an address describes.

    `allow_private` is for tests: without it every address of the host must be public. `certificates` are the trusted
    authorities, those of the system without.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        allow_private: bool = False,
        resolver: Resolver = resolve_host,
        certificates: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._documents = documents
        self._allow_private = allow_private
        self._resolver = resolver
        self._certificates = certificates
        self._clock = clock
        self._allowance = Allowance(clock)
        self._one_at_a_time: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def find(self, client_id: str) -> OAuthClientInformationFull | None:
        """Return the client, None where its document is missing or wrong. It may ask for all scopes.

        Raises `AuthorisationError` where the document cannot be fetched now, or the store does not answer: nobody may take
        that for a client that is gone, since programs then forget that they are connected.
        """
        if not is_document_address(client_id):
            return None
        name = _name("client-document", client_id)
        kept = await self._documents.get(name)
        if kept is None or self._is_old(kept):
            lock = self._one_at_a_time.setdefault(client_id, anyio.Lock())
            async with lock:
                kept = await self._documents.get(name)
                if kept is None or self._is_old(kept):
                    kept = await self._renew(name, client_id, kept)
        if kept["client"] is None and kept["passing"]:
            raise _not_now(client_id)
        return _build_client(kept["client"]) if kept["client"] else None

    async def mark_used(self, client_id: str) -> None:
        """Note that somebody is connected with a client: strangers then never keep its document from being fetched."""
        if is_document_address(client_id):
            await self._documents.put(_name("client-used", client_id), {}, lifetime_s=USED_S)

    def _is_old(self, kept: Mapping[str, Any]) -> bool:
        return bool(kept["fresh_until"] <= self._clock())

    async def _renew(self, name: str, client_id: str, kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
        known = kept is not None and kept["client"] is not None
        used = known or await self._documents.get(_name("client-used", client_id)) is not None
        try:
            with self._allowance.fetching(known=used):
                document = await self._fetch(client_id)
            client = parse_document(document, client_id)
        except TooManyError:
            # Not kept: strangers used the allowance up, and the client may be a good one.
            logger.warning("Too many unknown clients at once name a document: some were refused")
            raise _not_now(client_id) from None
        except (EndpointError, ValueError) as error:
            _complain(client_id, error)
            passing = _may_pass(error)
            if known and kept is not None and passing and self._clock() < kept["stale_until"]:
                return await self._keep(name, kept["client"], REFUSED_S, kept["stale_until"])
            # Strangers hear the same of a name that is not there and of one inside: they are not to learn which there are.
            told = passing and (used or not _is_unresolved(error))
            return await self._keep(name, None, REFUSED_S, 0.0, passing=told)
        fresh_s = fresh_for(document.headers)
        return await self._keep(name, client, fresh_s, self._clock() + fresh_s + STALE_S)

    async def _keep(
        self,
        name: str,
        client: Mapping[str, Any] | None,
        fresh_s: float,
        stale_until: float,
        *,
        passing: bool = False,
    ) -> Mapping[str, Any]:
        now = self._clock()
        kept = {
            "client": client,
            "passing": passing,
            "fresh_until": now + fresh_s,
            "stale_until": stale_until,
        }
        await self._documents.put(name, kept, lifetime_s=max(fresh_s, stale_until - now))
        return kept

    async def _fetch(self, client_id: str) -> Document:
        # Imported here: httpx is not needed until the first client of this kind.
        from bi_mcp.endpoints.document import fetch_document
        from bi_mcp.endpoints.exchange import EndpointLimits

        return await fetch_document(
            client_id,
            EndpointLimits(connect_s=CONNECT_S, body_s=BODY_S, size=LARGEST_DOCUMENT),
            allow_private=self._allow_private,
            resolver=self._resolver,
            certificates=self._certificates,
        )


def is_document_address(client_id: str) -> bool:
    """Check whether a client id is the address of a document: https, with a path, and spelled as every reader spells it."""
    if len(client_id) > LONGEST_ADDRESS or not _SEEN.fullmatch(client_id) or "#" in client_id:
        return False
    try:
        address = parse_address(client_id)
    except EndpointError:
        return False
    path = client_id.removeprefix(address.origin)
    # One spelling for each client: its host is shown to people, and answers are compared letter by letter.
    if address.scheme != "https" or path == client_id or not path.startswith("/"):
        return False
    segments = unquote(urlsplit(client_id).path).replace("\\", "/").split("/")
    return segments != ["", ""] and not {".", ".."} & set(segments)


def parse_document(document: Document, client_id: str) -> dict[str, Any]:
    """Read a client's document. Raises `ValueError`, whose text does not repeat what it contains."""
    if not _JSON.fullmatch(document.headers.get("content-type", "").strip()):
        raise ValueError("it is not served as JSON")
    try:
        content = parse_foreign(document.body)
    except ValueError:
        raise ValueError("it is not JSON") from None
    try:
        described = _Described.model_validate(content)
    except ValidationError as error:
        places = {str(fault["loc"][0]) if fault["loc"] else "the document" for fault in error.errors()}
        raise ValueError(f"not acceptable: {', '.join(sorted(places & _PLACES))}") from None
    if described.client_id != client_id:
        raise ValueError("its client_id is another")
    return described.model_dump(include={"client_id", "client_name", "redirect_uris"})


_PLACES = frozenset({"the document", *_Described.model_fields})


def fresh_for(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a document is kept, by its headers and within our bounds."""
    told = headers.get("cache-control", "")
    if _NOT_KEPT.search(told):
        return SHORTEST_FRESH_S
    age = _MAX_AGE.search(told)
    return min(max(float(age[1]), SHORTEST_FRESH_S), LONGEST_FRESH_S) if age else SHORTEST_FRESH_S


def _complain(client_id: str, error: Exception) -> None:
    reason = error.reason if isinstance(error, EndpointError) else error
    logger.warning("The client document at %s was refused (%s)", urlsplit(client_id).netloc, reason)


def _name(kind: str, client_id: str) -> str:
    return f"{kind}-{hashlib.sha256(client_id.encode()).hexdigest()}"


def _not_now(client_id: str) -> AuthorisationError:
    return AuthorisationError(
        say(
            "{host} could not be asked about the program that it describes. Try again in a few minutes.",
            host=urlsplit(client_id).netloc,
        ),
        code="CLIENT_UNREACHABLE",
    )


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, EndpointError):
        return False
    return error.reason in _PASSING or (error.status or 0) >= 500


def _is_unresolved(error: Exception) -> bool:
    return isinstance(error, EndpointError) and error.reason == "unresolved"


def _build_client(described: Mapping[str, Any]) -> OAuthClientInformationFull:
    client_id = described["client_id"]
    return OAuthClientInformationFull(
        client_id=client_id,
        client_name=described["client_name"] or urlsplit(client_id).netloc,
        redirect_uris=described["redirect_uris"],
        token_endpoint_auth_method="none",  # noqa: S106  it says that there is no secret
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        # The person chooses what is granted.
        scope=" ".join(SCOPES),
    )
