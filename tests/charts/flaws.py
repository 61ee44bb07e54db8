"""Connectors that are wrong in one way each, and the finding that must name it.

Each overrides one step of the honest one.
"""

# ruff: noqa: ARG002 - an override gets all that the step gets, and is wrong because it does not use it

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, TypeAlias

from tests.charts.connector import HonestConnector
from tests.charts.filters import Form, Join, Test
from tests.charts.moments import read_moment
from tests.charts.questions import Culture
from tests.charts.refusal import RefusedError
from tests.charts.tables import Cell, Column, Row, Table, shop

FIRST_ROW = 0


@dataclass(frozen=True)
class Flaw:
    """A wrong connector. `code`: of the finding that must name it; `culture`: of the portal for which it is seen.

    `shows`: words of the shapes that show it; each is in some, and one in each. `also`: words of others that may.
    """

    name: str
    code: str
    build: Callable[[], HonestConnector]
    shows: tuple[str, ...]
    culture: Culture = "ru"
    also: tuple[str, ...] = ()


# Names.


class OnlyCodes(HonestConnector):
    def find_column(self, table: Table, names: Mapping[str, str], name: str) -> Column:
        for column in table.columns:
            if column.code == name:
                return column
        raise RefusedError(f"There is no column {name!r}.")


class OnlyMapped(HonestConnector):
    def find_column(self, table: Table, names: Mapping[str, str], name: str) -> Column:
        if name not in names and name not in {column.code for column in table.columns}:
            raise RefusedError(f"There is no column {name!r}.")
        return super().find_column(table, names, name)


class CodesInHeader(HonestConnector):
    def head(self, chosen: Sequence[Column], asked: Sequence[str], *, mapped: bool) -> list[str]:
        return [column.code for column in chosen]


class NamesInHeader(HonestConnector):
    def head(self, chosen: Sequence[Column], asked: Sequence[str], *, mapped: bool) -> list[str]:
        return list(asked) or [column.name if mapped else column.code for column in chosen]


# Structure.


class NoLists(HonestConnector):
    def examine(self, tree: Join) -> None:
        if any(test.listed for test in tree.tests()):
            raise RefusedError("A value must be a text.")


class OneValue(HonestConnector):
    def examine(self, tree: Join) -> None:
        if any(len(test.values) > 1 and test.operator != "><" for test in tree.tests()):
            raise RefusedError("Give one value.")


class NoGroups(HonestConnector):
    def examine(self, tree: Join) -> None:
        if any(True for _ in tree.groups()):
            raise RefusedError("There is no column '0'.")


class OrAsAnd(HonestConnector):
    def combine(self, join: Join, held: Sequence[bool]) -> bool:
        return all(held)


class GroupsJoinedByOr(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return replace(super().read_filter(form), logic="OR")


class NoFilter(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return Join("AND", ())


class GroupsSkipped(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        tree = super().read_filter(form)
        return replace(tree, members=tuple(member for member in tree.members if isinstance(member, Test)))


# Days.


class NoDateRange(HonestConnector):
    def compile_comparison(self, column: Column, test: Test) -> Callable[[Cell], bool]:
        if column.type in {"date", "datetime"} and test.operator in {">=", "<="} and not test.listed:
            raise RefusedError(f"The operator {test.operator} takes numbers.")
        return super().compile_comparison(column, test)


class OnlyIso(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise RefusedError(f"{text!r} is not a day.") from None


class OnlyDotted(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        if "." not in text:
            raise RefusedError(f"{text!r} is not a day.")
        return super().read_moment(text)


class OnlyDays(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        if ":" in text:
            raise RefusedError(f"{text!r} is not a day.")
        return super().read_moment(text)


class TwentyFourHours(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        if text.lower().endswith("m"):
            raise RefusedError(f"{text!r} is not a moment.")
        return super().read_moment(text)


class Swapping(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        return read_moment(text, "en-gb" if self.culture == "en" else "en")


class ClocksDropped(HonestConnector):
    def read_moment(self, text: str) -> datetime:
        return datetime.combine(super().read_moment(text), time())


# Operators.


class NoContains(HonestConnector):
    def examine(self, tree: Join) -> None:
        _refuse(tree, "%", "!%")


class NoBetween(HonestConnector):
    def examine(self, tree: Join) -> None:
        _refuse(tree, "><", "!><")


class NoNegation(HonestConnector):
    def examine(self, tree: Join) -> None:
        _refuse(tree, "!%", "!><", "!>", "!>=", "!<", "!<=")


class OneOperatorLess(HonestConnector):
    """Refuses a list of one operator, or passes over it."""

    def __init__(self, prefix: str, *, silently: bool) -> None:
        super().__init__(shop())
        self.prefix = prefix
        self.silently = silently

    def compile_test(self, column: Column, test: Test) -> Callable[[Row], bool]:
        if test.prefix != self.prefix or not test.listed:
            return super().compile_test(column, test)
        if self.silently:
            return lambda _: True
        raise RefusedError(f"The operator {test.prefix} is unknown.")


class NotBecomesIn(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return _change(super().read_filter(form), _in_for_not)


class BetweenFirst(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return _change(super().read_filter(form), _equals_for_between)


class BetweenWithoutEnds(HonestConnector):
    def compile_comparison(self, column: Column, test: Test) -> Callable[[Cell], bool]:
        compare = super().compile_comparison(column, test)
        if test.operator != "><":
            return compare
        ends = [self.read_value(column, value) for value in test.values]
        return lambda cell: compare(cell) and self.read_cell(column, cell) not in ends


class MissingEqualsZero(HonestConnector):
    def asks_for_missing(self, test: Test) -> bool:
        return False

    def read_moment(self, text: str) -> datetime:
        return datetime(1, 1, 1) if text in {"", "0"} else super().read_moment(text)  # noqa: DTZ001 - fits no row

    def read_number(self, text: str) -> float:
        return super().read_number(text or "0")


class NotMissingIgnored(HonestConnector):
    def compile_test(self, column: Column, test: Test) -> Callable[[Row], bool]:
        if self.asks_for_missing(test) and test.negated:
            return lambda _: True
        return super().compile_test(column, test)


class ContainsBeginning(HonestConnector):
    def holds(self, cell: Cell, part: str) -> bool:
        return str(cell).startswith(part)


class GreaterOrEqual(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return _change(
            super().read_filter(form),
            lambda test: replace(test, operator=">=") if test.operator == ">" else test,
        )


class NumbersAsText(HonestConnector):
    def read_number(self, text: str) -> Any:
        return text

    def read_cell(self, column: Column, cell: Cell) -> Any:
        return f"{cell:g}" if column.type in {"int", "double"} else super().read_cell(column, cell)


class FirstOfList(HonestConnector):
    def read_filter(self, form: Form) -> Join:
        return _change(super().read_filter(form), _first_of_list)


# Steadiness and data.


class EveryThirdFails(HonestConnector):
    def data(self, form: Form) -> list[list[Any]]:
        rows = super().data(form)
        if self.calls % 3 == 0:
            raise RefusedError("Too many connections.", 500)
        return rows


class ZeroAsTitle(HonestConnector):
    def list_tables(self, form: Form) -> list[dict[str, str]]:
        return [{**table, "title": "0"} for table in super().list_tables(form)]


def _refuse(tree: Join, *prefixes: str) -> None:
    for test in tree.tests():
        if test.prefix in prefixes:
            raise RefusedError(f"The operator {test.prefix} is unknown.")


Change: TypeAlias = Callable[[Test], Test]


def _change(join: Join, change: Change) -> Join:
    members = [
        _change(member, change) if isinstance(member, Join) else change(member) for member in join.members
    ]
    return replace(join, members=tuple(members))


def _in_for_not(test: Test) -> Test:
    return replace(test, negated=False) if test.prefix in {"!", "!="} and test.listed else test


def _equals_for_between(test: Test) -> Test:
    return replace(test, operator="=", values=test.values[:1]) if test.operator == "><" else test


def _first_of_list(test: Test) -> Test:
    return test if test.operator == "><" else replace(test, values=test.values[:1])


def with_cells(**cells: Cell) -> Table:
    """The shop with some cells of its first row changed."""
    table = shop()
    return replace(table, rows=({**table.rows[FIRST_ROW], **cells}, *table.rows[1:]))


def with_column(code: str) -> Table:
    """The shop with one column more, whose code is given."""
    table = shop()
    columns = (*table.columns, Column(code, "int", "NUMBER"))
    return replace(table, columns=columns, rows=tuple({**row, code: 1} for row in table.rows))


def _over_shop(kind: type[HonestConnector], culture: Culture | None = None) -> Callable[[], HonestConnector]:
    return lambda: kind(shop(), culture=culture)


def _wrong_rows(name: str, kind: type[HonestConnector], *shows: str) -> Flaw:
    return Flaw(name, "operator_wrong_rows", _over_shop(kind), shows)


def _without(prefix: str, *, silently: bool = False) -> Callable[[], HonestConnector]:
    return lambda: OneOperatorLess(prefix, silently=silently)


# Of conditions within groups, by the words of their shapes.
PREFIXES: Mapping[str, str] = {
    "!=": "not one of",
    "%": "contains",
    "!%": "not contains",
    "><": "between",
    "!><": "not between",
    ">": "greater",
    "!>": "not greater",
    ">=": "greater or equal",
    "!>=": "not greater or equal",
    "<": "less",
    "!<": "not less",
    "<=": "less or equal",
    "!<=": "not less or equal",
}
# In them several operators meet.
_JOINED = ("group joined", "two groups")
_ANYTHING = ("",)
_NOT_ISO = ("ru", "de", "en")
_ON_DATES = ("date",)

FLAWS: tuple[Flaw, ...] = (
    Flaw("knows codes only", "names_unknown", _over_shop(OnlyCodes), _ANYTHING),
    Flaw(
        "knows names through mapFields only",
        "names_unknown",
        _over_shop(OnlyMapped),
        ("classic", "select and a condition"),
    ),
    Flaw("codes in the header without mapFields", "header_in_codes", _over_shop(CodesInHeader), ("classic",)),
    Flaw("names in the header with mapFields", "header_in_names", _over_shop(NamesInHeader), ("tables",)),
    Flaw("refuses lists", "value_lists_refused", _over_shop(NoLists), _ANYTHING),
    Flaw(
        "refuses lists of several values",
        "value_lists_refused",
        _over_shop(OneValue),
        (" 2 ", " 3 ", "two groups, not"),
    ),
    Flaw("refuses groups", "groups_refused", _over_shop(NoGroups), _ANYTHING),
    Flaw("ignores the filter", "filter_ignored", _over_shop(NoFilter), _ANYTHING),
    Flaw("skips numbered groups", "groups_refused", _over_shop(GroupsSkipped), _ANYTHING),
    Flaw(
        "refuses a range of dates",
        "date_range_refused",
        _over_shop(NoDateRange),
        ("range", "at least day", "at least seen_at"),
    ),
    Flaw("reads ISO dates only", "date_range_refused", _over_shop(OnlyIso), _ON_DATES),
    Flaw("refuses the time of day", "date_range_refused", _over_shop(OnlyDays), _ON_DATES),
    Flaw("refuses am and pm", "date_range_refused", _over_shop(TwentyFourHours, "en"), ("en ",), "en"),
    Flaw(
        "has no setting for slashed dates", "date_range_refused", _over_shop(HonestConnector), ("en ",), "en"
    ),
    Flaw("reads dotted dates only", "date_format_refused", _over_shop(OnlyDotted), ("iso",)),
    Flaw("reads 01/02 as 1 February", "date_format_misread", _over_shop(Swapping, "en"), ("en ",), "en"),
    Flaw(
        "reads 01/02 as 2 January", "date_format_misread", _over_shop(Swapping, "en-gb"), ("en-gb ",), "en-gb"
    ),
    Flaw("does not know %", "operator_refused", _over_shop(NoContains), ("contains",)),
    Flaw("does not know ><", "operator_refused", _over_shop(NoBetween), ("between",)),
    Flaw("does not know negations", "operator_refused", _over_shop(NoNegation), ("not ",)),
    _wrong_rows("drops the time of day", ClocksDropped, "date"),
    _wrong_rows("takes not for in with a list", NotBecomesIn, "not one of", "two groups, not"),
    _wrong_rows("takes the first value for both of between", BetweenFirst, "between"),
    _wrong_rows("leaves the ends of between out", BetweenWithoutEnds, "between"),
    _wrong_rows("compares with 0 for missing", MissingEqualsZero, "empty"),
    _wrong_rows("ignores is not empty", NotMissingIgnored, "not empty"),
    _wrong_rows("finds what begins with the text", ContainsBeginning, "contains"),
    _wrong_rows("takes greater for greater or equal", GreaterOrEqual, "greater", "group"),
    _wrong_rows("compares numbers as text", NumbersAsText, "order_id", "delay", "total", "group"),
    Flaw(
        "takes the first of a list",
        "value_lists_refused",
        _over_shop(FirstOfList),
        ("one of 3", "contains 2"),
    ),
    _wrong_rows("takes OR for AND", OrAsAnd, "joined by OR", "two groups, not"),
    _wrong_rows("joins groups by OR", GroupsJoinedByOr, "two groups", "range"),
    Flaw("fails at every third call", "answers_by_turns", _over_shop(EveryThirdFails), _ANYTHING),
)

# Each operator by itself: there are many, and alike.
OPERATOR_FLAWS: tuple[Flaw, ...] = (
    *(
        Flaw(f"refuses {prefix}", "operator_refused", _without(prefix), (f" {words} ",), also=_JOINED)
        for prefix, words in PREFIXES.items()
    ),
    *(
        Flaw(
            f"skips {prefix}",
            "operator_wrong_rows",
            _without(prefix, silently=True),
            (f" {words} ",),
            also=_JOINED,
        )
        for prefix, words in PREFIXES.items()
    ),
)

# What is wrong with the data, and not with an answer to a question.
DATA_FLAWS: tuple[Flaw, ...] = (
    Flaw("a day before 1900", "dates_too_early", lambda: HonestConnector(with_cells(day="1899-12-31")), ()),
    Flaw(
        "a moment at the beginning of 1900",
        "dates_too_early",
        lambda: HonestConnector(with_cells(seen_at="1900-01-01 00:00:00")),
        (),
    ),
    Flaw("0 as a title", "zero_as_text", _over_shop(ZeroAsTitle), ()),
    Flaw("0 as a code", "zero_as_text", lambda: HonestConnector(with_column("0")), ()),
    Flaw(
        "U+FFFD in a text",
        "replacement_characters",
        lambda: HonestConnector(with_cells(carrier="Z\ufffd\ufffdrich")),
        (),
    ),
)
