"""A source over files that a test wrote, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bi_mcp.connector.files import open_files
from bi_mcp.connector.files.folder import FileSource
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.connector.question.query import parse_query


@dataclass(frozen=True)
class Opened:
    source: FileSource
    options: SourceOptions

    def types(self, table: str | None = None) -> dict[str, str]:
        return {column.code: column.type for column in self.source.columns(table or self.only)}

    def rows(self, table: str | None = None, form: Sequence[tuple[str, str]] = ()) -> list[list[Any]]:
        query = parse_query(parse_form(urlencode(form).encode()), self.options.culture)
        answer = self.source.rows(table or self.only, query)
        return [list(row) for chunk in answer.chunks() for row in chunk]

    def column(self, code: str) -> list[Any]:
        return [row[0] for row in self.rows(form=[("select[]", code)])]

    def notes(self, table: str | None = None) -> str:
        return "\n".join(self.source.notes(table or self.only))

    @property
    def only(self) -> str:
        (table,) = self.source.tables()
        return table


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Opened]:
    """Open a file or folder; codes are what the data calls its columns."""
    chosen = SourceOptions(**({"spelling": "original"} | options))
    source = open_files(path, chosen)
    try:
        yield Opened(source, chosen)
    finally:
        source.close()


@contextmanager
def reading(folder: Path, content: str | bytes, name: str = "orders.csv", **options: Any) -> Iterator[Opened]:
    """Write a file and open it."""
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(file, **options) as found:
        yield found
