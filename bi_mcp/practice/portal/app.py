"""The HTTP shell of the practice portal, and the place where its parts are wired together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bi_mcp.config import ErrorPlace, LocalPortalSettings
from bi_mcp.practice.portal.answers import ModuleFault, SystemFault, error_body, module_error, success
from bi_mcp.practice.portal.chart_routes import chart_routes
from bi_mcp.practice.portal.charts import Charts
from bi_mcp.practice.portal.context import Context
from bi_mcp.practice.portal.database import Database
from bi_mcp.practice.portal.faults import FaultInjector, Faults, fault_routes
from bi_mcp.practice.portal.identity import Caller, Credentials
from bi_mcp.practice.portal.limits import build_limits
from bi_mcp.practice.portal.oauth import IssuedTokenStore
from bi_mcp.practice.portal.oauth_routes import oauth_routes
from bi_mcp.practice.portal.outbound import Outbound
from bi_mcp.practice.portal.parameters import read_parameters
from bi_mcp.practice.portal.portal import Portal
from bi_mcp.practice.portal.users import PortalUsers

_log = logging.getLogger(__name__)
_BROKEN = SystemFault(500, "INTERNAL_SERVER_ERROR", "Internal server error")


def build_portal_app(
    settings: LocalPortalSettings,
    clock: Callable[[], float],
    connectors: Mapping[str, ASGIApp],
    users: PortalUsers | None = None,
) -> Starlette:
    users = users or PortalUsers()
    database = Database(settings.database)
    faults = Faults(clock=clock)
    tokens = IssuedTokenStore(database, clock)
    outbound = Outbound(connectors)
    context = Context(
        database=database,
        generation=settings.generation,
        clock=clock,
        url_check=outbound.url_check,
        sync_fails=lambda method: faults.take("sync_failure", method) is not None,
    )
    portal = Portal(context, build_limits(settings.limits), clock, users)
    credentials = Credentials(
        access_token=settings.access_token,
        webhook=settings.webhook,
        issued=tokens,
        user_id=users.first.id,
    )
    shell = _RestShell(portal, credentials, settings.errors, clock)
    charts = Charts(context, outbound, settings.culture)
    routes = [
        *shell.routes(),
        *oauth_routes(tokens, users, faults),
        *chart_routes(charts, credentials, users),
        *(fault_routes(faults) if settings.faults else []),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(FaultInjector, faults=faults)])
    app.state.portal = portal
    app.state.charts = charts
    app.state.faults = faults
    app.state.tokens = tokens
    app.state.database = database
    return app


class _RestShell:
    """Everything under `/rest/`: from an HTTP request to a call, and from its outcome to an answer."""

    def __init__(
        self, portal: Portal, credentials: Credentials, errors: ErrorPlace, clock: Callable[[], float]
    ) -> None:
        self._portal = portal
        self._credentials = credentials
        self._errors = errors
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/rest/{method}", self.answer, methods=["GET", "POST"]),
            Route("/rest/{user}/{secret}/{method}", self.answer, methods=["GET", "POST"]),
        ]

    async def answer(self, request: Request) -> JSONResponse:
        try:
            return JSONResponse(await self._body(request))
        except SystemFault as fault:
            return JSONResponse(error_body(fault), fault.status)
        except Exception:  # noqa: BLE001 - the server's own handler would answer in plain text, not as the API does
            _log.exception("The practice portal failed")
            return JSONResponse(error_body(_BROKEN), _BROKEN.status)

    async def _body(self, request: Request) -> Mapping[str, object]:
        self._portal.limits.admit(request.client.host if request.client else "", self._clock())
        parameters = await read_parameters(request)
        caller = self._caller(request, parameters)
        method = request.path_params["method"].removesuffix(".json")
        outcome = await self._portal.run(method, parameters, caller)
        if isinstance(outcome.result, ModuleFault):
            return module_error(outcome.result, outcome.timing, place=self._errors)
        return success(outcome.result, outcome.timing)

    def _caller(self, request: Request, parameters: Mapping[str, object]) -> Caller:
        webhook = request.path_params.get("secret")
        if webhook is not None:
            return self._credentials.by_webhook(request.path_params["user"], webhook)
        token = parameters.get("auth")
        return self._credentials.by_token(token if isinstance(token, str) else "")
