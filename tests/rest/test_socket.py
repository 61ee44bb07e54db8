"""The library against a portal on a real port: what only a socket can show."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import (
    ConnectionCheckError,
    InterruptedWriteError,
    NotFoundError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest import AccessToken, BIConnector, Webhook
from bi_mcp.rest.methods import method
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.rest.request import Command
from bi_mcp.rest.transport import HttpTransport
from tests.practice.portal.serving import served
from tests.rest.calling import (
    TOKEN,
    WEBHOOK,
    UrlCheck,
    add_dataset,
    connector_fields,
    portal_app,
    source_fields,
)

pytestmark = pytest.mark.anyio


@dataclass
class Served:
    """A portal on a port. A fault cuts the socket itself."""

    bi: BIConnector
    address: str
    faults: Any


@pytest.fixture
async def portal() -> AsyncIterator[Served]:
    app = portal_app("tables", "result", UrlCheck())
    app.state.faults.connection_lost = None
    async with (
        served(app) as address,
        BIConnector(HttpTransport(f"http://{address}", AccessToken(Secret(TOKEN)))) as bi,
    ):
        yield Served(bi, address, app.state.faults)


async def test_the_client_of_the_readme_works_over_a_socket(portal: Served) -> None:
    async with BIConnector(f"http://{portal.address}", AccessToken(Secret(TOKEN))) as bi:
        dataset_id = await add_dataset(bi)
        assert (await bi.datasets.get(dataset_id)).name == "orders"
        with pytest.raises(ConnectionCheckError):
            await bi.sources.add(source_fields(1, password="wrong"))
        assert [connector.id async for connector in bi.connectors.iterate()] == [1]
        deletion = await bi.datasets.delete_reporting(dataset_id)
        assert deletion.orphaned_builder_dataset == 1
        with pytest.raises(NotFoundError):
            await bi.datasets.get(dataset_id)


async def test_a_webhook_works_over_a_socket(portal: Served) -> None:
    transport = HttpTransport(f"http://{portal.address}", Webhook(Secret(WEBHOOK)))
    async with BIConnector(transport) as bi:
        assert "title" in {field.title for field in await bi.connectors.fields()}


async def test_calls_at_the_same_time_share_one_client(portal: Served) -> None:
    titles = [f"Shop {number}" for number in range(10)]
    async with anyio.create_task_group() as group:
        for title in titles:
            group.start_soon(portal.bi.connectors.add, connector_fields(title=title))
    assert {c.title for c in (await portal.bi.connectors.list_page()).items} == set(titles)


async def test_a_write_over_a_cut_socket_is_looked_for(portal: Served) -> None:
    connectors = portal.bi.connectors
    connector_id = await connectors.add(connector_fields())
    portal.faults.arm("cut_before", method="biconnector.connector.update")
    with pytest.raises(InterruptedWriteError, match=r"no answer.*nothing has changed so far") as raised:
        await connectors.update(connector_id, ConnectorChanges(title="Big shop"))
    assert raised.value.outcome == "not_done"
    assert (await connectors.get(connector_id)).title == "Shop"
    portal.faults.arm("cut_after", method="biconnector.connector.update")
    await connectors.update(connector_id, ConnectorChanges(title="Big shop"))
    assert (await connectors.get(connector_id)).title == "Big shop"


async def test_a_cut_socket_does_not_trouble_a_read(portal: Served) -> None:
    portal.faults.arm("cut_after")
    with pytest.raises(UnreachableError, match="then try again") as raised:
        await portal.bi.connectors.list_page()
    assert not raised.value.may_have_happened
    assert (await portal.bi.connectors.list_page()).items == []


@pytest.mark.parametrize(
    ("fault", "what"), [("html", "an HTML page"), ("truncated", "broken or cut-off JSON")]
)
async def test_a_spoilt_answer_over_a_socket_is_described(portal: Served, fault: str, what: str) -> None:
    portal.faults.arm(fault)
    with pytest.raises(UnexpectedAnswerError, match=what):
        await portal.bi.connectors.list_page()


async def test_where_nobody_listens_nothing_can_have_happened() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        transport = HttpTransport(f"http://{address}", AccessToken(Secret(TOKEN)))
        async with BIConnector(transport) as bi:
            with pytest.raises(UnreachableError, match=f"{address} could not be reached") as raised:
                await bi.connectors.add(connector_fields())
    assert not raised.value.may_have_happened


async def test_a_portal_that_does_not_answer_in_time_is_unreachable(portal: Served) -> None:
    transport = HttpTransport(f"http://{portal.address}", AccessToken(Secret(TOKEN)))
    transport._client.timeout = httpx.Timeout(None, read=0.05)
    slow = portal.faults.arm("slow", method="biconnector.connector.update")
    async with BIConnector(transport):
        with pytest.raises(UnreachableError, match="did not answer in time") as raised:
            await transport.send(Command(method("connector", "update"), {"id": 1, "fields": {"title": "x"}}))
    slow.release.set()
    assert raised.value.may_have_happened
