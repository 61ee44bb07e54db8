"""The connector as an ASGI application: the four endpoints, a page for a person, `/health` and `/metrics`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bi_mcp.connector.access.access import Access, Served
from bi_mcp.connector.access.keys import AccessKey
from bi_mcp.connector.access.named import NamedAccess
from bi_mcp.connector.service.endpoints import ENDPOINTS
from bi_mcp.connector.service.metrics import CONTENT_TYPE
from bi_mcp.connector.service.page import build_page
from bi_mcp.connector.service.service import Service
from bi_mcp.connector.service.settings import ServiceSettings
from bi_mcp.connector.source import Source

__all__ = ["build_app", "build_service_app"]

_DEFAULTS = ServiceSettings()
# A request that carries one of them came through a proxy: it is not known to be from this machine.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


def build_app(
    sources: Mapping[str, Source], keys: Sequence[AccessKey], settings: ServiceSettings = _DEFAULTS
) -> Starlette:
    """Build the connector over sources by name, which the keys open. It closes them when it shuts down."""
    served = {name: Served(name, source) for name, source in sources.items()}
    return build_service_app(NamedAccess(served, keys), settings)


def build_service_app(access: Access, settings: ServiceSettings = _DEFAULTS) -> Starlette:
    """Build the connector over any access. `app.state.service` is what stops it in order."""
    service = Service(access, settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await to_thread.run_sync(access.close)

    app = Starlette(
        routes=[
            *_build_pages(service),
            *(Route(path, _Endpoint(service, path), methods=["POST"]) for path in ENDPOINTS.values()),
        ],
        exception_handlers={HTTPException: _answer_unserved},
        lifespan=lifespan,
    )
    app.state.service = service
    return app


class _Endpoint:
    """One of the four endpoints."""

    def __init__(self, service: Service, path: str) -> None:
        self._service = service
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._service.serve(self._path, scope, receive, send)


def _build_pages(service: Service) -> list[Route]:
    async def page(request: Request) -> Response:
        origin = service.settings.public_url or str(request.base_url)
        return HTMLResponse(build_page(origin.rstrip("/"), service.settings, service.access.settings))

    async def health(_request: Request) -> Response:
        status, text = (503, "stopping") if service.stopping else (200, "ok")
        return JSONResponse({"status": text}, status)

    async def metrics(request: Request) -> Response:
        readers = service.settings.metrics
        if readers == "anyone" or (readers == "local" and _is_local(request)):
            return Response(service.metrics.text(), media_type=CONTENT_TYPE)
        raise HTTPException(404)

    return [Route("/", page), Route("/health", health), Route("/metrics", metrics)]


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    # A tunnel connects from this machine as well, and need not say so: it passes on the name that it has outside.
    return is_loopback(request.client.host) and is_loopback(_named_host(request) or "")


def _named_host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Check for an address or the name of this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answer_unserved(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    text = f"{request.method} {request.url.path} is not served here; open / for the four addresses."
    return JSONResponse({"error": text}, error.status_code, error.headers)
