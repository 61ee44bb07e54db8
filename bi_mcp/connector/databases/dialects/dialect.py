"""The declaration of a dialect: its driver, its session, its catalogue, and the forms of its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import URL

from bi_mcp.connector.columns import Type, Value
from bi_mcp.connector.options import SourceOptions

Expression: TypeAlias = "sa.ColumnElement[Any]"
Shape: TypeAlias = Callable[[Expression], Expression]
# A condition on a text, which holds when it holds for one of the values.
Search: TypeAlias = Callable[[Expression, Sequence[str]], Expression]

# How the values of a column compare with those of a filter.
Comparing: TypeAlias = Literal["whole", "decimal", "single", "double", "text", "date", "datetime", "moment"]

# What an error of the driver means.
Failure: TypeAlias = Literal[
    "no table",
    "no column",
    "stopped",
    "too long",
    "busy",
    "no password",
    "login refused",
    "unknown host",
    "no connection",
    "no answer",
    "no database",
    "not permitted",
    "no file",
    "no database file",
]


def as_it_is(operand: Expression) -> Expression:
    return operand


@dataclass(frozen=True)
class Form:
    """How the values of a column are sent and compared.

    `operand` makes of the column what is compared, `read` of that what is sent; `present` is false for values that are
    sent as null, such as NaN; `convert` finishes in Python what the database cannot.
    """

    type: Type
    comparing: Comparing
    operand: Shape = as_it_is
    read: Shape = as_it_is
    present: Shape | None = None
    convert: Callable[[Any], Value] | None = None

    @property
    def is_sent_as_text(self) -> bool:
        return self.type in {"string", "date", "datetime"}

    def sent(self, column: Expression) -> Expression:
        """The expression whose values are sent."""
        operand = self.operand(column)
        read = self.read(operand)
        return read if self.present is None else sa.case((self.present(operand), read))


@dataclass(frozen=True)
class LeftOut:
    """Why a column is not served."""

    reason: str


@dataclass(frozen=True)
class Examined:
    """Forms that were chosen by the values, and whether that is too costly to do again after each change of these."""

    forms: Mapping[str, Form | LeftOut]
    is_costly: bool


@dataclass(frozen=True)
class Declared:
    """A type as a catalogue writes it: `numeric(10,2)` is `numeric` with the arguments 10 and 2."""

    name: str
    arguments: tuple[str, ...] = ()

    def number(self, at: int) -> int | None:
        text = self.arguments[at] if at < len(self.arguments) else ""
        return int(text) if text.lstrip("-").isdigit() else None


Forms: TypeAlias = Callable[[Declared, SourceOptions], Form | LeftOut]


@dataclass(frozen=True)
class Catalogue:
    """Statements about what there is.

    `tables` answers schema, name, comment, and whether the schema is the default one; with `one` between its condition and
    its `order` only of the table `table` in `schema`, or in the default schema if that is null: a question about one table
    must be quick among thousands. `columns` answers name and type. Without a catalogue SQLAlchemy's reflection is asked.
    """

    tables: str
    one: str
    order: str
    columns: str

    @property
    def all_tables(self) -> str:
        return self.tables + self.order

    @property
    def one_table(self) -> str:
        return self.tables + self.one + self.order


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What is known about the databases of a kind.

    `begin` are statements at the beginning of each transaction; `connect` arguments for the driver; `prepare` is done with
    each new connection of the driver; `stay` are arguments that keep the driver at the host of the address; `driver_options` are what it may be given in an address, empty where that is not known.
    `stop` ends the query that a connection of the driver runs, from another thread; it is
    given a way to make a connection of its own. `abandon` readies a connection whose rows were not read to the end for being
    dropped; without it the connection is of further use. `stream` runs a statement where the cursor of the driver would hold
    all rows at once. `bounded`: the database itself keeps the time-out.

    `own_schema`: without a choice of schemas only the one that the address names is served. `examine` chooses forms by the
    values; `fingerprint` differs when the database has changed, where that can be told without asking it, `declarations`
    when its tables or their columns have. `ordered` makes
    texts compare by their code points, whatever the collation. `failures` are known by the code of an error, `failure_texts` by a part of what it says.
    """

    name: str
    engine: str
    module: str
    extra: str = ""
    begin: Callable[[SourceOptions], Sequence[str]] = lambda _: ()
    connect: Callable[[SourceOptions], Mapping[str, Any]] = lambda _: {}
    stay: Callable[[URL], Mapping[str, Any]] = lambda _: {}
    driver_options: Callable[[], Collection[str]] = lambda: ()
    prepare: Callable[[Any, SourceOptions], None] = lambda _, __: None
    stop: Callable[[Any, Callable[[], Any]], None] = lambda driver, _: driver.close()
    locate: Callable[[URL], URL] = lambda url: url
    fingerprint: Callable[[URL], object] = lambda _: None
    abandon: Callable[[Any], None] | None = None
    stream: Callable[[Any, str, Mapping[str, Any]], Iterator[Sequence[Sequence[Value]]]] | None = None
    bounded: bool = False
    own_schema: bool = False
    catalogue: Catalogue | None = None
    system_schemas: frozenset[str] = frozenset()
    forms: Forms
    examine: Callable[[sa.Connection, str, Mapping[str, str], SourceOptions], Examined] | None = None
    declarations: Callable[[sa.Connection], object] = lambda _: None
    given: Mapping[Type, Form]
    text: Shape
    ordered: Shape = as_it_is
    equal_text: Search
    one_of: Callable[[Expression, Sequence[Any], sa.types.TypeEngine[Any]], Expression]
    matches: Search
    contains: Search
    failures: Mapping[str, Failure] = field(default_factory=dict)
    failure_texts: Mapping[str, Failure] = field(default_factory=dict)
    failure_code: Callable[[BaseException], str] = lambda _: ""


_DECLARED = re.compile(r"([^()]*)(?:\((.*)\))?([^()]*)", re.DOTALL)


def parse_declared(text: str) -> Declared:
    """Take a type apart: `timestamp(3) with time zone` is `timestamp with time zone` with the argument 3."""
    found = _DECLARED.match(text)
    if found is None:
        return Declared(text.lower())
    begin, arguments, end = found.groups()
    name = re.sub(r"\s+", " ", f"{begin} {end}").strip().replace(" []", "[]").lower()
    return Declared(name, tuple(part.strip() for part in arguments.split(",")) if arguments else ())
