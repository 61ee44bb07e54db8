"""How ClickHouse is asked, with its driver's own binding of values; there is no server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from tests.connector.databases.asking import a_database, a_query, rows_of

ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "system.tables": [("shop", "or`ders", "All orders", 1), ("other", "t", "", 0)],
    "system.columns": [("id", "UInt64"), ("na%me", "Nullable(String)"), ("amount", "Decimal(38, 2)")],
}


class Client:
    """A client that keeps what it would have sent."""

    server_tz = UTC

    def __init__(self) -> None:
        self.sent: list[str] = []

    def _add_integration_tag(self, _: str) -> None: ...

    def close(self) -> None: ...

    def create_query_context(self, query: str, parameters: Any = None, **_: Any) -> Any:
        return SimpleNamespace(query=query, parameters=parameters)

    def query(self, query: str = "", parameters: Any = None, context: Any = None, **_: Any) -> Any:
        text = self._keep(context.query, context.parameters) if context else self._keep(query, parameters)
        rows = next((rows for name, rows in ANSWERS.items() if name in text), [(1,)])
        names = [f"c{at}" for at in range(len(rows[0]))]
        types = [SimpleNamespace(name="String") for _ in names]
        return SimpleNamespace(result_set=rows, column_names=names, column_types=types, summary={})

    @contextmanager
    def query_row_block_stream(self, query: str, parameters: Any = None) -> Iterator[Iterator[Sequence[Any]]]:
        self._keep(query, parameters)
        yield iter([[(at, "x", "0.10") for at in range(1500)], [], [(1500, None, None)]])

    def _keep(self, query: str, parameters: Any) -> str:
        from clickhouse_connect.driver.binding import finalize_query

        self.sent.append(finalize_query(query, parameters))
        return self.sent[-1]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    client = Client()
    monkeypatch.setattr("clickhouse_connect.dbapi.connection.create_client", lambda **_: client)
    return client


def test_rows_are_streamed_and_values_bound(client: Client) -> None:
    with closing(a_database(Secret("clickhouse://bi:word@h/shop"))) as database:
        assert database.tables() == {"or`ders": "All orders"}
        assert [column.type for column in database.columns("or`ders")] == ["int", "string", "double"]
        answer = database.rows(
            "or`ders", a_query(filter={"=NA_PCT_ME": ["it's 100%\\"], "%NA_PCT_ME": ["Ä"]})
        )
        assert [len(chunk) for chunk in answer.chunks()] == [1000, 500, 1]
    statement = " ".join(client.sent[-1].split())
    assert "FROM `shop`.`or\\`ders` AS `bi_table`" in statement
    assert "`bi_table`.`na%me` IN ('it\\'s 100%\\\\')" in statement
    assert "positionCaseInsensitiveUTF8(`bi_table`.`na%me`, 'Ä') > 0" in statement


def test_long_numbers_are_sent_exactly(client: Client) -> None:
    with closing(a_database(Secret("clickhouse://bi:word@h/shop"))) as database:
        rows = rows_of(database, "or`ders")
    assert "`bi_table`.`na%me` AS" in client.sent[-1]
    assert rows[0] == [0, "x", 0.1]
    assert rows[-1] == [1500, None, None]
