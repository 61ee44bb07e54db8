"""What a source of data must be able to do. A database and a folder of files are its implementations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from bi_mcp.connector.columns import TableColumn, Value
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.unknown_names import UnknownName

Row: TypeAlias = Sequence[Value]

# Both are empty to PHP: Bitrix24 rejects a whole list of tables or columns that holds one of them.
UNUSABLE_CODES = ("", "0")


class Answer(Protocol):
    """Rows that are being read. All methods but `cancel` are called from one thread at a time."""

    @property
    def header(self) -> Sequence[str]:
        """The names of the columns, as the first row of the answer gives them."""

    def chunks(self) -> Iterator[Sequence[Row]]:
        """Iterate over the rows, some hundred at once; the values are ready for JSON.

        Raises SourceError when the source fails in the middle: the answer must then break off.
        """

    def cancel(self) -> None:
        """Stop the query, from any thread; the iteration then ends with SourceError. Does nothing after the end."""

    def close(self) -> None:
        """Give back what the answer holds, whether it was read to its end or not."""


class Source(Protocol):
    """Named tables. Every method may block, and is called from worker threads.

    An unknown table or column, or a bad filter, raises RefusalError; what the source itself cannot do now SourceError.
    """

    def check(self) -> None:
        """Make sure that the source answers."""

    def tables(self) -> Mapping[str, str]:
        """The title of each table by its code."""

    def columns(self, table: str) -> Sequence[TableColumn]:
        """The columns in their order; at least one."""

    def rows(self, table: str, query: RowQuery) -> Answer:
        """Begin to answer a question. Refuses here or with the first chunk, never later."""

    def close(self) -> None:
        """Give back connections and files."""


@runtime_checkable
class RemarkingSource(Source, Protocol):
    """A source that has something to say beside its data. Its sentences are for the person who runs the connector."""

    def notes(self, table: str) -> Sequence[str]:
        """What was guessed about a table, and how its values are sent."""

    def left_out(self, table: str) -> Mapping[str, str]:
        """Why columns of a table are not served, by the names that the data has for them."""

    def left_out_tables(self) -> Mapping[str, str]:
        """Why there are no tables of some files or sheets, by their names."""

    def unknown_names(self) -> Sequence[UnknownName]:
        """What the options name and the source has not."""
