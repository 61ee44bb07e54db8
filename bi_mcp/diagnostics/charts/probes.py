"""Questions that show whether a connector understands charts, made of the rows that it just answered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from bi_mcp.base.language import say
from bi_mcp.diagnostics.charts.conditions import satisfies
from bi_mcp.diagnostics.charts.sample import ChartSample, Value
from bi_mcp.endpoints.operators import DATES, SPELLINGS, Operator
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange, Question, ask_all

# More conditions at once save calls; with too many, not a single row distinguishes them.
MOST_IN_A_PACK = 6
MOST_SEEN_ALONE = 20
LONGEST_VALUE = 60
PART_LENGTHS = (4, 3, 2, 1)
MOST_IN_A_LIST = 10
MOST_PARTS = 50
# One column of each is tried.
FAMILIES = tuple(
    map(frozenset, (("string", "timezone"), ("int",), ("double", "money"), ("date",), ("datetime",)))
)
# Where among a column's values a condition cuts, as a share of them: each lets most rows through, so that many fit into one
# request, and no two cut at the same place.
_CUTS: Mapping[tuple[Operator, bool], tuple[float, ...]] = {
    ("greater", False): (0.1,),
    ("greater_or_equal", False): (0.15,),
    ("less", True): (0.12,),
    ("less_or_equal", True): (0.08,),
    ("less", False): (0.9,),
    ("less_or_equal", False): (0.85,),
    ("greater", True): (0.88,),
    ("greater_or_equal", True): (0.92,),
    ("between", False): (0.2, 0.8),
    ("between", True): (0.45, 0.5),
}


# How many values at the beginning and at the end cannot be cut at.
_ENDS: Mapping[Operator, tuple[int, int]] = {
    "greater": (0, 1),
    "less_or_equal": (0, 1),
    "greater_or_equal": (1, 0),
    "less": (1, 0),
}


class QuestionShape(NamedTuple):
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

    def is_like(self, other: QuestionShape) -> bool:
        """Return whether it is the same condition, on a column of any type."""
        mine, theirs = self.condition, other.condition
        return (mine.operator, mine.excluded) == (theirs.operator, theirs.excluded)

    @property
    def on_dates(self) -> bool:
        """True if it sends a date."""
        return self.type in DATES and self.condition.operator != "empty"


@dataclass(frozen=True)
class Pack:
    """Conditions that one request asks at once; each excludes a row that the others let through.

    `either`: none of them lets a row through, so they are joined by OR.
    """

    shapes: tuple[QuestionShape, ...]
    either: bool = False

    @property
    def question(self) -> Question:
        """The question of a chart that has all of them."""
        conditions = tuple(shape.condition for shape in self.shapes)
        names = tuple(dict.fromkeys(condition.column for condition in conditions))
        return Question(columns=names, groups=(conditions,) if self.either else ask_all(*conditions))


def choose_columns(sample: ChartSample) -> list[DatasetColumn]:
    """Choose a column of each type: one with missing values where there is one, else the first."""
    chosen = list[DatasetColumn]()
    for types in FAMILIES:
        fitting = [
            column for column in sample.suitable if column.type in types and len(_values(sample, column)) > 1
        ]
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
    moments = [value for value in sample.distinct(column) if isinstance(value, date)]
    days = sorted({value.date() if isinstance(value, datetime) else value for value in moments})
    if not days:
        return None
    return DateRange(column.name, days[len(days) // 3], days[2 * len(days) // 3])


def choose_shapes(sample: ChartSample, columns: Sequence[DatasetColumn]) -> list[QuestionShape]:
    """Make each operator's condition on each column that it suits, and the same excluded."""
    return [
        QuestionShape(Condition(column.name, operator, values, excluded), column.type)
        for operator, spelling in SPELLINGS.items()
        for excluded in (False, True)
        for column in columns
        if column.type in spelling.types
        and (values := _condition_values(operator, sample, column, excluded=excluded)) is not None
    ]


def choose_alternatives(sample: ChartSample, columns: Sequence[DatasetColumn]) -> Question | None:
    """Make a question of two groups, the first with two members joined by OR."""
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


def pack_shapes(
    shapes: Iterable[QuestionShape], sample: ChartSample, *, alone_seen: bool = False
) -> list[Pack]:
    """Ask as many conditions at once as the sample can still distinguish.

    `alone_seen`: each condition was asked before, and only its spelling is new. Then rows need not distinguish them.
    """
    masked = [(shape, *_masks(shape, sample)) for shape in shapes]
    hopeless = tuple(shape for shape, fits, _ in masked if not fits)
    packs = list[_Packing]()
    # The conditions that few rows distinguish choose their pack first.
    for shape, fits, misses in sorted(masked, key=lambda item: min(item[1].bit_count(), item[2].bit_count())):
        telling = 0 if alone_seen else misses
        most = MOST_SEEN_ALONE if alone_seen else MOST_IN_A_PACK
        if fits and not any(pack.takes(shape, fits, telling, most) for pack in packs):
            packs.append(_Packing([shape], [fits], [telling]))
    found = [Pack(tuple(pack.shapes)) for pack in packs]
    return [*found, Pack(hopeless, either=True)] if hopeless else found


@dataclass
class _Packing:
    """Rows as bits of a number: those that satisfy each condition, and those that surely do not."""

    shapes: list[QuestionShape]
    fits: list[int]
    misses: list[int]

    def takes(self, shape: QuestionShape, fits: int, misses: int, most: int) -> bool:
        """Add a condition, unless one of them would then no longer be seen."""
        all_fits, all_misses = [*self.fits, fits], [*self.misses, misses]
        if len(self.shapes) == most or not _all_seen(all_fits, all_misses):
            return False
        self.shapes.append(shape)
        self.fits, self.misses = all_fits, all_misses
        return True


def _all_seen(fits: Sequence[int], misses: Sequence[int]) -> bool:
    """Does some row satisfy all, and is there for each one that it alone keeps out? Some keep out none at all."""
    if not _common(fits):
        return False
    return all(
        not missed or missed & _common([*fits[:place], *fits[place + 1 :]])
        for place, missed in enumerate(misses)
    )


def _common(masks: Sequence[int]) -> int:
    common = -1
    for mask in masks:
        common &= mask
    return common


def _masks(shape: QuestionShape, sample: ChartSample) -> tuple[int, int]:
    name, question = shape.condition.column, Question(groups=((shape.condition,),))
    values = [row[name] for row in sample.rows]
    verdicts = {value: satisfies({name: value}, question) for value in set(values)}
    fits = misses = 0
    for place, value in enumerate(values):
        fits |= (verdicts[value] is True) << place
        misses |= (verdicts[value] is False) << place
    return fits, misses


def _condition_values(
    operator: Operator, sample: ChartSample, column: DatasetColumn, *, excluded: bool
) -> tuple[Value, ...] | None:
    """The values of a condition; None where the column has none that would show anything."""
    if operator == "empty":
        return ()
    values = _values(sample, column)
    if len(values) < 2:
        return None
    if operator == "is":
        return _choose_values(values, column, excluded=excluded)
    if operator == "contains":
        return _part(values, common=not excluded)
    # Some rows must be let through and some not, also where there are two values.
    lowest, highest = _ENDS.get(operator, (0, 0))
    places = [round(cut * (len(values) - 1)) for cut in _CUTS[operator, excluded]]
    return tuple(values[min(max(place, lowest), len(values) - 1 - highest)] for place in places)


def _choose_values(
    values: Sequence[Value], column: DatasetColumn, *, excluded: bool
) -> tuple[Value, ...] | None:
    """Choose half of a few values, two of many. A number with a fraction may be stored less exactly than it is written."""
    if column.type in {"double", "money"}:
        return None
    if excluded:
        return tuple(values[len(values) // 3 :][:2]) if len(values) > 2 else tuple(values[:1])
    return tuple(values[1 : 1 + min(max(len(values) // 2, 1), MOST_IN_A_LIST)])


def _part(values: Sequence[Value], *, common: bool) -> tuple[Value, ...] | None:
    """A piece of a text that some values have and some do not, in any case of letters; of those the most or least common."""
    texts = [str(value) for value in values[:MOST_PARTS]]
    pieces = {text[-length:] for length in PART_LENGTHS for text in texts if len(text) > length}
    holding = dict[str, int]()
    for piece in sorted(piece for piece in pieces if piece.isalnum()):
        folded = [text for text in map(str, values) if piece.casefold() in text.casefold()]
        if 0 < len(folded) < len(values) and all(piece in text for text in folded):
            holding[piece] = len(folded)
    if not holding:
        return None
    return ((max if common else min)(holding, key=lambda piece: (holding[piece], piece)),)


def _values(sample: ChartSample, column: DatasetColumn) -> tuple[Value, ...]:
    values = [value for value in sample.distinct(column) if value != ""]
    if column.type != "string":
        return tuple(values)
    times = Counter(str(value).casefold() for value in values)
    return tuple(
        text
        for text in map(str, values)
        if times[text.casefold()] == 1
        and len(text) <= LONGEST_VALUE
        and text == text.strip()
        and text.isprintable()
        and "\ufffd" not in text
    )
