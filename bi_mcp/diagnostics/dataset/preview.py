"""The first rows of a dataset, asked for as a chart asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from bi_mcp.base.language import say
from bi_mcp.diagnostics.dataset.outside import open_dataset
from bi_mcp.endpoints.dates import read_iso
from bi_mcp.endpoints.operators import DATES, SPELLINGS, split_operator
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange, Group, Question, find_column
from bi_mcp.endpoints.request import build_request
from bi_mcp.endpoints.wording import one_line
from bi_mcp.errors import EndpointError, InvalidRequestError

if TYPE_CHECKING:
    from bi_mcp.endpoints.answers import Rows
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.endpoints.request import DataRequest
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import Dataset

LOGIC = "logic"
MOST_MAPPED = 3


class DatasetPreview(NamedTuple):
    """Rows under the names of the dataset's columns, the types of these, and the request without the connection: all lines of its
    form, and in short what a reader cannot guess.
    """

    rows: Rows
    types: list[str]
    sent: list[str]
    brief: str


async def preview_dataset(
    bi: BIConnector,
    caller: EndpointCaller,
    dataset_id: int,
    *,
    select: Sequence[str] = (),
    filter: Mapping[str, object] | None = None,
    limit: int,
) -> DatasetPreview:
    """Read the first rows of a dataset as a chart would; without `select` those of its visible columns.

    Columns are given by name, or by code where only one column has it. Raises InvalidRequestError for others, and
    EndpointError where the connector gives no rows.
    """
    dataset, outside = await open_dataset(bi, caller, dataset_id)
    columns = dataset_columns(dataset)
    chosen = tuple(_column(columns, name).name for name in select)
    dates, groups = read_filter(filter or {}, columns)
    # One more than is shown: it tells whether there are more.
    question = Question(columns=chosen, dates=dates, groups=groups, limit=limit + 1)
    request = build_request(dataset.external_code or "", columns, question, outside.dialect)
    try:
        rows = await outside.ask(request)
    except EndpointError as error:
        error.dataset = dataset_id
        raise
    header = rows.columns or rows.header
    cut = replace(
        rows,
        header=header,
        rows=rows.rows[:limit],
        truncated=rows.truncated or len(rows.rows) > limit,
    )
    types = {column.name: column.type for column in columns}
    return DatasetPreview(
        cut,
        [types.get(name, "") for name in header],
        [one_line(line) for line in request.lines()],
        describe_briefly(request, chosen),
    )


def describe_briefly(request: DataRequest, chosen: Sequence[str]) -> str:
    """Describe a request without its default: all visible columns, each under its own code. Long maps are folded."""
    conditions = replace(request, select=chosen, map_fields={}).lines()
    renamed = [f"{code}={name}" for code, name in request.map_fields.items() if code.upper() != name]
    lines = [one_line(line) for line in conditions]
    if renamed:
        more = f", … ({len(renamed)})" if len(renamed) > MOST_MAPPED else ""
        lines.append(f"mapFields: {one_line(', '.join(renamed[:MOST_MAPPED]))}{more}")
    return " & ".join(lines)


def dataset_columns(dataset: Dataset) -> list[DatasetColumn]:
    """A dataset's columns as charts know them."""
    return [
        DatasetColumn(
            column.name or "",
            column.external_code or "",
            column.type or "string",
            column.visible is not False,
        )
        for column in dataset.fields or []
    ]


def read_filter(
    filter: Mapping[str, object], columns: Sequence[DatasetColumn]
) -> tuple[DateRange | None, tuple[Group, ...]]:
    """Read conditions as people write them: `{"CARRIER": ["UA", "AA"], ">=DAY": "2013-01-01", "><DELAY": [1, 5]}`.

    Conditions are joined by AND, or by OR with `"LOGIC": "OR"`; numbered groups, as Bitrix24 sends them, nest. `>=` and `<=`
    with a single day on a time column are a date range.
    """
    dates, rest = _date_range(filter, columns)
    return dates, tuple(_groups(rest, columns))


def _date_range(
    filter: Mapping[str, object], columns: Sequence[DatasetColumn]
) -> tuple[DateRange | None, dict[str, object]]:
    dates: DateRange | None = None
    if _logic(filter) == "OR":
        return dates, dict(filter)
    rest = dict[str, object]()
    for key, value in filter.items():
        operator, excluded, name = split_operator(key)
        column = find_column(columns, name)
        day = read_iso(value) if isinstance(value, str) else None
        is_day = day is not None and not isinstance(day, datetime)
        is_end = operator in {"greater_or_equal", "less_or_equal"} and not excluded
        fits = dates is None or (column is not None and column.name == dates.column)
        if not is_end or column is None or column.type not in DATES or not is_day or not fits:
            rest[key] = value
            continue
        dates = dates or DateRange(column.name)
        is_first = operator == "greater_or_equal"
        dates = replace(dates, first=day) if is_first else replace(dates, last=day)
    return dates, rest


def _groups(filter: Mapping[str, object], columns: Sequence[DatasetColumn]) -> Iterator[Group]:
    if _logic(filter) == "OR":
        if conditions := tuple(_conditions(filter, columns)):
            yield conditions
        return
    for key, value in filter.items():
        if isinstance(value, Mapping):
            yield from _groups(value, columns)
        elif key.casefold() != LOGIC:
            yield (_condition(key, value, columns),)


def _conditions(filter: Mapping[str, object], columns: Sequence[DatasetColumn]) -> Iterator[Condition]:
    """The members of a group, even if each has a numbered group of its own."""
    for key, value in filter.items():
        if isinstance(value, Mapping):
            yield from _conditions(value, columns)
        elif key.casefold() != LOGIC:
            yield _condition(key, value, columns)


def _logic(filter: Mapping[str, object]) -> str:
    logic = next((str(value) for key, value in filter.items() if key.casefold() == LOGIC), "AND").upper()
    if logic not in {"AND", "OR"}:
        raise InvalidRequestError(say("filter: LOGIC is AND or OR, not {logic!r}.", logic=logic))
    return logic


def _condition(key: str, value: object, columns: Sequence[DatasetColumn]) -> Condition:
    operator, excluded, name = split_operator(key)
    column = find_column(columns, key) or _column(columns, name)
    if key in {column.name, column.code}:
        operator, excluded = "is", False
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values or any(isinstance(each, list | tuple | Mapping) for each in values):
        raise InvalidRequestError(
            say("filter: {key} takes texts and numbers, alone or in one list.", key=key)
        )
    # By identity: 0 is a number to look for.
    is_false = len(values) == 1 and (values[0] is None or values[0] is False or values[0] == "")
    if operator == "is" and is_false:
        return Condition(column.name, "empty", (), excluded)
    if SPELLINGS[operator].takes == "range" and len(values) != 2:
        raise InvalidRequestError(
            say(
                'filter: {key} takes both ends of a range, such as {{"{key}": [1, 5]}}.',
                key=key,
            )
        )
    return Condition(column.name, operator, values, excluded)


def _column(columns: Sequence[DatasetColumn], name: str) -> DatasetColumn:
    column = find_column(columns, name)
    if column is None:
        known = ", ".join(column.name for column in columns)
        raise InvalidRequestError(
            say(
                "The dataset has no column {name!r}, or several columns have that code. Its columns are {known}. Name one of them.",
                name=name,
                known=known,
            )
        )
    return column
