"""The counting of a dataset's first rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bi_mcp.diagnostics.profile.column import profile_column, read_column
from bi_mcp.diagnostics.profile.first_chart import choose_chart
from bi_mcp.diagnostics.profile.profile import DatasetProfile
from bi_mcp.diagnostics.tables.values import show_value
from bi_mcp.endpoints.question import DatasetColumn

# The most that is asked for and counted: as many rows as are read of any answer, and what fits into one of ours.
MOST_ROWS = 1000
MOST_COLUMNS = 50
SHOWN_ROWS = 5


def build_profile(
    id: int,
    name: str,
    columns: Sequence[DatasetColumn],
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    complete: bool,
    left_out: int = 0,
) -> DatasetProfile:
    """Count rows under a header of column names. A column that the header lacks is missing, the end of a short row empty."""
    counted = rows[:MOST_ROWS]
    places = {column: place for place, column in reversed(list(enumerate(header)))}
    shown = columns[:MOST_COLUMNS]
    cells = [[_cell(row, places.get(column.name)) for row in counted] for column in shown]
    read = [
        read_column(column.name, column.type, values) for column, values in zip(shown, cells, strict=True)
    ]
    return DatasetProfile(
        id=id,
        name=show_value(name),
        counted=len(counted),
        complete=complete and len(counted) == len(rows),
        columns=[
            profile_column(each).model_copy(update={"missing": None if column.name in places else True})
            for column, each in zip(shown, read, strict=True)
        ],
        left_out=left_out + len(columns) - len(shown),
        first_rows=[
            [None if values[row] is None else show_value(values[row]) for values in cells]
            for row in range(min(SHOWN_ROWS, len(counted)))
        ],
        chart=choose_chart(read),
    )


def _cell(row: Sequence[object], place: int | None) -> object:
    return row[place] if place is not None and place < len(row) else None
