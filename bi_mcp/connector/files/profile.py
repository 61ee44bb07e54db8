"""What the values of a column are: shapes are chosen from a sample, verified on every value, and told with their share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from bi_mcp.base.language import say
from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import quote
from bi_mcp.connector.files.moments import moment_shapes
from bi_mcp.connector.files.numbers import number_shapes, units_in
from bi_mcp.connector.files.values import BOOLEAN, MISSING, NULL_MARK, SPACES, Shape
from bi_mcp.connector.question.dates import Culture

# Values of a column that are looked at before all of them are counted, and how often others are looked at if some do not fit.
SAMPLED = 400
ROUNDS = 4
# From this share on, values that would be of a type are told.
WORTH_TELLING = 0.5

# How programs keep a table calculator from reading digits as a number.
_FORMULA = re.compile('^="([^"]*)"$')

Execute: TypeAlias = Callable[[str], Sequence[Sequence[object]]]

_MISSING = frozenset(MISSING)
_MISSING_SQL = ", ".join(map(quote, MISSING))
_DECIMAL: Mapping[Culture, str] = {"ru": ",", "de": ",", "en": ".", "en-gb": "."}


@dataclass(frozen=True)
class Reading:
    """How a column of texts is read: the type, the SQL, and what a person should know about it."""

    type: Type
    sql: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hints:
    """What settles a choice that the values of a column leave open. `decimal` is the mark that the kind of file suggests, `zone` the portal's."""

    culture: Culture | None = None
    decimal: str = "."
    types: Mapping[int, Type] = field(default_factory=dict)
    zone: str = "UTC"

    def with_types(self, types: Mapping[int, Type], zone: str) -> Hints:
        """Return the same hints with the portal's zone and the declared types of columns, by their position."""
        return replace(self, types=types, zone=zone)


@dataclass
class _Column:
    at: int
    sample: list[str]
    candidates: list[Shape] = field(default_factory=list)
    filled: int = 0
    missing: int = 0
    fitting: dict[Shape, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"r{self.at}"

    @property
    def value(self) -> str:
        padded = any(text != text.strip(SPACES) for text in self.sample)
        return f"trim({self.name}, {quote(SPACES)})" if padded else self.name

    def whole(self) -> list[Shape]:
        """Return the shapes that all values have which are not missing."""
        return [shape for shape in self.candidates if self.fitting[shape] + self.missing == self.filled]


def read_columns(
    execute: Execute, table: str, width: int, hints: Hints, texts: frozenset[int]
) -> list[Reading]:
    """Find out how each column of a table of texts (`r0`, `r1`…) is to be read. Those of `texts` stay texts."""
    columns = [_Column(at, _sample(execute, table, at)) for at in range(width)]
    open_columns = [column for column in columns if hints.types.get(column.at) != "string"]
    for column in open_columns:
        _propose(column, hints, column.at in texts)
    _count(execute, table, columns)
    for _ in range(ROUNDS):
        again = [column for column in open_columns if column.candidates and not column.whole()]
        again = [column for column in again if _learn(execute, table, column, hints, column.at in texts)]
        if not again:
            break
        _count(execute, table, again)
    decimals = {shapes[0].choice for column in columns if (shapes := _settled(column.whole()))} & {",", "."}
    evidence = decimals.pop() if len(decimals) == 1 else None
    return [_decide(column, hints, evidence) for column in columns]


def _sample(execute: Execute, table: str, at: int) -> list[str]:
    rows = execute(
        f"SELECT DISTINCT v FROM (SELECT r{at} AS v FROM {table} WHERE r{at} IS NOT NULL LIMIT {SAMPLED}) ORDER BY v"  # noqa: S608 - names are the engine's own, texts are quoted
    )
    return [str(row[0]) for row in rows]


def _present(column: _Column) -> list[str]:
    stripped = (text.strip(SPACES) for text in column.sample)
    return [text for text in stripped if text and text.lower() not in _MISSING]


def _propose(column: _Column, hints: Hints, only_moments: bool) -> None:
    """Take the shapes that all values of the sample have, else the one that most have, to tell their share."""
    present = _present(column)
    if not present:
        column.candidates = []
        return
    shapes = list(_shapes(present, column, only_moments))
    fitting = {shape: sum(map(shape.matches, present)) for shape in shapes}
    complete = [shape for shape in shapes if fitting[shape] == len(present)]
    if complete or not shapes:
        column.candidates = _simplest(complete)
        return
    wanted = hints.types.get(column.at)
    if wanted:
        shapes = [shape for shape in shapes if shape.type == wanted] or shapes
    best = max(shapes, key=lambda shape: fitting[shape])
    worth = fitting[best] >= len(present) * WORTH_TELLING or (wanted and fitting[best])
    column.candidates = [best] if worth else []


def _simplest(shapes: Sequence[Shape]) -> list[Shape]:
    """Take the first shape that leaves no choice, else the first for each choice: every one costs time for each value."""
    if plain := next((shape for shape in shapes if not shape.choice), None):
        return [plain]
    firsts: dict[str, Shape] = {}
    for shape in shapes:
        firsts.setdefault(shape.choice, shape)
    return list(firsts.values())


def _shapes(present: Sequence[str], column: _Column, only_moments: bool) -> Iterator[Shape]:
    if not only_moments:
        yield BOOLEAN
        units = units_in(present)
        if len(units) > 1:
            column.notes.append(say("several units ({units})", units=", ".join(sorted(units))))
        else:
            yield from _distinct(number_shapes(units.pop() if units else ""))
    yield from moment_shapes()


def _distinct(shapes: Iterator[Shape]) -> Iterator[Shape]:
    seen = set()
    for shape in shapes:
        if shape.pattern not in seen:
            seen.add(shape.pattern)
            yield shape


def _count(execute: Execute, table: str, columns: Sequence[_Column]) -> None:
    """Count in one pass the values of columns, those that stand for missing ones, and those that each candidate reads."""
    read: list[str] = []
    sums: list[str] = []
    for column in columns:
        name = column.name
        sums.append(f"count({name})")
        if not column.candidates:
            continue
        fits = [f"f{column.at}_{number}" for number in range(len(column.candidates))]
        read += [
            f"{shape.reading(column.value)} AS {fit}"
            for shape, fit in zip(column.candidates, fits, strict=True)
        ]
        # Few values are left for the long list, which is slow to compare with.
        left = f"{name} IS NOT NULL AND {fits[0]} IS NULL"
        sums.append(f"count(CASE WHEN {left} THEN CASE WHEN {_is_missing(column)} THEN 1 END END)")
        sums += [f"count({fit})" for fit in fits]
    rows = execute(f"SELECT {', '.join(sums)} FROM (SELECT {', '.join(['*', *read])} FROM {table})")  # noqa: S608 - names are the engine's own, texts are quoted
    counts = iter(int(str(count)) for count in rows[0])
    for column in columns:
        column.filled = next(counts)
        if column.candidates:
            column.missing = next(counts)
            column.fitting = {shape: next(counts) for shape in column.candidates}


def _is_missing(column: _Column) -> str:
    return f"lower({column.value}) IN ('', {_MISSING_SQL})"


def _learn(execute: Execute, table: str, column: _Column, hints: Hints, only_moments: bool) -> bool:
    """Add to the sample values that no candidate reads. Say whether there is a new candidate."""
    unread = " AND ".join(f"{shape.reading(column.value)} IS NULL" for shape in column.candidates)
    where = f"{column.name} IS NOT NULL AND NOT {_is_missing(column)} AND {unread}"
    unread_rows = f"SELECT {column.name} AS v FROM {table} WHERE {where} LIMIT {SAMPLED}"  # noqa: S608 - names are the engine's own, texts are quoted
    rows = execute(f"SELECT DISTINCT v FROM ({unread_rows}) ORDER BY v")  # noqa: S608 - the same
    known = set(column.sample)
    fresh = [text for row in rows if (text := str(row[0])) not in known]
    if not fresh:
        return False
    before = list(column.candidates)
    column.sample += fresh
    _propose(column, hints, only_moments)
    if not column.candidates:
        column.candidates = before
    return column.candidates != before


def _settled(shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes if they agree in everything that matters."""
    return list(shapes) if len({shape.choice for shape in shapes}) == 1 else []


def _decide(column: _Column, hints: Hints, evidence: str | None) -> Reading:
    wanted = hints.types.get(column.at)
    whole = column.whole() if column.fitting else []
    if wanted == "string":
        return _text(column, say("as declared"))
    if not column.candidates:
        return _text(column, *column.notes)
    shapes = [shape for shape in whole if not wanted or _serves(shape, wanted)]
    if not shapes and wanted:
        shapes = [shape for shape in column.candidates if _serves(shape, wanted)]
        if not shapes:
            return _text(column, say("declared as {type}, but its values are not", type=wanted))
    if not shapes:
        return _text(column, *_share(column))
    chosen = _choose(shapes, hints, evidence)
    if chosen is None:
        return _text(
            column,
            say("dates that can be read with the day or the month first: --culture en or en-gb decides"),
        )
    ambiguous = bool(chosen.choice) and len({shape.choice for shape in shapes}) > 1
    return _typed(column, chosen, hints, ambiguous)


def _serves(shape: Shape, wanted: Type) -> bool:
    numbers = {"int", "double"}
    return (
        shape.type == wanted
        or (shape.type in numbers and wanted == "double")
        or (shape.type == "date" and wanted == "datetime")
    )


def _choose(shapes: Sequence[Shape], hints: Hints, evidence: str | None) -> Shape | None:
    simplest = shapes[0]
    if simplest.choice == "" or any(not shape.choice for shape in shapes):
        return next(shape for shape in shapes if not shape.choice)
    if len({shape.choice for shape in shapes}) == 1:
        return simplest
    if simplest.type in {"date", "datetime"}:
        order = "month first" if hints.culture == "en" else "day first" if hints.culture else None
        return next((shape for shape in shapes if shape.choice == order), None)
    # `1.234` is rather a number with decimals; what `1,234` is depends on the file.
    usual = "." if simplest.choice == "." and simplest.rank == 0 else hints.decimal
    decimal = evidence or (_DECIMAL.get(hints.culture) if hints.culture else None) or usual
    return next((shape for shape in shapes if shape.choice == decimal), simplest)


def _typed(column: _Column, shape: Shape, hints: Hints, ambiguous: bool) -> Reading:
    type = hints.types.get(column.at) or shape.type
    unread = column.filled - column.missing - column.fitting[shape]
    # What was verified needs no second look, unless a mark such as `inf` could be taken for a value.
    verified = not unread and not column.missing
    sql = shape.sql.replace("{}", column.value) if verified else shape.reading(column.value)
    if type != shape.type:
        sql = f"CAST({sql} AS {STORED[type]})"
    notes = [described] if (described := shape.describe(hints.zone)) else []
    if ambiguous:
        notes.append(say("the values alone could be read otherwise"))
    if column.missing:
        notes.append(
            say(
                "values such as n/a that count as missing: {count} of {all}",
                count=column.missing,
                all=column.filled,
            )
        )
    if unread:
        notes.append(
            say(
                "values that are not of the declared type and become missing: {count} of {all}",
                count=unread,
                all=column.filled,
            )
        )
    return Reading(type, sql, tuple(notes))


STORED: Mapping[Type, str] = {
    "int": "BIGINT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "string": "VARCHAR",
}


def _share(column: _Column) -> Iterator[str]:
    best = max(column.candidates, key=lambda shape: column.fitting[shape])
    present = column.filled - column.missing
    if present and column.fitting[best] >= present * WORTH_TELLING:
        share = column.fitting[best] / present
        shown = f"{min(share, 0.9999):.2%}"
        yield say(
            "{share} of the values would be {type}, the others are not: it stays text",
            share=shown,
            type=best.type,
        )


def _text(column: _Column, *notes: str) -> Reading:
    if column.sample and all(map(_FORMULA.fullmatch, column.sample)):
        read = f"regexp_replace({column.name}, {quote(_FORMULA.pattern)}, '\\1')"
        return Reading("string", read, (*notes, say('values written as ="…" are what is within')))
    return Reading("string", f"nullif({column.name}, {quote(NULL_MARK)})", notes)
