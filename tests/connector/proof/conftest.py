from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import Source
from tests.connector.databases.serving import DatabaseServer
from tests.connector.proof.hurting import NAME, ZONE, Dialect, create_statement, hurting, stored
from tests.connector.proof.storing import insert, write_csv, write_sqlite

OpenHurting: TypeAlias = Callable[[Dialect], Source]


@pytest.fixture(scope="session")
def open_hurting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenHurting]:
    """Open the table of values that hurt in a dialect; each is made once."""
    folder = tmp_path_factory.mktemp("hurting")
    opened: dict[Dialect, Source] = {}
    with ExitStack() as stack:

        def find(dialect: Dialect) -> Source:
            if dialect not in opened:
                opened[dialect] = stack.enter_context(closing(_open(request, folder, dialect)))
            return opened[dialect]

        yield find


def _open(request: pytest.FixtureRequest, folder: Path, dialect: Dialect) -> Source:
    options, table = SourceOptions(time_zone=ZoneInfo(ZONE)), hurting(dialect)
    if dialect == "csv":
        (folder / "files").mkdir()
        write_csv(folder / "files" / f"{NAME}.csv", table)
        return open_files(folder / "files", options)
    rows = stored(dialect, table.rows)
    if dialect == "sqlite":
        file = folder / "hurting.db"
        write_sqlite(file, create_statement(dialect), NAME, rows)
        return open_database(Secret(f"sqlite:///{file}"), options)
    server: DatabaseServer = request.getfixturevalue(dialect)
    enum = ["CREATE TYPE mood AS ENUM ('calm', 'wild')"] if dialect == "postgresql" else []
    database = server.new_database(*enum, create_statement(dialect))
    insert(server, database, NAME, rows)
    return open_database(server.address(database), options)
