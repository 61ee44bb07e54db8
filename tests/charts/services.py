"""Our own connectors over files that hold given tables."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from bi_mcp.base.secret import Secret
from bi_mcp.practice.sample import create_app
from tests.charts.connector import CONNECTION, PATHS
from tests.charts.questions import Culture, body
from tests.charts.tables import Column, Table

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "connector.py"
_DECLARED = {"int": "INTEGER", "double": "REAL", "string": "TEXT", "date": "DATE", "datetime": "DATETIME"}


def write_csv(table: Table, folder: Path) -> Path:
    """Write a table as a CSV file; a missing value is an empty cell."""
    file = folder / f"{table.code}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, [column.code for column in table.columns])
        writer.writeheader()
        writer.writerows(table.rows)
    return file


def write_sqlite(table: Table, folder: Path) -> Path:
    """Put a table into the folder's SQLite file, in the place of one of the same name."""
    file = folder / "shop.sqlite3"
    columns = ", ".join(f'"{column.code}" {_DECLARED[column.type]}' for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f'DROP TABLE IF EXISTS "{table.code}"')
        database.execute(f'CREATE TABLE "{table.code}" ({columns})')
        database.executemany(
            f'INSERT INTO "{table.code}" VALUES ({marks})',  # noqa: S608 - a table of this test
            [tuple(row.values()) for row in table.rows],
        )
    return file


@asynccontextmanager
async def sample(file: Path, culture: Culture | None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a file with the sample connector."""
    login, password = CONNECTION["login"], Secret(CONNECTION["password"])
    app = create_app(file, login=login, password=password, culture=culture)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sample.localhost"
    ) as client:
        yield client


@contextmanager
def example(file: Path, culture: Culture | None) -> Iterator[str]:
    """Start the connector of the guide over a SQLite file and give its address."""
    environment = {"CONNECTOR_LOGIN": CONNECTION["login"], "CONNECTOR_PASSWORD": CONNECTION["password"]}
    if culture:
        environment["CONNECTOR_CULTURE"] = culture
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, EXAMPLE, file, "0"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


async def read_announced(client: httpx.AsyncClient, table: Table) -> Table:
    """Return the table with the codes that a connector announces for its columns, which differ in case at most."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    content = body([("table", table.code)], CONNECTION)
    answer = await client.post(PATHS["urlTableDescription"], content=content, headers=kind)
    assert answer.status_code == 200, answer.text
    announced: list[Mapping[str, str]] = json.loads(answer.text)
    codes = {item["code"].casefold(): item["code"] for item in announced}
    types = {item["code"]: item["type"] for item in announced}
    columns = tuple(replace(column, code=codes[column.code.casefold()]) for column in table.columns)
    assert types == {column.code: column.type for column in columns}
    return _recode(table, columns)


def _recode(table: Table, columns: tuple[Column, ...]) -> Table:
    codes = [column.code for column in columns]
    rows = tuple(dict(zip(codes, row.values(), strict=True)) for row in table.rows)
    return replace(table, columns=columns, rows=rows)
