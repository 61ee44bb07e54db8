"""The connector over real database servers: what one of them loses, a caller notices, and what a caller leaves, it does too."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from anyio import to_thread

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.allowed_hosts import AllowedHosts
from bi_mcp.connector.access.parametrised import ParametrisedAccess
from bi_mcp.connector.app import build_service_app
from bi_mcp.connector.opening import open_source
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import Source
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer
from tests.connector.service.memory import LIMIT_S
from tests.connector.service.serving import (
    CONNECTION,
    app_of,
    ask,
    client_of,
    connector,
    heard,
    listening,
    question,
)

pytestmark = pytest.mark.anyio

BIG = {"table": "numbers"}
# Reads of each kind of server: how many connections of ours run something, and which they are.
RUNNING = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = '{base}' AND state <> 'idle'",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = '{base}' AND command <> 'Sleep'",
}
KILL = {"postgresql": "SELECT pg_terminate_backend({id})", "mariadb": "KILL {id}"}
NUMBERS = {
    "postgresql": "CREATE TABLE numbers AS SELECT n AS id, repeat('x', 200) AS note FROM generate_series(1, 150000) n",
    "mariadb": "CREATE TABLE numbers AS SELECT seq AS id, repeat('x', 200) AS note FROM seq_1_to_150000",
}


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    found: DatabaseServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def base(server: DatabaseServer) -> str:
    return server.new_database(NUMBERS[server.dialect])


@pytest.fixture
def source(server: DatabaseServer, base: str) -> Iterator[Source]:
    opened = open_source(server.address(base), SourceOptions(connections=4))
    yield opened
    opened.close()


def running(server: DatabaseServer, base: str) -> list[int]:
    return [row[0] for row in server.execute("", RUNNING[server.dialect].format(base=base))]


async def until(server: DatabaseServer, base: str, *, running_now: bool) -> list[int]:
    with anyio.fail_after(LIMIT_S):
        while bool(found := await to_thread.run_sync(running, server, base)) != running_now:
            await anyio.lowlevel.checkpoint()
    return found


async def test_a_connection_that_is_lost_in_the_middle_breaks_the_answer_off(
    server: DatabaseServer, base: str, source: Source
) -> None:
    async with connector(source) as client:

        async def lose() -> None:
            for id in await until(server, base, running_now=True):
                await to_thread.run_sync(server.execute, "", KILL[server.dialect].format(id=id))

        status, body = await heard(client, BIG, meanwhile=lose)
        assert (status, body[:15]) == (200, b'[["ID","NOTE"],')
        limited = await ask(client, "/data", {**BIG, "limit": "2"})
    assert len(limited.json()) == 3


async def test_a_caller_who_goes_ends_the_query_of_the_server(
    server: DatabaseServer, base: str, source: Source
) -> None:
    async with listening(app_of(source)) as (address, _):
        async with question(address, CONNECTION | BIG) as (reader, _):
            await reader.readexactly(1000)
            await until(server, base, running_now=True)
        assert await until(server, base, running_now=False) == []


async def test_fifty_callers_at_once_get_all_rows_or_a_503(source: Source) -> None:
    statuses = list[int]()
    async with connector(source, answers=4) as client, anyio.create_task_group() as group:

        async def one() -> None:
            response = await ask(client, "/data", {**BIG, "limit": "2000"})
            statuses.append(response.status_code)
            assert response.status_code == 503 or len(response.json()) == 2001

        for _ in range(50):
            group.start_soon(one)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 4


async def test_the_settings_of_a_source_open_a_database(server: DatabaseServer, base: str) -> None:
    access = ParametrisedAccess(server.dialect, AllowedHosts(["localhost"], lambda *_: ["127.0.0.1"]))
    settings = {
        "host": "localhost",
        "port": str(server.port),
        "database": base,
        "login": USER,
        "password": PASSWORD,
    }
    async with listening(build_service_app(access)) as (address, _), client_of(address) as client:

        async def asked(path: str, **changed: str) -> tuple[int, str]:
            connection = {f"connection[{name}]": value for name, value in (settings | changed).items()}
            response = await client.post(path, data=connection | {**BIG, "filter[<=ID]": "1"})
            return response.status_code, response.text

        assert await asked("/check") == (200, '{"status":"ok"}')
        assert (await asked("/data"))[1].startswith('[["ID","NOTE"],\n[1,"xxx')
        refused = [
            await asked("/check", password="wrong"),
            await asked("/check", database="none"),
            await asked("/check", host="127.0.0.1"),
        ]
    assert [status for status, _ in refused] == [502, 502, 403]
    assert not any(Secret(PASSWORD).reveal() in text or base in text for _, text in refused)
