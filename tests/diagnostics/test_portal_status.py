"""The doctor tells the reasons apart, against the local portal and against answers that it cannot be made to give."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.advice import use_words
from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.status import PortalStatus, read_portal_status
from bi_mcp.rest import AccessToken, BIConnector, Webhook
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.rate_limit import Limiter
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.advice import WORDS
from tests.rest.calling import LOOPBACK, TOKEN, WEBHOOK, Answering, UrlCheck, a_portal, connect, portal_app

pytestmark = pytest.mark.anyio

DENIED = {"result": {"error": {"error": "ACCESS_DENIED", "error_description": "Access denied."}}}


@dataclass
class Changing:
    """A portal whose answers to some methods are others. `change` gets the method and returns an answer or None."""

    app: ASGIApp
    change: Callable[[str], JSONResponse | None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changed = self.change(Request(scope).url.path.rpartition("/")[2])
        await (changed or self.app)(scope, receive, send)


def healthy() -> ASGIApp:
    return portal_app("tables", "result", UrlCheck())


async def examined(app: ASGIApp, clock: Callable[[], float] = time.time) -> PortalStatus:
    async with connect(app) as bi:
        return await read_portal_status(bi, "portal.example", clock)


def grave(status: PortalStatus) -> list[Finding]:
    return [finding for finding in status.findings if finding.level in {"warning", "error"}]


@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_a_healthy_portal_has_nothing_to_complain_of(generation: Generation) -> None:
    async with a_portal(generation) as portal:
        status = await read_portal_status(portal.bi, "portal.example")
    assert status.verdict == "ok"
    assert status.portal == "portal.example"
    assert status.generation == generation
    assert (status.user, status.admin) == ("Local User", True)
    assert status.application == "local.embedded"
    assert status.scopes == ["biconnector"]
    assert status.clock_skew_s is not None


async def test_a_webhook_is_recognised_by_what_works_and_what_does_not() -> None:
    async with a_portal(credential=Webhook(Secret(WEBHOOK))) as portal:
        with use_words(WORDS):
            status = await read_portal_status(portal.bi, "portal.example")
    assert status.verdict == "error"
    access = next(finding for finding in status.findings if finding.where == "access")
    assert "a webhook" in access.what
    assert "bi-mcp login" in (access.fix or "")
    assert status.application is None
    assert WEBHOOK not in status.model_dump_json()


async def test_missing_rights_are_recognised_by_refused_fields() -> None:
    app = Changing(healthy(), lambda name: JSONResponse(DENIED) if name.startswith("biconnector.") else None)
    status = await examined(app)
    assert [finding.where for finding in grave(status)] == ["rights"]
    assert "Access to Analytics Hub" in (grave(status)[0].fix or "")
    assert status.user == "Local User"


async def test_a_token_without_an_application_is_recognised_by_refused_lists() -> None:
    app = Changing(healthy(), lambda name: JSONResponse(DENIED) if name.endswith(".list") else None)
    status = await examined(app)
    assert [finding.where for finding in grave(status)] == ["access"]


@pytest.mark.parametrize(
    ("code", "where"),
    [("ACCESS_DENIED", "plan"), ("insufficient_scope", "scope"), ("user_access_error", "scope")],
)
async def test_a_refusal_of_the_whole_service_is_the_plan_or_the_scope(code: str, where: str) -> None:
    answer = {"error": code, "error_description": "No."}
    app = Changing(
        healthy(), lambda name: JSONResponse(answer, 403) if name.startswith("biconnector.") else None
    )
    status = await examined(app)
    assert [finding.where for finding in grave(status)] == [where]


@pytest.mark.parametrize(("token", "code"), [("unknown", "invalid_token"), ("", "NO_AUTH_FOUND")])
async def test_a_refused_credential_ends_the_examination(token: str, code: str) -> None:
    async with a_portal(credential=AccessToken(Secret(token))) as portal:
        status = await read_portal_status(portal.bi, "portal.example")
    assert [(finding.level, finding.where) for finding in status.findings] == [("error", "credential")]
    assert code in status.findings[0].what
    assert portal.calls.methods == ["connector.fields"]


async def test_a_scope_that_is_missing_from_the_list_is_named() -> None:
    app = Changing(healthy(), lambda name: JSONResponse({"result": ["crm"]}) if name == "scope" else None)
    status = await examined(app)
    assert [finding.where for finding in grave(status)] == ["scope"]
    assert status.scopes == ["crm"]


async def test_fields_that_are_new_missing_or_changed_are_named() -> None:
    described = json.loads(await fields_of("source"))
    described = [field for field in described if field["title"] != "code"]
    described[0]["type"] = "string"
    described.append({**described[0], "title": "colour", "isReadOnly": False})
    app = Changing(
        healthy(),
        lambda name: (
            JSONResponse({"result": {"fields": described}}) if name == "biconnector.source.fields" else None
        ),
    )
    found = {finding.what.split(":")[0]: finding for finding in (await examined(app)).findings}
    assert "colour" in found["Fields that this version does not know"].what
    assert found["Fields that this version does not know"].level == "note"
    assert "code" in found["Fields that this portal no longer has"].what
    assert (
        "id (type is string, was integer)" in found["Fields whose rules differ from the expected ones"].what
    )


async def fields_of(group: str) -> str:
    async with a_portal() as portal:
        described: list[Any] = list(await portal.bi.sources.fields())
    assert group == "source"
    return json.dumps([field.model_dump(by_alias=True) for field in described])


@pytest.mark.parametrize(("shift", "direction"), [(600.0, "ahead of"), (-600.0, "behind")])
async def test_a_clock_ten_minutes_off_is_named_with_its_direction(shift: float, direction: str) -> None:
    status = await examined(healthy(), lambda: time.time() + shift)
    assert status.verdict == "warning"
    assert [finding.where for finding in grave(status)] == ["clock"]
    assert direction in grave(status)[0].what


async def test_a_portal_that_answers_nonsense_is_a_finding_and_no_crash() -> None:
    status = await examined(Answering("<html>login</html>"))
    assert status.verdict == "error"
    assert "HTML page" in status.findings[0].what


async def test_what_the_limits_leave_is_told_where_there_is_a_limiter() -> None:
    limiter = Limiter()
    app = portal_app("tables", "result", UrlCheck())
    http = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=app)
    now = 1000.0
    async with BIConnector(PatientTransport(http, limiter=limiter, clock=lambda: now)) as bi:
        status = await read_portal_status(bi, "portal.example", limiter=limiter, limits_clock=lambda: now)
        later = await read_portal_status(bi, "portal.example", limiter=limiter, limits_clock=lambda: now + 60)
    assert status.limits is not None
    assert later.limits is not None
    assert 0 < status.limits.requests_left < later.limits.requests_left == 48
    assert status.limits.requests_per_s == 2
    assert "biconnector.connector.list" in status.limits.run_time_used_s
