"""Questions that show whether a connector understands charts, made of the rows that it just answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from bi_mcp.diagnostics.chart_conditions import satisfies
from bi_mcp.diagnostics.chart_sample import ChartSample, Value
from bi_mcp.endpoints.operators import DATES, SPELLINGS, Operator
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange, Question, ask_all
from bi_mcp.language import say

# More conditions at once save calls; with too many no row is left that tells one from the other.
MOST_IN_A_PACK = 6
LONGEST_VALUE = 60
PART_LENGTHS = (4, 3, 2, 1)
# One column of each is tried.
FAMILIES = (
    frozenset({"string", "timezone"}),
    frozenset({"int"}),
    frozenset({"double", "money"}),
    *map(frozenset, (("date",), ("datetime",))),
)


class Shape(NamedTuple):
    """A condition that a chart may have, and the column type that it is tried on."""

    condition: Condition
    type: str

    @property
    def label(self) -> str:
        """Its name for a person: `not contains (string)`."""
        name = say(SPELLINGS[self.condition.operator].label)
        if self.condition.excluded:
            name = say("not: {name}", name=name)
        return f"{name} ({self.type})"

    def is_like(self, other: Shape) -> bool:
        """Is it the same condition, on a column of whatever type?"""
        mine, theirs = self.condition, other.condition
        return (mine.operator, mine.excluded) == (theirs.operator, theirs.excluded)

    @property
    def on_dates(self) -> bool:
        """Is a date among the values that it sends?"""
        return self.type in DATES and self.condition.operator != "empty"


@dataclass(frozen=True)
class Pack:
    """Conditions that one request asks at once; each excludes a row that the others let through."""

    shapes: tuple[Shape, ...]

    @property
    def question(self) -> Question:
        """The question of a chart that has all of them."""
        conditions = [shape.condition for shape in self.shapes]
        return Question(
            columns=tuple(dict.fromkeys(c.column for c in conditions)), groups=ask_all(*conditions)
        )


def choose_columns(sample: ChartSample) -> list[DatasetColumn]:
    """Choose a column of each type: one with missing values where there is one, else the first."""
    chosen = list[DatasetColumn]()
    for types in FAMILIES:
        fitting = [column for column in sample.suitable if column.type in types and _sayable(sample, column)]
        with_gaps = [column for column in fitting if any(row[column.name] is None for row in sample.rows)]
        chosen.extend((with_gaps or fitting)[:1])
    return chosen


def choose_equality(sample: ChartSample, columns: Sequence[DatasetColumn]) -> Condition | None:
    """Choose an "is one of" that lets some rows through and others not; texts and whole numbers first."""
    for column in sorted(columns, key=lambda column: column.type in DATES | {"double", "money"}):
        values = _values(sample, column)
        if column.type not in {"double", "money"} and len(values) > 1:
            # The first row would come without a filter, too.
            first = sample.rows[0][column.name]
            return Condition(column.name, "is", tuple(value for value in values if value != first)[:2])
    return None


def choose_typical(sample: ChartSample) -> Question | None:
    """Make the question of a usual dashboard: a date range, and "is one of" where some row satisfies both."""
    columns = choose_columns(sample)
    timed = next((column for column in sample.suitable if column.type in DATES), None)
    dates = choose_range(sample, timed) if timed else None
    within = [row for row in sample.rows if satisfies(row, Question(dates=dates)) is True]
    equality = choose_equality(replace(sample, rows=within), columns) or choose_equality(sample, columns)
    groups = ((equality,),) if equality else ()
    if dates is None and not groups:
        return None
    named = [dates.column] if dates else []
    named += [equality.column] if equality else []
    return Question(columns=tuple(dict.fromkeys(named)), dates=dates, groups=groups)


def choose_range(sample: ChartSample, column: DatasetColumn) -> DateRange | None:
    """Choose days within a time column; both ends have values, and where it can be, some rows lie outside."""
    days = sorted({_day(value) for value in sample.distinct(column) if isinstance(value, date)})
    if not days:
        return None
    return DateRange(column.name, days[len(days) // 3], days[2 * len(days) // 3])


def choose_shapes(sample: ChartSample, columns: Sequence[DatasetColumn]) -> list[Shape]:
    """Make each operator's condition on each column that it suits, and the same excluded."""
    return [
        Shape(Condition(column.name, operator, values, excluded), column.type)
        for operator, spelling in SPELLINGS.items()
        for column in columns
        if column.type in spelling.types
        and (values := _condition_values(operator, sample, column)) is not None
        for excluded in (False, True)
    ]


def choose_alternatives(sample: ChartSample, columns: Sequence[DatasetColumn]) -> Question | None:
    """Make a question of two groups, one of which has two members joined by OR."""
    equality = choose_equality(sample, columns)
    if equality is None:
        return None
    for other in (column for column in columns if column.name != equality.column):
        values = _values(sample, other)
        if other.type in {"double", "money"} or len(values) < 2:
            continue
        either = (equality, Condition(other.name, "is", values[:1]))
        also = Condition(other.name, "is", values[-1:], excluded=True)
        question = Question(columns=(equality.column, other.name), groups=(either, (also,)))
        if any(satisfies(row, question) for row in sample.rows):
            return question
    return None


def pack_shapes(shapes: Iterable[Shape], sample: ChartSample) -> list[Pack]:
    """Ask as many conditions at once as still tell on each other."""
    packs = list[_Packing]()
    for shape in shapes:
        fits, misses = _masks(shape, sample)
        if not any(pack.takes(shape, fits, misses) for pack in packs):
            packs.append(_Packing([shape], [fits], [misses]))
    return [Pack(tuple(pack.shapes)) for pack in packs]


@dataclass
class _Packing:
    """Rows as bits of a number: those that satisfy each condition, and those that surely do not."""

    shapes: list[Shape]
    fits: list[int]
    misses: list[int]

    def takes(self, shape: Shape, fits: int, misses: int) -> bool:
        """Add a condition, unless one of them would then no longer be seen."""
        all_fits, all_misses = [*self.fits, fits], [*self.misses, misses]
        if len(self.shapes) == MOST_IN_A_PACK or not _all_seen(all_fits, all_misses):
            return False
        self.shapes.append(shape)
        self.fits, self.misses = all_fits, all_misses
        return True


def _all_seen(fits: Sequence[int], misses: Sequence[int]) -> bool:
    """Does some row satisfy all, and is there for each one that it alone keeps out?"""
    if not _common(fits):
        return False
    return all(missed & _common([*fits[:place], *fits[place + 1 :]]) for place, missed in enumerate(misses))


def _common(masks: Sequence[int]) -> int:
    common = -1
    for mask in masks:
        common &= mask
    return common


def _masks(shape: Shape, sample: ChartSample) -> tuple[int, int]:
    fits = misses = 0
    question = Question(groups=((shape.condition,),))
    for place, row in enumerate(sample.rows):
        verdict = satisfies(row, question)
        fits |= (verdict is True) << place
        misses |= (verdict is False) << place
    return fits, misses


def _condition_values(
    operator: Operator, sample: ChartSample, column: DatasetColumn
) -> tuple[Value, ...] | None:
    """The values of a condition; None where the column has none that would show anything."""
    if operator == "empty":
        return ()
    values = _values(sample, column)
    if len(values) < 2:
        return None
    if operator == "is":
        # A number with a fraction may be kept less exactly than it is written.
        return None if column.type in {"double", "money"} else values[1:3]
    if operator == "contains":
        return _part(values)
    if operator == "between":
        return values[len(values) // 3], values[2 * len(values) // 3]
    return (values[(len(values) - (operator in {"greater", "less_or_equal"})) // 2],)


def _part(values: Sequence[Value]) -> tuple[Value, ...] | None:
    """A piece of a text that some values have and some do not, in any case of letters."""
    texts = [str(value) for value in values]
    for length in PART_LENGTHS:
        for text in texts:
            part = text[-length:]
            if not part.isalnum() or len(text) <= length:
                continue
            holding = [other for other in texts if part.casefold() in other.casefold()]
            if 0 < len(holding) < len(texts) and all(part in other for other in holding):
                return (part,)
    return None


def _values(sample: ChartSample, column: DatasetColumn) -> tuple[Value, ...]:
    values = [value for value in sample.distinct(column) if value != ""]
    if column.type == "string":
        folded = [str(value).casefold() for value in values]
        values = [
            value for value in values if folded.count(str(value).casefold()) == 1 and _plain(str(value))
        ]
    return tuple(values)


def _plain(text: str) -> bool:
    return len(text) <= LONGEST_VALUE and text == text.strip() and text.isprintable()


def _sayable(sample: ChartSample, column: DatasetColumn) -> bool:
    return len(_values(sample, column)) > 1


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
