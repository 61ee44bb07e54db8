"""A chart's question as the form that the portal sends to a connector's `urlData`. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from bi_mcp.config import Culture, Generation
from bi_mcp.practice.portal.chart_dataset import ChartColumn, ChartDataset
from bi_mcp.practice.portal.chart_dates import format_date, format_datetime, parse_moment
from bi_mcp.practice.portal.chart_question import (
    ChartCondition,
    ChartDateRange,
    ChartQuestion,
    Group,
    OperatorName,
    refuse_question,
)

Pair = tuple[str, str]

_END_OF_DAY = time(23, 59, 59)
_UNBOUNDED = 2**31


@dataclass(frozen=True)
class _Operator:
    """Spelling of a condition. Values are a list, except for the empty test, which sends the value *false* itself.

    `part` values are parts of a text, also on columns of other types.
    """

    prefix: str
    least: int = 1
    most: int = 1
    part: bool = False


# An excluded condition has `!` before the prefix.
OPERATORS: Mapping[OperatorName, _Operator] = {
    "one of": _Operator("=", most=_UNBOUNDED),
    "contains": _Operator("%", most=_UNBOUNDED, part=True),
    "between": _Operator("><", least=2, most=2),
    ">": _Operator(">"),
    ">=": _Operator(">="),
    "<": _Operator("<"),
    "<=": _Operator("<="),
    "empty": _Operator("=", least=0, most=0),
}

# It is not known which of the two encodings of *false* a portal sends. Each generation sends one, so that a connector
# that is tried on both has met both.
_FALSE: Mapping[Generation, str] = {"classic": "", "tables": "0"}


def build_form(
    question: ChartQuestion, dataset: ChartDataset, generation: Generation, culture: Culture
) -> list[Pair]:
    """Build everything but `connection`.

    Raises `ModuleFault`: CHART_QUESTION for a column or a value that BI Builder would not offer.
    """
    selected = [dataset.column(name) for name in question.columns]
    form = [("table", dataset.table)]
    form += [(f"select[{number}]", column.name) for number, column in enumerate(selected)]
    if question.dates:
        form += _date_range(question.dates, dataset, culture)
    for number, group in enumerate(question.groups):
        form += _group(f"filter[{number}]", group, dataset, generation, culture)
    if question.limit is not None:
        form.append(("limit", str(question.limit)))
    # A classic portal has no mapping: there a connector gets names, and nothing that leads to its codes.
    mapped = (selected or dataset.columns) if generation == "tables" else ()
    return [*form, *((f"mapFields[{column.code}]", column.name) for column in mapped)]


def _date_range(dates: ChartDateRange, dataset: ChartDataset, culture: Culture) -> Iterator[Pair]:
    column = dataset.column(dates.column) if dates.column else dataset.time_column()
    if column.type.lower() not in {"date", "datetime"}:
        raise refuse_question(
            f"A date range needs a column of type date or datetime, and {column.name} is {column.type}."
        )
    if dates.start:
        yield f"filter[>={column.name}]", _write(datetime.combine(dates.start, time()), column, culture)
    if dates.end:
        # With its time also on a column of type date.
        yield f"filter[<={column.name}]", format_datetime(datetime.combine(dates.end, _END_OF_DAY), culture)


def _group(
    key: str, group: Group, dataset: ChartDataset, generation: Generation, culture: Culture
) -> Iterator[Pair]:
    yield f"{key}[LOGIC]", "OR"
    for number, condition in enumerate(group):
        operator = OPERATORS[condition.operator]
        values = _values(condition, dataset.column(condition.column), culture)
        member = f"{key}[{number}][{'!' * condition.exclude}{operator.prefix}{condition.column}]"
        if operator.most == 0:
            yield member, _FALSE[generation]
        yield from ((f"{member}[{index}]", value) for index, value in enumerate(values))


def _values(condition: ChartCondition, column: ChartColumn, culture: Culture) -> Sequence[str]:
    operator = OPERATORS[condition.operator]
    if not operator.least <= len(condition.values) <= operator.most:
        raise refuse_question(
            f"The operator {condition.operator!r} takes {_number_of_values(operator)}, and {column.name} got "
            f"{len(condition.values)}."
        )
    if operator.part:
        return condition.values
    return [_value(value, column, culture) for value in condition.values]


def _number_of_values(operator: _Operator) -> str:
    if operator.most == _UNBOUNDED:
        return f"{operator.least} value or more"
    return {0: "no value", 1: "one value"}.get(operator.most, f"{operator.most} values")


def _value(text: str, column: ChartColumn, culture: Culture) -> str:
    kind = column.type.lower()
    if kind in {"date", "datetime"}:
        moment = parse_moment(text)
        if moment is None:
            raise refuse_question(
                f"{column.name} takes dates such as 2025-12-31 or 2025-12-31 23:59:59, not {text!r:.80}."
            )
        return _write(moment, column, culture)
    if kind in {"int", "double", "money"} and not _is_number(text):
        raise refuse_question(f"{column.name} takes numbers, not {text!r:.80}.")
    return text


def _write(moment: datetime, column: ChartColumn, culture: Culture) -> str:
    if column.type.lower() == "date":
        return format_date(moment, culture)
    return format_datetime(moment, culture)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
