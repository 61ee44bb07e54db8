"""An honest connector over tables in memory. A wrong one overrides one of its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.charts.filters import Form, Join, Test, parse_filter, parse_form
from tests.charts.moments import read_moment
from tests.charts.questions import Culture
from tests.charts.refusal import RefusedError
from tests.charts.tables import Cell, Column, Row, Table

CONNECTION = {"login": "bi", "password": "let-me-in"}
PATHS = {"urlCheck": "/check", "urlTableList": "/tables", "urlTableDescription": "/table", "urlData": "/data"}


class HonestConnector:
    """Answers every request that a portal can make. `calls` counts those of `urlData`.

    `culture`: of days with slashes; without it those that can be read in two ways are refused.
    """

    negations_take_missing: ClassVar[bool] = True

    def __init__(self, *tables: Table, culture: Culture | None = None) -> None:
        self.tables = {table.code: table for table in tables}
        self.culture = culture
        self.calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status, value = self.answer(request.url.path, await request.body())
        await JSONResponse(value, status)(scope, receive, send)

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Answer with a status and a value."""
        try:
            return 200, self.take(path, parse_form(body))
        except RefusedError as error:
            return error.status, {"error": str(error)}

    def take(self, path: str, form: Form) -> object:
        if form.get("connection") != CONNECTION:
            raise RefusedError("The login or the password is wrong.", 401)
        if path == "/check":
            return {"status": "ok"}
        return _ANSWERS[path](self, form)

    def list_tables(self, form: Form) -> list[dict[str, str]]:
        search = str(form.get("searchString", "")).casefold()
        return [{"code": code, "title": code.title()} for code in self.tables if search in code.casefold()]

    def describe(self, form: Form) -> list[dict[str, str]]:
        columns = self.find_table(form).columns
        return [{"code": column.code, "name": column.code, "type": column.type} for column in columns]

    def data(self, form: Form) -> list[list[Any]]:
        self.calls += 1
        table = self.find_table(form)
        names = {str(name): code for code, name in _map(form, "mapFields").items()}
        asked = [str(name) for name in _map(form, "select").values()]
        chosen = [self.find_column(table, names, name) for name in asked] or list(table.columns)
        tree = self.read_filter(form)
        self.examine(tree)
        tests = {
            test: self.compile_test(self.find_column(table, names, test.name), test) for test in tree.tests()
        }
        rows = [row for row in table.rows if self.fits(tree, row, tests)]
        limit = int(str(form.get("limit") or len(rows)))
        header = self.head(chosen, asked, mapped=bool(names))
        return [header, *([self.show(row[column.code]) for column in chosen] for row in rows[:limit])]

    def find_table(self, form: Form) -> Table:
        table = self.tables.get(str(form.get("table")))
        if table is None:
            raise RefusedError("There is no such table.")
        return table

    def find_column(self, table: Table, names: Mapping[str, str], name: str) -> Column:
        """Find by the name of `mapFields`, else by the code, else by the code regardless of case."""
        code = names.get(name, name)
        exact = [column for column in table.columns if column.code == code]
        folded = [column for column in table.columns if column.code.casefold() == code.casefold()]
        if found := exact or folded[:1]:
            return found[0]
        raise RefusedError(f"There is no column {name!r}.")

    def read_filter(self, form: Form) -> Join:
        return parse_filter(_map(form, "filter"))

    def examine(self, tree: Join) -> None:
        """Refuse what the connector does not take; an honest one takes everything."""

    def head(self, chosen: Sequence[Column], asked: Sequence[str], *, mapped: bool) -> list[str]:
        """Codes for who sends `mapFields`, else what was asked for."""
        return [column.code for column in chosen] if mapped or not asked else list(asked)

    def show(self, cell: Cell) -> Cell:
        return cell

    def fits(self, join: Join, row: Row, tests: Mapping[Test, Callable[[Row], bool]]) -> bool:
        held = [
            self.fits(member, row, tests) if isinstance(member, Join) else tests[member](row)
            for member in join.members
        ]
        return self.combine(join, held)

    def combine(self, join: Join, held: Sequence[bool]) -> bool:
        return any(held) if join.logic == "OR" and held else all(held)

    def compile_test(self, column: Column, test: Test) -> Callable[[Row], bool]:
        """Make a function of a row. Missing values fit excluded conditions only."""
        if self.asks_for_missing(test):
            return lambda row: (row[column.code] is None) is not test.negated
        compare = self.compile_comparison(column, test)

        def fits(row: Row) -> bool:
            cell = row[column.code]
            if cell is None:
                return test.negated and self.negations_take_missing
            return compare(cell) is not test.negated

        return fits

    def asks_for_missing(self, test: Test) -> bool:
        return test.asks_for_missing

    def compile_comparison(self, column: Column, test: Test) -> Callable[[Cell], bool]:
        if test.operator == "%":
            return lambda cell: any(self.holds(cell, part) for part in test.values)
        values = [self.read_value(column, value) for value in test.values]
        if test.operator == "><" and len(values) != 2:
            raise RefusedError("Between takes two values.")
        compare = COMPARISONS[test.operator]
        return lambda cell: compare(self.read_cell(column, cell), values)

    def holds(self, cell: Cell, part: str) -> bool:
        return part in str(cell)

    def read_value(self, column: Column, text: str) -> Any:
        if column.type in {"date", "datetime"}:
            return self.read_moment(text)
        return self.read_number(text) if column.type in {"int", "double"} else text

    def read_cell(self, column: Column, cell: Cell) -> Any:
        return datetime.fromisoformat(str(cell)) if column.type in {"date", "datetime"} else cell

    def read_moment(self, text: str) -> datetime:
        return read_moment(text, self.culture)

    def read_number(self, text: str) -> float:
        try:
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        except ValueError:
            raise RefusedError(f"{text!r} is not a number.") from None


COMPARISONS: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    "": lambda own, values: own in values,
    "=": lambda own, values: own in values,
    ">": lambda own, values: any(own > value for value in values),
    ">=": lambda own, values: any(own >= value for value in values),
    "<": lambda own, values: any(own < value for value in values),
    "<=": lambda own, values: any(own <= value for value in values),
    "><": lambda own, values: bool(values[0] <= own <= values[1]),
}

_ANSWERS: Mapping[str, Callable[[HonestConnector, Form], object]] = {
    "/tables": lambda connector, form: connector.list_tables(form),
    "/table": lambda connector, form: connector.describe(form),
    "/data": lambda connector, form: connector.data(form),
}


def _map(form: Form, name: str) -> Form:
    value = form.get(name) or {}
    if not isinstance(value, dict):
        raise RefusedError(f"{name} takes brackets.")
    return value


class SqlConnector(HonestConnector):
    """Honest as a database is: a missing value fits no condition, excluded or not, and capitals do not count."""

    negations_take_missing = False

    def read_value(self, column: Column, text: str) -> Any:
        return text.casefold() if column.type == "string" else super().read_value(column, text)

    def read_cell(self, column: Column, cell: Cell) -> Any:
        return str(cell).casefold() if column.type == "string" else super().read_cell(column, cell)

    def holds(self, cell: Cell, part: str) -> bool:
        return part.casefold() in str(cell).casefold()
