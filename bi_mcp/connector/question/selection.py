"""A question applied to the columns of a table: what is left for a source is to turn it into its own query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bi_mcp.connector.columns import ColumnNames, TableColumn
from bi_mcp.connector.question.filter import Group, parse_row_filter
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.refusal import RefusalError


@dataclass(frozen=True)
class Selection:
    """The columns of an answer and their names in its first row, the condition on rows, and how many are wanted."""

    columns: tuple[TableColumn, ...]
    header: tuple[str, ...]
    condition: Group
    limit: int | None


def select_rows(table: str, columns: Sequence[TableColumn], query: RowQuery) -> Selection:
    """Apply a question to a table. Raises RefusalError, which names the column, operator or value at fault.

    The header holds codes. Without `mapFields` a selected column has the name by which it was asked for: an older
    portal passes the answer on to BI Builder, which knows the names.
    """
    names = ColumnNames(columns, query.codes)
    chosen = _choose(table, query.select, names) or {column: column.code for column in columns}
    header = [names.code_of(column) for column in chosen] if query.codes else chosen.values()
    condition = parse_row_filter(query.filter, names, query.culture)
    return Selection(tuple(chosen), tuple(header), condition, query.limit)


def _choose(table: str, select: Sequence[str], names: ColumnNames) -> dict[TableColumn, str]:
    """Choose the columns in their order, each once, with the names by which they were asked for."""
    chosen: dict[TableColumn, str] = {}
    for name in select:
        column = names.find_in_any_case(name)
        if column is None:
            raise RefusalError(400, f"The table {table!r} has no column {name[:80]!r} to select.")
        chosen.setdefault(column, name)
    return chosen
