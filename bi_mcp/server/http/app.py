"""The server as an ASGI app: health, access, allowed hosts, size of requests."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from bi_mcp import __version__
from bi_mcp.server.http.access import SCOPES
from bi_mcp.server.http.challenge import TokenNeeded
from bi_mcp.server.http.names import BothForms, KnownNames, normal_origin
from bi_mcp.server.http.one_credential import OneCredential, OneLength
from bi_mcp.server.http.options import PATH
from bi_mcp.server.http.refused_bodies import RefusedBodies

_SENT_BY_PAGES = (
    "Authorization",
    "Last-Event-ID",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Protocol-Version",
    "Mcp-Session-Id",
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server import MCPServer
    from mcp.server.auth.provider import TokenVerifier
    from starlette.authentication import AuthenticationError
    from starlette.requests import HTTPConnection, Request
    from starlette.types import ASGIApp

    from bi_mcp.server.http.options import HttpOptions
    from bi_mcp.server.http.sign_in.routes import SignIn

logger = logging.getLogger(__name__)


def build_http_app(
    server: MCPServer,
    options: HttpOptions,
    verifier: TokenVerifier | None,
    *,
    replicated: bool = False,
    sign_in: SignIn | None = None,
) -> Starlette:
    """Build the app. With a `verifier` everything but the health route and the OAuth metadata needs a token.

    With `sign_in`, whose verifier it then is, people can get one here. `replicated` and `sign_in`: clients of the older
    protocols get no session either. Their next request may reach another replica, and a session of the SDK keeps the last
    answer, the list of tools for most people, in memory.
    """
    mcp: ASGIApp = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=replicated or sign_in is not None,
        max_request_body_size=options.max_request_bytes,
        # `KnownNames` checks callers, and more strictly.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    mcp = KnownNames(RefusedBodies(mcp), options)
    routes: list[BaseRoute] = [Route("/health", _health_of(sign_in))]
    issuer = sign_in.issuer if sign_in else options.settings.issuer
    if issuer:
        routes += _metadata_routes(options, issuer)
    if sign_in is not None:
        routes += sign_in.routes
        verifier = sign_in.verifier
        mcp = sign_in.watch(mcp)
    protected = mcp if verifier is None else _behind_token(mcp, options, verifier, issuer)
    routes.append(Mount("/", protected))
    return Starlette(
        routes=routes,
        middleware=[Middleware(OneLength), Middleware(BothForms), *_for_pages(options)],
        lifespan=lambda _: server.session_manager.run(),
    )


def _for_pages(options: HttpOptions) -> list[Middleware]:
    """Answer the preflight requests of browsers, and expose the headers that a page of another origin may read."""
    if not options.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=[normal_origin(origin) for origin in options.allowed_origins],
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=_SENT_BY_PAGES,
            expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
        )
    ]


def _health_of(sign_in: SignIn | None) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Report that the process is running. The portal is not asked: if it is down, restarting this server does not help."""

    async def answer(_: Request) -> JSONResponse:
        told: dict[str, object] = {"status": "ok", "version": __version__}
        if sign_in is not None:
            told["portals"] = sign_in.portal_health()
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    return answer


def _behind_token(app: ASGIApp, options: HttpOptions, verifier: TokenVerifier, issuer: str | None) -> ASGIApp:
    # Only an OAuth server has metadata to point at.
    metadata = str(build_resource_metadata_url(_url(options.resource))) if issuer else None
    # A foreign issuer names the resource as its audience, which its verifier checks.
    ours = None if issuer == options.settings.issuer else _url(options.resource)
    authenticated = AuthenticationMiddleware(
        AuthContextMiddleware(TokenNeeded(app, metadata)),
        backend=BearerAuthBackend(verifier, resource_server_url=ours),
        on_error=_unavailable,
    )
    return OneCredential(authenticated)


def _unavailable(_: HTTPConnection, error: AuthenticationError) -> JSONResponse:
    """Answer while a token cannot be checked: 401 would make a client throw it away."""
    logger.warning("an access token could not be checked: %s", error)
    body = {
        "error": "temporarily_unavailable",
        "error_description": "The server cannot reach its store. Try again.",
    }
    return JSONResponse(body, 503, {"Cache-Control": "no-store", "Retry-After": "30"})


def _metadata_routes(options: HttpOptions, issuer: str) -> list[Route]:
    """Build the routes where clients learn which OAuth server to ask, and for which scopes (RFC 9728)."""
    return create_protected_resource_routes(
        resource_url=_url(options.resource),
        authorization_servers=[_url(issuer)],
        scopes_supported=list(SCOPES),
        resource_name="bi-mcp",
    )


def _url(address: str) -> AnyHttpUrl:
    """An address as it was written: clients compare the issuer letter by letter, and pydantic would add a slash."""
    adapter = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))
    return adapter.validate_python(address)
