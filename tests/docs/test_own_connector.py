"""The connector of the guide, started as the guide says, keeps every rule of Bitrix24."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bi_mcp.diagnostics.connector_check import examine_connector
from bi_mcp.diagnostics.connector_report import ConnectorReport
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import EndpointError
from bi_mcp.sample import ENDPOINTS
from bi_mcp.secret import Secret

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = DOCS / "examples" / "connector.py"
CONNECTION = {"login": Secret("bi"), "password": Secret("right")}
ORDERS = [(1, "tea", 2.5, "2026-01-01"), (2, "salt", 1.0, "2026-01-02"), (3, "tea", 7.0, "2026-01-02")]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The program over a small shop, on a free port."""
    file = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER, goods TEXT, total REAL, day DATE)")
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
    with subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, PROGRAM, file, "0"],
        env=os.environ | {"CONNECTOR_LOGIN": "bi", "CONNECTOR_PASSWORD": "right"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


async def examine(address: str, table: str | None = None) -> ConnectorReport:
    urls = {name: address + path for name, path in ENDPOINTS.items()}
    return await examine_connector(EndpointCaller(allow_private=True), urls, CONNECTION, table=table)


@pytest.mark.parametrize("language", ["", "ru"])
def test_the_guide_shows_the_program(language: str) -> None:
    guide = (DOCS / language / "how-to" / "own-connector.md").read_text(encoding="utf-8")
    # In a block of plain Python the formatter would take this for code.
    assert '\n``` { .python }\n--8<-- "examples/connector.py"\n```\n' in guide


async def test_it_breaks_no_rule(address: str) -> None:
    report = await examine(address)
    # All that there is to say is that this machine is not the internet.
    assert [(finding.level, finding.where) for finding in report.findings] == [("warning", "address")]
    assert [facts.held for facts in report.endpoints] == [None, "1 table", "4 columns", "3 rows"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"=goods": "tea"}, [1, 3]),
        ({"!goods": "tea"}, [2]),
        ({">=total": 2.5, "=goods": "tea"}, [1, 3]),
        ({"<total": "2.5"}, [2]),
        ({">day": "2026-01-01"}, [2, 3]),
    ],
)
async def test_it_filters(address: str, filter: dict[str, object], found: list[int]) -> None:
    rows = await EndpointCaller(allow_private=True).data(
        f"{address}/data", CONNECTION, "orders", select=["id"], filter=filter
    )
    assert rows.rows == [[id] for id in found]


@pytest.mark.parametrize(
    "filter",
    [{"%goods": "t"}, {"goods": ["tea", "salt"]}, {"logic": "OR"}, {'id" OR "1': "1"}, {"nosuch": "1"}],
)
async def test_what_it_does_not_understand_it_refuses(address: str, filter: dict[str, object]) -> None:
    with pytest.raises(EndpointError, match="400"):
        await EndpointCaller(allow_private=True).data(f"{address}/data", CONNECTION, "orders", filter=filter)


@pytest.mark.parametrize("table", ["nosuch", 'orders" --', ""])
async def test_a_table_that_is_not_there_is_refused(address: str, table: str) -> None:
    form = {"connection[login]": "bi", "connection[password]": "right", "table": table, "select[]": "id"}
    async with httpx.AsyncClient() as http:
        answers = [await http.post(address + path, data=form) for path in ("/table", "/data", "/nosuch")]
    assert [answer.status_code for answer in answers] == [400, 400, 400]


async def test_a_wrong_password_opens_nothing(address: str) -> None:
    form = {"connection[login]": "bi", "connection[password]": "wröng", "table": "orders"}
    async with httpx.AsyncClient() as http:
        answers = [await http.post(address + path, data=form) for path in ENDPOINTS.values()]
    assert [answer.status_code for answer in answers] == [401] * 4


def test_it_is_as_short_as_the_guide_says() -> None:
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 60
