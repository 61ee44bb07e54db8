"""Secrets pass through the library and stay nowhere: not in errors, logs, dumps or representations."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bi_mcp.base.secret import MASK, Secret
from bi_mcp.errors import BiMcpError, PortalError, RefusedError
from bi_mcp.rest import AccessToken, BIConnector, Webhook
from bi_mcp.rest.methods import method
from bi_mcp.rest.models import Source, SourceChanges
from bi_mcp.rest.request import Command
from bi_mcp.rest.transport import HttpTransport
from tests.practice.portal.serving import served
from tests.rest.calling import (
    LOOPBACK,
    TOKEN,
    WEBHOOK,
    Answering,
    Portal,
    Recorder,
    a_portal,
    add_source,
    connect,
    source_fields,
)

pytestmark = pytest.mark.anyio

PASSWORD = "pass-word-canary"
WEBHOOK_SECRET = WEBHOOK.partition("/")[2]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """A portal whose error repeats all it was sent, in code and text."""
    request = Request(scope, receive)
    said = f"{request.url.path} {(await request.body()).decode()}"
    await JSONResponse({"error": f"BAD {said}", "error_description": said}, 400)(scope, receive, send)


def shown(error: BaseException) -> str:
    """All that a program prints of an error."""
    printed = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {printed} {vars(error)}"


async def test_a_portal_that_echoes_token_and_password_is_masked() -> None:
    async with connect(echo) as bi:
        with pytest.raises(RefusedError) as raised:
            await bi.sources.add(source_fields(1, PASSWORD))
    error: PortalError = raised.value
    assert MASK in error.message
    assert MASK in error.code
    assert "Shop one" in error.message
    for secret in (TOKEN, PASSWORD):
        assert secret not in shown(error)


async def test_a_portal_that_echoes_a_webhook_is_masked() -> None:
    async with connect(echo, Webhook(Secret(WEBHOOK))) as bi:
        with pytest.raises(RefusedError) as raised:
            await bi.sources.fields()
    assert WEBHOOK_SECRET not in shown(raised.value)
    only_the_secret = json.dumps({"error": "BAD", "error_description": f"unknown: {WEBHOOK_SECRET}"})
    async with connect(Answering(only_the_secret, 403), Webhook(Secret(WEBHOOK))) as bi:
        with pytest.raises(RefusedError, match=f"unknown: {MASK}"):
            await bi.sources.fields()


@pytest.mark.parametrize(
    "fault", ["html", "truncated", "empty", "cut_after", "internal_error", "expired_token", "query_limit"]
)
async def test_no_failure_shows_a_secret(tables: Portal, fault: str) -> None:
    source_id = await add_source(tables.bi)
    changes = SourceChanges(settings={"password": Secret(PASSWORD)})
    sent = {"id": source_id, "fields": changes.to_wire()}
    tables.faults.arm(fault)
    with pytest.raises(BiMcpError) as raised:
        await tables.bi._transport.send(Command(method("source", "update"), sent))
    for secret in (TOKEN, PASSWORD):
        assert secret not in shown(raised.value)


async def test_an_answer_that_cannot_be_read_does_not_show_its_values() -> None:
    settings: object = [{"id": {}, "code": None, "value": PASSWORD}]
    answer = {"result": {"item": {"id": "x", "title": PASSWORD, "settings": settings}}}
    async with connect(Answering(json.dumps(answer))) as bi:
        with pytest.raises(BiMcpError, match=r"unreadable in id, settings.0.code") as raised:
            await bi.sources.get(1)
    assert PASSWORD not in shown(raised.value)


async def test_a_source_shows_no_value_however_it_is_printed(portal: Portal) -> None:
    await add_source(portal.bi)
    fields = source_fields(1, PASSWORD)
    await portal.bi.sources.add(fields)
    page = await portal.bi.sources.list_page()
    source = await portal.bi.sources.get(2)
    for value in (fields, fields.to_wire(), source, page, source.model_dump(), source.model_dump_json()):
        assert PASSWORD not in f"{value} {value!r}"
    assert PASSWORD in {setting.value.reveal() for setting in source.settings or []}


def test_what_a_newer_portal_adds_to_a_source_may_be_a_value_and_is_kept_as_a_secret() -> None:
    answer = {
        "id": 1,
        "rawSettings": {"password": PASSWORD},
        "connection": {"password": PASSWORD},
        "settings": [{"code": "password", "value": PASSWORD, "default": PASSWORD}],
    }
    source = Source.model_validate(answer)
    assert PASSWORD not in f"{source!r} {source.model_dump()} {source.model_dump_json()}"
    assert {"rawSettings", "password"} <= set(source.model_extra or {})


def test_a_credential_and_a_client_print_no_secret() -> None:
    token, webhook = AccessToken(Secret(TOKEN)), Webhook(Secret(WEBHOOK))
    transport = HttpTransport(LOOPBACK, token)
    for value in (token, webhook, transport, BIConnector(transport), vars(transport)):
        assert TOKEN not in f"{value} {value!r}"
        assert WEBHOOK_SECRET not in f"{value} {value!r}"


async def test_no_log_line_holds_a_credential_or_a_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_portal() as portal:
        await add_source(portal.bi)
    async with a_portal(credential=Webhook(Secret(WEBHOOK))) as portal:
        await portal.bi.connectors.fields()
    assert f"/rest/7/{MASK}/biconnector.connector.fields" in caplog.text
    for secret in (TOKEN, WEBHOOK_SECRET, "right"):
        assert secret not in caplog.text


async def test_over_a_socket_neither_a_call_nor_a_redirect_writes_a_webhook_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    where = f"https://portal.example/rest/{WEBHOOK}/biconnector.source.fields"
    portal = Recorder(Answering("", 301, {"Location": where}))
    async with served(portal) as address:
        transport = HttpTransport(f"http://{address}", Webhook(Secret(WEBHOOK)))
        async with BIConnector(transport) as bi:
            with pytest.raises(BiMcpError, match=r"redirects to portal\.example"):
                await bi.sources.fields()
    lines = [r for r in caplog.records if r.name.startswith(("httpx", "httpcore"))]
    assert any(MASK in record.getMessage() for record in lines if record.name == "httpx")
    assert any(MASK in record.getMessage() for record in lines if record.name == "httpcore.http11")
    assert WEBHOOK_SECRET not in "".join(record.getMessage() for record in lines)
