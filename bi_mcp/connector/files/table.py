"""A table in the engine: its columns with their types, and what was guessed about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.connector.codes import legal_codes
from bi_mcp.connector.columns import TableColumn, Type
from bi_mcp.connector.files.delimited import RawTable
from bi_mcp.connector.files.engine import Engine, quote
from bi_mcp.connector.files.profile import Execute, Hints, Reading, read_columns
from bi_mcp.connector.files.totals import (
    count_subtotals,
    count_totals,
    describe_left_out,
    find_tail,
    first_filled,
)
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import UNUSABLE_CODES
from bi_mcp.errors import ConfigError

MOST_REMARKS = 10
MUCH_LONGER = 1.5
_SEVERAL_WORDS = r"\p{L}\S*\s+\S*\p{L}\S*\s+\S*\p{L}"


@dataclass(frozen=True)
class Table:
    """A table that is ready to be asked. `stored` leads from the code of a column to what the engine calls it."""

    name: str
    columns: tuple[TableColumn, ...]
    stored: Mapping[str, str]
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    # Codes of numbers that a double would round.
    exact: frozenset[str] = frozenset()


def build_columns(
    names: Sequence[str], types: Sequence[Type], options: SourceOptions
) -> tuple[TableColumn, ...]:
    """Give each column a code that is not used twice."""
    identifiers = unique_names(names)
    codes = legal_codes(identifiers) if options.spelling == "legal" else identifiers
    return tuple(
        TableColumn(code, type, identifier)
        for code, type, identifier in zip(codes, types, identifiers, strict=True)
    )


def unique_names(names: Sequence[str]) -> list[str]:
    """Name columns without a name by their number, and those whose name is taken, in whatever capitals, by a number behind it."""
    taken: set[str] = set()
    unique = []
    for number, name in enumerate(names, 1):
        plain = name.strip() if name.strip() not in UNUSABLE_CODES else f"column_{number}"
        candidate, again = plain, 1
        while candidate.casefold() in taken:
            again += 1
            candidate = f"{plain}_{again}"
        taken.add(candidate.casefold())
        unique.append(candidate)
    return unique


def build_table(engine: Engine, raw: RawTable, code: str, options: SourceOptions) -> Table:
    """Turn a table of texts into one of typed values. The table of texts is dropped."""
    try:
        return _typed(engine, raw, code, options)
    finally:
        engine.drop(raw.table)


def _typed(engine: Engine, raw: RawTable, code: str, options: SourceOptions) -> Table:
    with engine.cursor() as cursor:
        cursor.execute(f"SET TimeZone = {quote(zone_name(options))}")

        def execute(sql: str) -> Sequence[Sequence[object]]:
            return cursor.execute(sql).fetchall()

        kept = _kept(execute(_counts(raw))[0], raw.names)
        names = unique_names(raw.names)
        declared = options.types.get(code, {})
        codes = [column.code for column in build_columns(raw.names, ["string"] * len(names), options)]
        types = {at: declared[known] for at, known in enumerate(codes) if known in declared}
        hints = raw.hints.with_types(types, str(options.time_zone))
        if remarks := _remarks(execute, raw, kept):
            raw.notes.append(say("remarks left out below the table: {count}", count=len(remarks)))
            execute(f"DELETE FROM {raw.table} WHERE rowid IN ({', '.join(map(str, remarks))})")  # noqa: S608 - names and numbers are the engine's own
        readings = _read(engine, execute, raw, hints)
        table = engine.new_name("data")
        selected = ", ".join(f"{readings[at].sql} AS c{at}" for at in kept)
        present = " OR ".join(f"r{at} IS NOT NULL" for at in kept)
        cursor.execute(f"CREATE TABLE {table} AS SELECT {selected} FROM {raw.table} WHERE {present}")  # noqa: S608 - names are the engine's own, texts are quoted
    columns = build_columns(raw.names, [reading.type for reading in readings], options)
    return Table(
        table,
        tuple(columns[at] for at in kept),
        {columns[at].code: f"c{at}" for at in kept},
        (*raw.notes, *_column_notes(names, readings)),
        raw.left_out,
    )


def _read(engine: Engine, execute: Execute, raw: RawTable, hints: Hints) -> list[Reading]:
    """Find out how the columns are read, without rows of totals at the end, which are left out if they are what they seem."""

    def read() -> list[Reading]:
        return read_columns(execute, raw.table, len(raw.names), hints, raw.texts)

    find_line = raw.find_line
    if find_line is None:
        return read()
    tail = find_tail(execute, raw.table, len(raw.names))
    if not tail.rows:
        return _with_subtotals(execute, raw, read(), 0)
    aside = engine.new_name("totals")
    execute(f"CREATE TABLE {aside} AS SELECT * FROM {raw.table} WHERE rowid IN ({tail.numbers})")  # noqa: S608 - names and numbers are the engine's own
    execute(f"DELETE FROM {raw.table} WHERE rowid IN ({tail.numbers})")  # noqa: S608 - the same
    readings = read()
    labels = [first_filled(cells) for _, cells in tail.rows]
    totals = count_totals(execute, raw.table, aside, tail, readings)
    others = len(labels) - totals
    if totals:
        raw.notes.append(describe_left_out([find_line(label) for label in labels[others:]], labels[others:]))
    else:
        raw.notes.append(say("the last row looks like a total ({label}); sums count it", label=labels[-1]))
    if others:
        execute(f"INSERT INTO {raw.table} SELECT * FROM {aside} WHERE rowid < {others} ORDER BY rowid")  # noqa: S608 - the same
        readings = read()
    engine.drop(aside)
    return _with_subtotals(execute, raw, readings, 0 if totals else 1)


def _with_subtotals(execute: Execute, raw: RawTable, readings: list[Reading], told: int) -> list[Reading]:
    """Note rows in the midst that are called totals, but for those that were told."""
    count = count_subtotals(execute, raw.table, readings) - told
    if count > 0:
        raw.notes.append(say("rows that look like subtotals; sums count them: {count}", count=count))
    return readings


def _counts(raw: RawTable) -> str:
    return f"SELECT {', '.join(f'count(r{at})' for at in range(len(raw.names)))} FROM {raw.table}"  # noqa: S608 - names are the engine's own, texts are quoted


def _kept(counts: Sequence[object], names: Sequence[str]) -> list[int]:
    """Leave out columns that have neither a name nor values."""
    kept = [at for at, name in enumerate(names) if name.strip() or counts[at]]
    if not kept:
        raise ConfigError(
            say("There is neither a name of a column nor a value. Export the table again, or remove it.")
        )
    return kept


def _remarks(execute: Execute, raw: RawTable, kept: Sequence[int]) -> list[int]:
    """Find rows at the end that hold one text in the first column and nothing else, where no other row is like that.

    Such a text has several words and is much longer than any in the rows above it: a row of data may have one value only.
    """
    if len(kept) < 3 or kept[0] != 0:
        return []
    alone = " AND ".join(f"coalesce(trim(r{at}), '') = ''" for at in kept[1:])
    found = execute(
        f"SELECT rowid, length(r0), regexp_matches(r0, {quote(_SEVERAL_WORDS)}) FROM {raw.table} "  # noqa: S608 - names are the engine's own, texts are quoted
        f"WHERE r0 IS NOT NULL AND {alone} LIMIT {MOST_REMARKS + 1}"
    )
    if not found or len(found) > MOST_REMARKS or not all(row[2] for row in found):
        return []
    first = min(int(str(row[0])) for row in found)
    last, longest = execute(f"SELECT max(rowid), max(length(r0)) FROM {raw.table} WHERE NOT ({alone})")[0]  # noqa: S608 - names are the engine's own, texts are quoted
    if (
        last is None
        or first < int(str(last))
        or min(int(str(row[1])) for row in found) <= MUCH_LONGER * int(str(longest or 0))
    ):
        return []
    return [int(str(row[0])) for row in found]


def _column_notes(names: Sequence[str], readings: Sequence[Reading]) -> list[str]:
    return [
        say("column {name!r}: {notes}", name=name, notes="; ".join(reading.notes))
        for name, reading in zip(names, readings, strict=True)
        if reading.notes
    ]


def zone_name(options: SourceOptions) -> str:
    """Return the engine's name of the portal's time zone."""
    key = getattr(options.time_zone, "key", None)
    if isinstance(key, str):
        return key
    offset = options.time_zone.utcoffset(None)
    hours = round(offset.total_seconds() / 3600) if offset else 0
    # The names of fixed zones have the opposite sign.
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"
