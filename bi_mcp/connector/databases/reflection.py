"""What there is in a database: its tables, and the columns of one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from bi_mcp.base.language import say, text
from bi_mcp.connector.codes import legal_codes
from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.databases.connections import Connections
from bi_mcp.connector.databases.dialects.dialect import Examined, Form, LeftOut, parse_declared
from bi_mcp.connector.databases.dialects.inspection import inspect_columns, inspect_tables
from bi_mcp.connector.databases.failures import DatabaseError
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.refusal import NothingServedError, RefusalError, SourceError
from bi_mcp.connector.source import UNUSABLE_CODES
from bi_mcp.connector.unknown_names import UnknownName, unlisted, unmatched

# Seconds for which is remembered what there is. A statement that fails makes it forgotten at once.
REMEMBERED = 10.0
# For so long what was costly to find is believed, whatever is written, unless a declaration changes.
BELIEVED = 60.0
LONGEST_TITLE = 200
# Each point in a code is a question to the database: who asks for dots alone shall not ask for hours.
MOST_POINTS = 8


@dataclass(frozen=True)
class DatabaseTable:
    """A table or view, by the name that the database knows."""

    schema: str | None
    name: str
    title: str


@dataclass(frozen=True)
class ServedColumn:
    """A column and the form of its values."""

    column: TableColumn
    form: Form


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table: those that are served, and why others are not, by the name that the database knows."""

    served: tuple[ServedColumn, ...]
    left_out: Mapping[str, str]
    is_costly: bool = False


@dataclass(frozen=True)
class _Remembered:
    """Columns that were found, when, and the state of the database in which they were found."""

    columns: TableColumns
    since: float
    fingerprint: object
    declarations: object

    def holds(self, fingerprint: object) -> bool:
        if fingerprint is None:
            return time.monotonic() < self.since + REMEMBERED
        return fingerprint == self.fingerprint

    def holds_still(self, declarations: object) -> bool:
        """Tell whether to believe them although something was written."""
        recent = time.monotonic() < self.since + BELIEVED
        return self.columns.is_costly and recent and declarations == self.declarations


class Reflection:
    """The tables of a database and their columns, remembered for some seconds."""

    def __init__(self, connections: Connections, options: SourceOptions) -> None:
        self._connections = connections
        self._options = options
        self._tables: dict[str, tuple[DatabaseTable, float]] = {}
        self._columns: dict[str, _Remembered] = {}

    def tables(self) -> Mapping[str, DatabaseTable]:
        """Ask for all tables, by their codes."""
        with self._connections.session() as session:
            found = self._ask_tables(session)
        until = time.monotonic() + REMEMBERED
        self._tables = {code: (table, until) for code, table in found.items()}
        return found

    def table(self, code: str) -> DatabaseTable:
        """Find one table. Raises RefusalError when there is none, or none that is served."""
        known, until = self._tables.get(code, (None, 0.0))
        if known is not None and time.monotonic() < until:
            return known
        with self._connections.session() as session:
            found = self._ask_table(session, code)
        if found is None:
            raise RefusalError(404, f"There is no table {code[:80]!r}.")
        self._tables[code] = (found, time.monotonic() + REMEMBERED)
        return found

    def columns(self, code: str) -> TableColumns:
        """Ask for the columns of one table."""
        table = self.table(code)
        fingerprint = self._connections.fingerprint()
        known = self._columns.get(code)
        if known is not None and known.holds(fingerprint):
            return known.columns
        try:
            with self._connections.session() as session:
                declarations = self._connections.dialect.declarations(session)
                if known is not None and known.holds_still(declarations):
                    return known.columns
                found = self._ask_columns(session, code, table)
        except DatabaseError as error:
            raise self.explain(code, error) from None
        self._columns[code] = _Remembered(found, time.monotonic(), fingerprint, declarations)
        return found

    def unknown_names(self) -> Iterator[UnknownName]:
        """Find what the options name and the database has not."""
        options = self._options
        with self._connections.session() as session:
            rows = self._ask_rows(session)
        named = self._name(rows)
        schemas = sorted({schema for schema, *_ in rows if not self._is_system(schema)})
        of_schemas = list(unmatched("schema", options.schemas, schemas))
        yield from of_schemas
        if not of_schemas:
            yield from unmatched("table", options.tables, named)
        yield from unlisted("typed table", [*options.types, *options.titles], named)
        for code in options.types.keys() & self._choose(named).keys():
            found = self.columns(code)
            codes = [each.column.code for each in found.served]
            identifiers = {*found.left_out, *(each.column.identifier for each in found.served)}
            given = [name for name in options.types[code] if name not in identifiers]
            yield from unlisted("column", given, codes)

    def forget(self, code: str) -> None:
        """Ask again the next time."""
        self._tables.pop(code, None)
        self._columns.pop(code, None)

    def explain(self, code: str, error: DatabaseError) -> RefusalError:
        """Say why the database refused a statement about a table: it may be gone, or be a view of something that is."""
        self.forget(code)
        if error.failure != "no table":
            return error
        with self._connections.session() as session:
            if self._ask_table(session, code) is None:
                return RefusalError(404, f"There is no table {code[:80]!r} any more.")
        return SourceError(502, f"The table {code[:80]!r} cannot be read.", error.cause)

    def _ask_table(self, session: sa.Connection, code: str) -> DatabaseTable | None:
        catalogue = self._connections.dialect.catalogue
        if catalogue is None:
            return self._ask_tables(session).get(code)
        if "\0" in code:
            # PostgreSQL does not even look.
            return None
        for schema, name in _readings(code):
            rows = _asked(session, catalogue.one_table, {"schema": schema, "table": name})
            found = self._choose(self._name(rows)).get(code)
            if found is not None:
                return found
        return None

    def _ask_tables(self, session: sa.Connection) -> Mapping[str, DatabaseTable]:
        return self._choose(self._name(self._ask_rows(session)))

    def _ask_rows(self, session: sa.Connection) -> Sequence[tuple[Any, ...]]:
        catalogue = self._connections.dialect.catalogue
        return _asked(session, catalogue.all_tables) if catalogue else inspect_tables(session)

    def _name(self, rows: Sequence[tuple[Any, ...]]) -> Mapping[str, DatabaseTable]:
        """Give tables their codes, and drop those of schemas that are not served."""
        # The default schema comes first: its tables keep their plain names should another spell the same.
        in_order = sorted(rows, key=lambda row: not row[3])
        own_alone = self._connections.dialect.own_schema and self._connections.names_schema
        found: dict[str, DatabaseTable] = {}
        for schema, name, comment, is_default in in_order:
            code = name if is_default else f"{schema}.{name}"
            if code not in UNUSABLE_CODES and self._is_served(schema, hidden=own_alone and not is_default):
                found.setdefault(code, DatabaseTable(schema, name, self._title(code, name, comment)))
        return found

    def _choose(self, named: Mapping[str, DatabaseTable]) -> Mapping[str, DatabaseTable]:
        """Drop the tables that are not among the chosen ones."""
        chosen = self._options.tables
        if not chosen:
            return named
        return {
            code: table
            for code, table in named.items()
            if any(fnmatchcase(code, pattern) for pattern in chosen)
        }

    def _is_served(self, schema: str, *, hidden: bool) -> bool:
        if self._is_system(schema):
            return False
        schemas = self._options.schemas
        return any(fnmatchcase(schema, pattern) for pattern in schemas) if schemas else not hidden

    def _is_system(self, schema: str) -> bool:
        return any(fnmatchcase(schema, pattern) for pattern in self._connections.dialect.system_schemas)

    def _title(self, code: str, name: str, comment: str | None) -> str:
        first = next(iter((comment or "").strip().splitlines()), "")[:LONGEST_TITLE].strip()
        readable = (name[:1].upper() + name[1:]).replace("_", " ").strip()
        title = self._options.titles.get(code) or first or readable
        return code if title in UNUSABLE_CODES else title

    def _ask_columns(self, session: sa.Connection, code: str, table: DatabaseTable) -> TableColumns:
        dialect = self._connections.dialect
        names = {"schema": table.schema, "table": table.name}
        if dialect.catalogue:
            rows = _asked(session, dialect.catalogue.columns, names)
        else:
            rows = [*inspect_columns(session, table.schema, table.name)]
        if not rows:
            raise DatabaseError(502, "", "It has no columns.", failure="no table")
        if dialect.examine is not None:
            return self._serve(code, dialect.examine(session, table.name, dict(rows), self._options))
        forms = {
            name: dialect.forms(parse_declared(declared or ""), self._options) for name, declared in rows
        }
        return self._serve(code, Examined(forms, is_costly=False))

    def _serve(self, code: str, examined: Examined) -> TableColumns:
        forms = examined.forms
        given = self._options.types.get(code, {})
        legal = self._options.spelling == "legal"
        codes = legal_codes(list(forms)) if legal else list(forms)
        served: list[ServedColumn] = []
        left_out: dict[str, str] = {}
        for (identifier, form), column_code in zip(forms.items(), codes, strict=True):
            type = given.get(column_code) or given.get(identifier)
            chosen = self._connections.dialect.given[type] if type else form
            if column_code in UNUSABLE_CODES:
                left_out[identifier] = text("Its name is empty to Bitrix24.")
            elif isinstance(chosen, LeftOut):
                left_out[identifier] = chosen.reason
            else:
                served.append(ServedColumn(TableColumn(column_code, chosen.type, identifier), chosen))
        if not served:
            raise NothingServedError(
                502,
                f"The table {code[:80]!r} has no column that can be shown.",
                " ".join(f"{name}: {say(reason)}" for name, reason in left_out.items()),
            )
        return TableColumns(tuple(served), left_out, examined.is_costly)


def _readings(code: str) -> Iterator[tuple[str | None, str]]:
    """Read a code as a table of the default schema, then as one of another: the names of both may hold points."""
    yield None, code
    points = [at for at, character in enumerate(code) if character == "." and at]
    for at in points[:MOST_POINTS]:
        yield code[:at], code[at + 1 :]


def _asked(
    session: sa.Connection, statement: str, values: Mapping[str, str | None] | None = None
) -> Sequence[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(sa.text(statement), values)]
