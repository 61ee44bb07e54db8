"""A document that a stranger named by its address: one guarded GET."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.endpoints.exchange import EndpointLimits, Exchange, certificates_of_authorities
from bi_mcp.endpoints.guard import Resolver, find_destination, parse_address, resolve_host
from bi_mcp.endpoints.wording import name_address
from bi_mcp.errors import EndpointError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


@dataclass(frozen=True)
class Document:
    """The body of an answer with HTTP 200, and its headers, whose names are read without regard to case."""

    body: bytes
    headers: Mapping[str, str]


async def fetch_document(
    url: str,
    limits: EndpointLimits,
    *,
    allow_private: bool = False,
    resolver: Resolver = resolve_host,
    certificates: ssl.SSLContext | None = None,
) -> Document:
    """Fetch a document within the limits. Redirects are not followed, and every address of the host must be public.

    The environment's proxy is not used: it would resolve the name again. Raises EndpointError.
    """
    body = bytearray()

    def keep(part: bytes) -> bool:
        body.extend(part)
        return True

    call = Exchange(url, None, {}, limits, keep)
    with anyio.CancelScope(deadline=anyio.current_time() + limits.connect_s) as call.scope:
        destination = await find_destination(
            parse_address(url), allow_private=allow_private, resolver=resolver
        )
        answer = await call.over_network(destination, certificates or certificates_of_authorities())
        if answer.size > limits.size:
            raise EndpointError(
                say("{url} sent more than {size} bytes.", url=name_address(url), size=limits.size),
                reason="too_large",
                status=answer.status,
            )
        return Document(bytes(body), answer.headers)
    raise call.late()
