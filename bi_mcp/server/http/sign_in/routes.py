"""The whole of signing in, as routes and a verifier for the server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mcp.server.auth.handlers.metadata import MetadataHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.revoke import RevocationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.routes import build_metadata
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import BaseRoute, Route, request_response

from bi_mcp.app.sign_in.attempts import Attempts
from bi_mcp.app.sign_in.peoples_secrets import SECRETS_PATH
from bi_mcp.app.sign_in.registered_clients import RegisteredClients
from bi_mcp.server.http.access import SCOPES
from bi_mcp.server.http.metrics import CountingVerifier, build_metrics, portal_health
from bi_mcp.server.http.names import KnownNames
from bi_mcp.server.http.sign_in import endpoints
from bi_mcp.server.http.sign_in.account import ACCOUNT_PATH, AccountPage
from bi_mcp.server.http.sign_in.answering import for_people
from bi_mcp.server.http.sign_in.authorize import AuthorizeEndpoint
from bi_mcp.server.http.sign_in.browser_session import BrowserSessions
from bi_mcp.server.http.sign_in.client_documents import ClientDocuments
from bi_mcp.server.http.sign_in.html import build_redirect
from bi_mcp.server.http.sign_in.pages import RETURN_PATH, SignInPages
from bi_mcp.server.http.sign_in.provider import Provider
from bi_mcp.server.http.sign_in.secret_pages import SecretPages
from bi_mcp.server.http.sign_in.streams import StreamsOfClients
from bi_mcp.server.http.sign_in.tokens import SignedInTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.server.auth.provider import TokenVerifier
    from mcp.shared.auth import OAuthMetadata
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.server.http.options import HttpOptions
    from bi_mcp.server.http.sign_in.answering import Handler
    from bi_mcp.server.http.sign_in.provider import Documented

_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Signing in, for the app to serve. `issuer` is the authorization server's name; `sessions` say who is signed in to pages.

    `watch` makes an app end the streams of clients that were disconnected. `portal_health` tells by host whether each portal's last answer came.
    """

    routes: list[BaseRoute]
    verifier: TokenVerifier
    issuer: str
    sessions: BrowserSessions
    watch: Callable[[ASGIApp], ASGIApp]
    portal_health: Callable[[], Mapping[str, str]]


def build_sign_in(sign_ins: SignIns, options: HttpOptions, *, documented: Documented | None = None) -> SignIn:
    """Build it. `documented` replaces how clients are found whose ids are addresses of documents."""
    issuer = options.origin
    attempts = Attempts(sign_ins.documents)
    sessions = BrowserSessions(sign_ins.documents, attempts, issuer)
    registered = RegisteredClients(sign_ins.documents)
    documented = documented or ClientDocuments(sign_ins.documents)
    provider = Provider(sign_ins, registered, documented, issuer=issuer, resource=options.resource)
    authorize = AuthorizeEndpoint(
        provider=provider, sessions=sessions, issuer=issuer, resource=options.resource
    )
    pages = SignInPages(sign_ins=sign_ins, attempts=attempts, sessions=sessions, authorize=authorize)
    account = AccountPage(sign_ins=sign_ins, sessions=sessions, resource=options.resource)
    page = partial(page_route, options=options)
    routes: list[BaseRoute] = [
        *_client_routes(provider, issuer, options.resource),
        page("/authorize", authorize.handle, ["GET", "POST"]),
        page(RETURN_PATH, pages.come_back, ["GET"]),
        page("/sign-in/{attempt}", pages.consent, ["GET", "POST"]),
        page(ACCOUNT_PATH, account.answer, ["GET", "POST"]),
        page("/", _to_account, ["GET"]),
        _for_clients("/.well-known/{rest:path}", _not_found, "GET"),
    ]
    if sign_ins.secrets is not None:
        own = SecretPages(secrets=sign_ins.secrets, sessions=sessions)
        routes += [
            page(SECRETS_PATH, own.list_own, ["GET", "POST"]),
            page(f"{SECRETS_PATH}/{{ticket}}", own.ask, ["GET", "POST"]),
        ]
    verifier = CountingVerifier(SignedInTokens(sign_ins.clients, issuer), sign_ins.counts)
    return SignIn(
        routes=[*routes, *build_metrics(sign_ins, options.settings.metrics_token)],
        verifier=verifier,
        issuer=issuer,
        sessions=sessions,
        watch=partial(StreamsOfClients, clients=sign_ins.clients),
        portal_health=partial(portal_health, sign_ins),
    )


def page_route(path: str, handler: Handler, methods: list[str], *, options: HttpOptions) -> Route:
    """Build the route of a page: in the reader's language, and under this server's own names only."""
    return Route(path, KnownNames(request_response(for_people(handler)), options), methods=methods)


def _client_routes(provider: Provider, issuer: str, resource: str) -> list[BaseRoute]:
    authenticator = ClientAuthenticator(provider)
    registration = ClientRegistrationOptions(
        enabled=True, valid_scopes=list(SCOPES), default_scopes=list(SCOPES)
    )
    token = TokenHandler(provider, authenticator).handle
    register = RegistrationHandler(provider, registration).handle
    revoke = RevocationHandler(provider, authenticator).handle
    return [
        _for_clients(
            "/.well-known/oauth-authorization-server",
            MetadataHandler(_metadata(issuer, registration)).handle,
            "GET",
        ),
        _for_clients("/token", endpoints.token_endpoint(token, resource), "POST"),
        _for_clients("/register", endpoints.registration_endpoint(register), "POST"),
        _for_clients("/revoke", endpoints.revocation_endpoint(revoke), "POST"),
    ]


def _for_clients(path: str, handler: Handler, method: str) -> Route:
    """Build a route that web pages may call as well: a client may run in a browser, and no cookie counts here."""
    methods = [method, "OPTIONS"]
    app = CORSMiddleware(
        request_response(handler),
        allow_origins=["*"],
        allow_methods=methods,
        allow_headers=["Authorization", "Mcp-Protocol-Version"],
    )
    return Route(path, app, methods=methods)


def _metadata(issuer: str, registration: ClientRegistrationOptions) -> OAuthMetadata:
    address = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True)).validate_python(issuer)
    metadata = build_metadata(address, None, registration, RevocationOptions(enabled=True))
    return metadata.model_copy(
        update={
            "token_endpoint_auth_methods_supported": _AUTH_METHODS,
            "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
            "response_modes_supported": ["query"],
            "client_id_metadata_document_supported": True,
            "authorization_response_iss_parameter_supported": True,
        }
    )


async def _to_account(_: Request) -> RedirectResponse:
    """Lead a person who typed the server's name to the page that is for people."""
    return build_redirect(ACCOUNT_PATH)


async def _not_found(_: Request) -> JSONResponse:
    """Answer that there is no such metadata: clients look at several places, and would take 401 for a reason to sign in."""
    return JSONResponse({"error": "not_found"}, 404, {"Cache-Control": "no-store"})
