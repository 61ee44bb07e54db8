"""Requests to a portal are counted by what became of them, and the last one says whether it is there."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthenticationError, InvalidRequestError, LimitError, PortalError, UnreachableError
from bi_mcp.rest import AccessToken, BIConnector, Webhook
from bi_mcp.rest.request import build_stack
from bi_mcp.rest.traffic import CountingTransport, Traffic
from bi_mcp.rest.transport import HttpTransport
from tests.rest.calling import LOOPBACK, TOKEN, WEBHOOK, Portal

pytestmark = pytest.mark.anyio


def client(portal: Portal, traffic: Traffic, token: str = TOKEN) -> BIConnector:
    http = HttpTransport(LOOPBACK, AccessToken(Secret(token)), app=portal.calls)
    return BIConnector(build_stack(http, [partial(CountingTransport, traffic=traffic)]))


async def test_requests_are_counted_by_their_outcome(tables: Portal) -> None:
    traffic = Traffic()
    assert traffic.reachability() == "not asked yet"
    async with client(tables, traffic) as bi, client(tables, traffic, "another") as stranger:
        await bi.connectors.list_page()
        with pytest.raises(PortalError):
            await bi.connectors.get(404)
        with pytest.raises(AuthenticationError):
            await stranger.connectors.list_page()
        tables.faults.arm("operation_limit", method="biconnector.connector.list")
        with pytest.raises(LimitError):
            await bi.connectors.list_page()
    assert traffic.requests == {"ok": 1, "refused": 1, "credential": 1, "limit": 1}
    assert traffic.reachability() == "ok"


async def test_a_portal_is_unreachable_until_it_answers_again(tables: Portal) -> None:
    traffic = Traffic()
    async with client(tables, traffic) as bi:
        tables.faults.arm("cut_before", method="biconnector.connector.list")
        tables.faults.connection_lost = lambda: httpx.ReadError("cut")
        with pytest.raises(UnreachableError):
            await bi.connectors.list_page()
        assert traffic.reachability() == "unreachable"
        await bi.connectors.list_page()
        assert traffic.reachability() == "ok"
    assert traffic.requests == {"unreachable": 1, "ok": 1}


async def test_what_was_not_sent_is_not_counted(tables: Portal) -> None:
    traffic = Traffic()
    http = HttpTransport(LOOPBACK, Webhook(Secret(WEBHOOK)), app=tables.calls)
    async with BIConnector(CountingTransport(http, traffic=traffic)) as bi:
        with pytest.raises(InvalidRequestError):
            await bi.connectors.list_page()
    assert traffic.requests == {}
