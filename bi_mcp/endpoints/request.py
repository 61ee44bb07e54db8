"""Pure: a chart's question -> the parameters of `urlData`, as a portal of either generation writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from urllib.parse import unquote_plus

from bi_mcp.endpoints.dates import CULTURES, Culture, CultureName, read_iso, write_date, write_datetime
from bi_mcp.endpoints.form import encode_form
from bi_mcp.endpoints.operators import EXCLUDED, SPELLINGS
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange, Question

END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True)
class Dialect:
    """A portal's way of writing requests. `maps`: newer portals send `mapFields`, older ones never do."""

    culture: CultureName = "ru"
    maps: bool = True


@dataclass(frozen=True)
class DataRequest:
    """Parameters of one call of `urlData`, without the connection. Empty ones are not sent.

    `names` leads from codes to the names that the request uses; `map_fields` is the part of it that is sent.
    """

    table: str
    select: Sequence[str] = ()
    filter: Mapping[str, object] = field(default_factory=dict)
    limit: int | None = None
    map_fields: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, object]:
        """Parameters as they go into the form."""
        return {
            "table": self.table,
            "select": list(self.select),
            "filter": self.filter,
            "limit": self.limit,
            "mapFields": self.map_fields,
        }

    def lines(self) -> list[str]:
        """The form's lines, decoded, for a person or a model to read."""
        return [unquote_plus(pair) for pair in encode_form(self.parameters).decode().split("&")]


def build_request(
    table: str, columns: Sequence[DatasetColumn], question: Question, dialect: Dialect
) -> DataRequest:
    """Write a question as the portal would. Columns that the dataset lacks are written unchanged."""
    selected = question.columns or tuple(column.name for column in columns if column.visible)
    by_name = {column.name: column for column in columns}
    mapped = [by_name[name] for name in selected if name in by_name] if question.columns else columns
    culture = CULTURES[dialect.culture]
    types = {column.name: column.type for column in columns}
    names = {column.code: column.name for column in mapped}
    return DataRequest(
        table=table,
        select=selected,
        filter={
            **dict(_date_range(question.dates, types, culture)),
            **{
                str(number): {
                    "LOGIC": "OR",
                    **{
                        str(place): _condition(condition, types, culture)
                        for place, condition in enumerate(group)
                    },
                }
                for number, group in enumerate(question.groups)
            },
        },
        limit=question.limit,
        map_fields=names if dialect.maps else {},
        names=names,
    )


def _date_range(
    dates: DateRange | None, types: Mapping[str, str], culture: Culture
) -> Iterator[tuple[str, str]]:
    if dates is None:
        return
    if dates.first is not None:
        yield f">={dates.column}", _write(dates.first, types.get(dates.column, "date"), culture)
    if dates.last is not None:
        yield f"<={dates.column}", write_datetime(datetime.combine(dates.last, END_OF_DAY), culture)


def _condition(condition: Condition, types: Mapping[str, str], culture: Culture) -> dict[str, object]:
    spelling = SPELLINGS[condition.operator]
    key = f"{EXCLUDED if condition.excluded else ''}{spelling.prefix}{condition.column}"
    if spelling.takes == "nothing":
        return {key: False}
    type_ = types.get(condition.column, "string")
    return {key: [_write(value, type_, culture) for value in condition.values]}


def _write(value: object, type_: str, culture: Culture) -> str:
    """Write a value as text; a value for a time column that is not ISO stays unchanged."""
    if type_ not in {"date", "datetime"}:
        return str(value)
    moment = read_iso(value) if isinstance(value, str) else value
    if not isinstance(moment, date):
        return str(value)
    if type_ == "date" and not isinstance(moment, datetime):
        return write_date(moment, culture)
    return write_datetime(
        moment if isinstance(moment, datetime) else datetime.combine(moment, time()), culture
    )
