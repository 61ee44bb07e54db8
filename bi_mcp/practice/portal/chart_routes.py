"""`POST /practice/charts`: opens a chart for a caller with an access token. Not a part of Bitrix24's REST API.

The body is JSON: `{"auth": TOKEN, "dataset": ID or NAME, "columns": [NAME…], "dates": {"from", "to", "column"},
"where": [CONDITION, [CONDITION, CONDITION]…], "limit": ROWS}`, where everything but `auth` and `dataset` may be left
out. A condition is `{"column", "operator", "values", "exclude"}`; those in a list of their own are joined by OR, and
the elements of `where` by AND.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bi_mcp.practice.portal.answers import ModuleFault, SystemFault, error_body
from bi_mcp.practice.portal.chart_question import parse_question
from bi_mcp.practice.portal.charts import Charts
from bi_mcp.practice.portal.context import reach_of
from bi_mcp.practice.portal.identity import SCOPE, Credentials
from bi_mcp.practice.portal.parameters import read_parameters
from bi_mcp.practice.portal.users import PortalUsers

PATH = "/practice/charts"
_NOT_COVERED = SystemFault(403, "insufficient_scope", "The access token does not cover charts of BI Builder.")


def chart_routes(charts: Charts, credentials: Credentials, users: PortalUsers) -> list[Route]:
    """Build the route. It takes the access tokens of the REST API."""

    async def answer(request: Request) -> JSONResponse:
        given = await read_parameters(request)
        token = given.get("auth")
        try:
            caller = credentials.by_token(token if isinstance(token, str) else "")
            if SCOPE not in caller.scopes:
                raise _NOT_COVERED
            user = users.find(caller.user_id)
            if user is None:
                raise _NOT_COVERED
            chart = await charts.open(parse_question(given), reach_of(user, caller.application or ""))
        except SystemFault as fault:
            return JSONResponse(error_body(fault), fault.status)
        except ModuleFault as fault:
            return JSONResponse(error_body(fault), 404 if fault.code == "DATASET_NOT_FOUND" else 400)
        return JSONResponse(chart.as_json())

    return [Route(PATH, answer, methods=["POST"])]
