"""What goes wrong around the whole service over real databases: they die, clients go, tables vanish, and texts are hostile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest
from anyio import to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import Source
from tests.charts.questions import Condition, Dialect, ask_one, body, encode
from tests.conftest import require_program
from tests.connector.databases.serving import DatabaseServer, serving
from tests.connector.proof.conftest import OpenHurting
from tests.connector.proof.connectors import CONNECTION, serve
from tests.connector.proof.hurting import NAME, WORDS, hurting
from tests.connector.proof.storing import run_sqlite
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

CAMPAIGN = pytest.mark.campaign("many processes or clients at once")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SERVERS = ("postgresql", "mariadb")
PROGRAMS = {"postgresql": ("postgres", "PostgreSQL"), "mariadb": ("mariadbd", "MariaDB")}
# More rows than anyone waits for.
NUMBERS = "(WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n)"
ENDLESS = f"CREATE VIEW endless AS SELECT a.i AS id, repeat('x', 200) AS text FROM {NUMBERS} a, {NUMBERS} b, {NUMBERS} c"  # noqa: S608  made here
RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%endless%%' AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%endless%' AND id <> connection_id()",
}


def form(table: str) -> bytes:
    return body([("table", table)], CONNECTION)


@asynccontextmanager
async def client_of(source: Source) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        served(serve(source)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers=FORM, trust_env=False, timeout=60) as client,
    ):
        yield client


@CAMPAIGN
@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_database_that_dies_in_the_middle_breaks_the_answer_off(dialect: str) -> None:
    require_program(*PROGRAMS[dialect])
    with serving(PROGRAMS[dialect][0]) as server:
        database = server.new_database(ENDLESS, "CREATE TABLE small (x int)")
        with closing(open_database(server.address(database), SourceOptions())) as source:
            async with client_of(source) as client:
                received = bytearray()
                with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012  the answer is read until it breaks
                    async with client.stream("POST", "/data", content=form("endless")) as answer:
                        assert answer.status_code == 200
                        async for part in answer.aiter_bytes():
                            if not received:
                                await to_thread.run_sync(server.kill)
                            received += part
                with pytest.raises(json.JSONDecodeError):
                    json.loads(received)
                refused = await client.post("/data", content=form("small"))
                assert refused.status_code in {502, 503}, refused.text
                await to_thread.run_sync(server.start)
                assert (await client.post("/data", content=form("small"))).json() == [["X"]]


@CAMPAIGN
@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_client_that_goes_in_the_middle_ends_the_query(
    request: pytest.FixtureRequest, dialect: str
) -> None:
    server: DatabaseServer = request.getfixturevalue(dialect)
    database = server.new_database(ENDLESS)
    with closing(open_database(server.address(database), SourceOptions())) as source:
        async with client_of(source) as client:
            async with client.stream("POST", "/data", content=form("endless")) as answer:
                await anext(answer.aiter_bytes())
            with anyio.fail_after(30):
                while await to_thread.run_sync(server.execute, database, RUNNING[dialect]) != [(0,)]:  # noqa: ASYNC110  another process has no event
                    await anyio.sleep(0.05)
            # Its place is free again.
            assert (await client.post("/tables", content=form(""))).status_code == 200


@CAMPAIGN
@pytest.mark.parametrize("dialect", SERVERS)
async def test_a_slow_reader_stands_in_nobodys_way_and_loses_no_row(
    request: pytest.FixtureRequest, dialect: str
) -> None:
    server: DatabaseServer = request.getfixturevalue(dialect)
    database = server.new_database(ENDLESS, "CREATE TABLE small (x int)")
    with closing(open_database(server.address(database), SourceOptions())) as source:
        async with (
            client_of(source) as client,
            client.stream("POST", "/data", content=form("endless")) as slow,
        ):
            lines = slow.aiter_lines()
            heard = [await anext(lines)]
            for _ in range(20):
                assert (await client.post("/data", content=form("small"))).json() == [["X"]]
            heard += [await anext(lines) for _ in range(50)]
    header, *chunks = heard
    assert json.loads(header.removesuffix(",") + "]") == [["ID", "TEXT"]]
    rows = [row for chunk in chunks for row in json.loads(f"[{chunk.removesuffix(',')}]")]
    assert len(rows) > 1000
    assert {len(row[1]) for row in rows} == {200}


@CAMPAIGN
async def test_fifty_clients_at_once_have_their_rows_or_a_quick_refusal(open_hurting: OpenHurting) -> None:
    answers = list[httpx.Response]()
    async with client_of(open_hurting("postgresql")) as client:

        async def ask() -> None:
            answers.append(await client.post("/data", content=form(NAME)))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
    assert {answer.status_code for answer in answers} <= {200, 503}
    right = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(right) >= 8
    assert all(len(rows) == len(WORDS) + 1 for rows in right)


@pytest.mark.parametrize("dialect", ["sqlite", *(pytest.param(name, marks=CAMPAIGN) for name in SERVERS)])
async def test_a_table_that_is_dropped_between_the_list_and_the_data(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    statements = ("CREATE TABLE goes (x int, y int)", "CREATE TABLE stays (x int)")
    execute: Callable[..., object]
    if dialect == "sqlite":
        execute, address = partial(run_sqlite, tmp_path / "shop.db"), Secret(f"sqlite:///{tmp_path}/shop.db")
        execute(*statements)
    else:
        server: DatabaseServer = request.getfixturevalue(dialect)
        database = server.new_database(*statements)
        execute, address = partial(server.execute, database), server.address(database)
    with closing(open_database(address, SourceOptions())) as source:
        async with client_of(source) as client:
            listed = (await client.post("/tables", content=form(""))).json()
            goes = next(table["code"] for table in listed if table["code"].lower().endswith("goes"))
            assert (await client.post("/data", content=form(goes))).json() == [["X", "Y"]]
            execute("ALTER TABLE goes DROP COLUMN y")
            assert (await client.post("/data", content=form(goes))).status_code in {200, 502}
            assert (await client.post("/data", content=form(goes))).json() == [["X"]]
            execute("DROP TABLE goes")
            gone = await client.post("/data", content=form(goes))
            assert gone.status_code == 404, gone.text
            assert "SELECT" not in gone.text.upper()
            listed = (await client.post("/tables", content=form(""))).json()
            assert [table["code"].lower().rpartition(".")[2] for table in listed] == ["stays"]


HOSTILE = st.text(max_size=12) | st.sampled_from(
    [
        *(
            "'",
            '"',
            "`",
            "\\",
            "\\'",
            "''",
            ";",
            "--",
            "/*",
            "*/",
            "#",
            "%",
            "%s",
            "%(a)s",
            ":a",
            "?",
            "$1",
            "{}",
        ),
        *(
            "' OR 1=1 --",
            '" OR ""="',
            "'; DROP TABLE hurting; --",
            "1; SELECT pg_sleep(9)",
            "' UNION SELECT 1 --",
        ),
        *("\\' OR 1=1 #", "x') OR ('1'='1", 'WORD" FROM hurting --', "0x27", "ʼ", "＇", "\u0000", "\ud7ff"),
    ]
)


@pytest.mark.parametrize(
    "dialect",
    ["sqlite", "csv", *(pytest.param(name, marks=pytest.mark.campaign("fuzzing")) for name in SERVERS)],
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(HOSTILE, min_size=1, max_size=3), names=st.lists(HOSTILE, min_size=3, max_size=3))
async def test_hostile_texts_find_what_equals_them_and_nothing_else(
    open_hurting: OpenHurting, dialect: str, words: list[str], names: list[str]
) -> None:
    table = hurting(dialect)  # type: ignore[arg-type]
    source = open_hurting(dialect)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(serve(source))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop.localhost", headers=FORM
    ) as client:
        asked = ask_one(Condition("WORD", "one of", tuple(words)))
        answer = await client.post("/data", content=body(encode(table, asked, Dialect()), CONNECTION))
        if any("\0" in word for word in words):
            assert answer.status_code == 400
        else:
            assert answer.status_code == 200, answer.text
            right = [row["ID"] for row in table.rows if row["WORD"] in words]
            assert sorted(row[0] for row in answer.json()[1:]) == right
        pairs = [
            ("table", NAME),
            ("select[0]", names[0]),
            (f"mapFields[{names[1]}]", names[2]),
            (f"filter[={names[2]}]", words[0]),
        ]
        for changed in (pairs, [("table", words[0]), *pairs[1:]]):
            refused = await client.post("/data", content=body(changed, CONNECTION))
            assert refused.status_code in {400, 404}, refused.text
        whole = await client.post("/data", content=form(NAME))
        assert len(whole.json()) == len(table.rows) + 1
