"""Serve over HTTP until a signal comes, and end in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
import uvicorn
from sse_starlette.sse import AppStatus

from bi_mcp.app.replicas import open_shared
from bi_mcp.base.bounded_listener import open_listener
from bi_mcp.base.bounded_protocol import BoundedProtocol
from bi_mcp.base.complaints import Seldom
from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.server.http.access import FixedToken, IssuedTokens
from bi_mcp.server.http.app import build_http_app
from bi_mcp.server.http.drain import Drain
from bi_mcp.server.http.request_state import seal_with
from bi_mcp.server.http.scopes import require_scopes
from bi_mcp.server.http.serving_rules import require_servable
from bi_mcp.server.http.signing_keys import SigningKeys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import FrameType

    from mcp.server import MCPServer
    from mcp.server.auth.provider import TokenVerifier

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.config import HttpSettings
    from bi_mcp.server.http.options import HttpOptions
    from bi_mcp.server.http.sign_in.routes import SignIn

# Less than the half minute that container platforms wait before they kill.
GRACE_S = 25
# Loggers to which strangers can make the server write, some with a stack trace for a client that went in the middle of its request.
_COMPLAINERS = (
    "asyncio",
    "bi_mcp.server.http.access",
    "bi_mcp.server.http.app",
    "bi_mcp.base.bounded_listener",
    "bi_mcp.server.http.names",
    "bi_mcp.server.http.sign_in.answering",
    "bi_mcp.server.http.sign_in.client_documents",
    "bi_mcp.server.http.sign_in.endpoints",
    "bi_mcp.server.http.sign_in.pages",
    "mcp.server.auth.middleware.bearer_auth",
    "mcp.server.streamable_http",
    "mcp.server.streamable_http_manager",
    "mcp.server.transport_security",
    "uvicorn.error",
)


Build = Callable[["Shared | None", "SignIns | None"], "MCPServer"]


def serve_http(
    build: Build, options: HttpOptions, *, announce: Callable[[str], None] = lambda _: None
) -> None:
    """Serve what `build` builds until SIGTERM or Ctrl-C. `announce` gets the address once clients may connect.

    `build` gets what the replicas share, None without a shared store, and what is kept of people, None where nobody signs
    in. Raises `ConfigError` where the server must not or cannot start.
    """
    require_servable(options)
    _check_certificate(options)
    for name in _COMPLAINERS:
        logging.getLogger(name).addFilter(Seldom())
    anyio.run(partial(_serve, build, options, announce))


async def _serve(build: Build, options: HttpOptions, announce: Callable[[str], None]) -> None:
    with _listen(options) as listener:
        # Port 0 is whichever is free.
        options = replace(options, port=listener.getsockname()[1])
        async with open_http_app(build, options) as app:
            announce(options.address)
            await _Server(app, options).serve(sockets=[listener])


@asynccontextmanager
async def open_http_app(build: Build, options: HttpOptions) -> AsyncIterator[Drain]:
    """Build the whole app with what it needs while it runs. `require_servable` is the caller's to ask."""
    async with open_shared(options.settings) as shared, _open_verifier(options.settings) as verifier:
        sign_ins = _open_sign_ins(options, shared)
        server = build(shared, sign_ins)
        sign_in = None if sign_ins is None else _build_sign_in(sign_ins, options)
        if verifier is not None or sign_in is not None:
            await require_scopes(server)
        app = build_http_app(server, options, verifier, replicated=shared is not None, sign_in=sign_in)
        if shared is None:
            yield Drain(app)
            return
        seal_with(server, shared.key)
        await shared.budget.beat()
        async with anyio.create_task_group() as group:
            group.start_soon(shared.budget.run)
            yield Drain(app)
            group.cancel_scope.cancel()


def _open_sign_ins(options: HttpOptions, shared: Shared | None) -> SignIns | None:
    if not options.portals:
        return None
    # Imported here: most servers sign nobody in.
    from bi_mcp.app.sign_in.sign_ins import open_sign_ins

    assert options.configuration_folder is not None  # noqa: S101  `require_fit_for_sign_in` asks for it
    return open_sign_ins(options.portals, options.configuration_folder, shared, origin=options.origin)


def _build_sign_in(sign_ins: SignIns, options: HttpOptions) -> SignIn:
    from bi_mcp.server.http.sign_in.client_documents import ClientDocuments
    from bi_mcp.server.http.sign_in.routes import build_sign_in

    return build_sign_in(sign_ins, options, documented=ClientDocuments(sign_ins.documents))


@asynccontextmanager
async def _open_verifier(settings: HttpSettings) -> AsyncIterator[TokenVerifier | None]:
    if settings.token is not None:
        yield FixedToken(settings.token)
    elif settings.issuer is not None and settings.audience is not None:
        keys = SigningKeys(settings.issuer, settings.jwks)
        try:
            yield IssuedTokens(settings.issuer, settings.audience, keys)
        finally:
            await keys.aclose()
    else:
        yield None


class _Server(uvicorn.Server):
    """Ends in order at the first signal, at once at the second Ctrl-C."""

    def __init__(self, app: Drain, options: HttpOptions) -> None:
        # What would cut the answers of the older protocols at the signal; `Drain` ends the endless ones only.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]  # it has no annotations
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                ssl_certfile=options.tls_certificate,
                ssl_keyfile=options.tls_key,
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  the signature of a signal handler
        """Note the signal. uvicorn would raise it again when it is done, before the shared store is closed."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting connections and finish the running calls."""
        self._app.begin()
        await super().shutdown(sockets)


def _listen(options: HttpOptions) -> socket.socket:
    try:
        return open_listener(options.host, options.port)
    except OSError as error:
        raise ConfigError(
            say(
                "{host} port {port} cannot be opened: {strerror}. Choose others with --host and --port.",
                host=options.host,
                port=options.port,
                strerror=os.strerror(error.errno) if error.errno else error,
            )
        ) from None


def _check_certificate(options: HttpOptions) -> None:
    if options.tls_certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.tls_certificate, options.tls_key)
    except OSError as error:
        raise ConfigError(
            say(
                "--tls-cert and --tls-key cannot be used ({strerror}). Both must be readable PEM files that belong together.",
                strerror=error.strerror or type(error).__name__,
            )
        ) from None
