"""A source in memory, whose answers a test can hold back, break and watch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.question.selection import select_rows
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import Row

LIMIT_S = 30


@dataclass
class Table:
    """`rows` of a table; after `fails_after` chunks the source fails, after `stops_after` it goes on when it is told to."""

    columns: Sequence[TableColumn]
    rows: Sequence[Row] = ()
    chunk: int = 2
    endless: bool = False
    fails_after: int | None = None
    stops_after: int | None = None
    fault: Exception = field(
        default_factory=lambda: SourceError(
            503, "The source does not answer now.", "server closed the connection"
        )
    )


class MemoryAnswer:
    """Rows of a table."""

    def __init__(self, table: Table, header: Sequence[str], at: Sequence[int], rows: Sequence[Row]) -> None:
        self._table = table
        self._at = at
        self._rows = rows
        self.header = header
        self.cancelled = threading.Event()
        self.go_on = threading.Event()
        self.stopped = threading.Event()
        self.closed = 0
        self.read = 0

    def chunks(self) -> Iterator[Sequence[Row]]:
        """Iterate over chunks."""
        while True:
            self._pause()
            part = self._rows[: self._table.chunk]
            if not part:
                return
            if not self._table.endless:
                self._rows = self._rows[self._table.chunk :]
            self.read += 1
            yield [[row[at] for at in self._at] for row in part]

    def _pause(self) -> None:
        assert not self.closed, "nothing is read after the end"
        if self.read == self._table.fails_after:
            raise self._table.fault
        if self.read == self._table.stops_after:
            self.stopped.set()
            assert self.go_on.wait(LIMIT_S)
        if self.cancelled.is_set():
            raise SourceError(503, "The query was cancelled.", "cancelled by the connector")

    def cancel(self) -> None:
        """End the iteration."""
        self.cancelled.set()
        self.go_on.set()

    def close(self) -> None:
        """Count how often the answer is closed."""
        self.closed += 1


class MemorySource:
    """Tables in memory."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self.answers = list[MemoryAnswer]()
        self.closed = False
        self.fault: Exception | None = None
        # Who looks for the columns waits until it is set.
        self.found = threading.Event()
        self.found.set()

    def check(self) -> None:
        """Fail if the test wants it."""
        if self.fault:
            raise self.fault

    def tables(self) -> Mapping[str, str]:
        """Give the codes in capitals as titles."""
        self.check()
        return {code: code.upper() for code in self._tables}

    def columns(self, table: str) -> Sequence[TableColumn]:
        """Give the columns."""
        assert self.found.wait(LIMIT_S)
        if table not in self._tables:
            raise RefusalError(404, f"There is no table {table[:80]!r}.")
        return self._tables[table].columns

    def rows(self, table: str, query: RowQuery) -> MemoryAnswer:
        """Begin an answer. Conditions are checked and not applied."""
        self.check()
        columns = self.columns(table)
        selection = select_rows(table, columns, query)
        rows = self._tables[table].rows[: selection.limit]
        answer = MemoryAnswer(
            self._tables[table], selection.header, [columns.index(one) for one in selection.columns], rows
        )
        self.answers.append(answer)
        return answer

    def close(self) -> None:
        """Note it."""
        self.closed = True
