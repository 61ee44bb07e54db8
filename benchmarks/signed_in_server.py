"""A server that people sign in to, on a portal without limits. Started as a script."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

import anyio

from benchmarks.people import registered_portal
from bi_mcp.app.replicas import open_shared
from bi_mcp.app.sign_in.sign_ins import open_sign_ins
from bi_mcp.config import http_settings, read_settings
from bi_mcp.server.build import build_server
from bi_mcp.server.http.app import build_http_app
from bi_mcp.server.http.drain import Drain
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.request_state import seal_with
from bi_mcp.server.http.scopes import require_scopes
from bi_mcp.server.http.serving import _listen, _Server
from bi_mcp.server.http.sign_in.routes import build_sign_in


async def serve() -> None:
    options = HttpOptions(port=int(os.environ["PORT"]), settings=http_settings())
    with _listen(options) as listener:
        options = replace(options, port=listener.getsockname()[1])
        async with AsyncExitStack() as stack:
            shared = await stack.enter_async_context(open_shared(options.settings))
            settings = read_settings()
            folder = settings.configuration_folder
            assert folder is not None
            sign_ins = open_sign_ins([registered_portal(os.environ["PORTAL"])], folder, shared)
            server = build_server(settings, shared=shared, sign_ins=sign_ins)
            await require_scopes(server)
            if shared is not None:
                seal_with(server, shared.key)
            app = build_http_app(
                server,
                options,
                None,
                replicated=shared is not None,
                sign_in=build_sign_in(sign_ins, options),
            )
            print(options.address, file=sys.stderr, flush=True)
            await _Server(Drain(app), options).serve(sockets=[listener])


if __name__ == "__main__":
    anyio.run(serve)
