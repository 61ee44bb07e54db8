"""Filters as expressions of SQLAlchemy. Values are bound; of names, only those of known columns reach the statement."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import sqlalchemy as sa

from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.databases.bounds import Bound, bounds_of
from bi_mcp.connector.databases.dialects.dialect import Dialect, Expression, Form
from bi_mcp.connector.question.filter import ColumnComparison, Condition, Test


@dataclass(frozen=True)
class QueriedColumn:
    """A column of the table that is asked: the form of its values, and its name in the statement."""

    column: TableColumn
    form: Form
    expression: Expression

    @property
    def operand(self) -> Expression:
        return self.form.operand(self.expression)

    @property
    def sent(self) -> Expression:
        return self.form.sent(self.expression)


@dataclass(frozen=True)
class Conditions:
    """Compiles conditions on the columns of a table for a dialect, with moments in the zone of the portal."""

    dialect: Dialect
    columns: Mapping[TableColumn, QueriedColumn]
    zone: tzinfo

    def compile(self, condition: Condition) -> Expression:
        if isinstance(condition, ColumnComparison):
            return self._compare(condition)
        members = [self.compile(member) for member in condition.members]
        if not members:
            return _always()
        return sa.and_(*members) if condition.logic == "AND" else sa.or_(*members)

    def _compare(self, comparison: ColumnComparison) -> Expression:
        queried = self.columns[comparison.column]
        if comparison.test == "empty":
            empty = self._empty(queried)
            return sa.not_(empty) if comparison.negated else empty
        holds = self._holds(queried, comparison.test, comparison.values)
        if queried.form.present is not None:
            holds = sa.and_(queried.form.present(queried.operand), holds)
        # A missing value passes every negation.
        return sa.or_(queried.expression.is_(None), sa.not_(holds)) if comparison.negated else holds

    def _empty(self, queried: QueriedColumn) -> Expression:
        missing = queried.expression.is_(None)
        if queried.form.present is not None:
            return sa.or_(missing, sa.not_(queried.form.present(queried.operand)))
        if queried.column.type == "string":
            return sa.or_(missing, self.dialect.equal_text(queried.operand, [""]))
        return missing

    def _holds(self, queried: QueriedColumn, test: Test, values: Sequence[int | float | str]) -> Expression:
        if test in {"contains", "fits"}:
            search = self.dialect.contains if test == "contains" else self.dialect.matches
            return search(self._text(queried), [str(value) for value in values])
        if queried.form.comparing == "text" and test == "equal":
            return self.dialect.equal_text(queried.operand, [str(value) for value in values])
        found = bounds_of(queried.form.comparing, test, values, self.zone)
        if isinstance(found, bool):
            # A missing value satisfies no condition, not even one that every number satisfies.
            return queried.expression.is_not(None) if found else _never()
        return sa.and_(*(self._bound(queried, bound) for bound in found))

    def _bound(self, queried: QueriedColumn, bound: Bound) -> Expression:
        if bound.operator == "in":
            return self.dialect.one_of(queried.operand, bound.values, bound.type)
        if bound.operator == "within":
            return sa.or_(*(_within(queried.operand, begin, end, bound.type) for begin, end in bound.values))
        compared = queried.operand
        if queried.form.comparing == "text":
            compared = self.dialect.ordered(compared)
        return _OPERATORS[bound.operator](compared, sa.literal(bound.values[0], bound.type))

    def _text(self, queried: QueriedColumn) -> Expression:
        sent = queried.sent
        return sent if queried.form.is_sent_as_text else self.dialect.text(sent)


_OPERATORS: Mapping[str, Callable[[Expression, Expression], Expression]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _within(operand: Expression, begin: Any, end: Any, type: sa.types.TypeEngine[Any]) -> Expression:
    begun = operand >= sa.literal(begin, type)
    return begun if end is None else sa.and_(begun, operand < sa.literal(end, type))


def _always() -> Expression:
    return sa.literal_column("1") == sa.literal_column("1")


def _never() -> Expression:
    return sa.literal_column("1") == sa.literal_column("0")
