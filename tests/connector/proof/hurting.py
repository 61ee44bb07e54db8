"""A table of values that hurt, in the column types of each dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Literal, TypeAlias

from tests.charts.tables import Cell, Column, Table, Type

Dialect: TypeAlias = Literal["postgresql", "mariadb", "sqlite", "csv"]

DIALECTS: tuple[Dialect, ...] = ("postgresql", "mariadb", "sqlite", "csv")
NAME = "hurting"
# What a moment with a zone is shown in; it has no summer time.
ZONE = "Europe/Moscow"

WORDS = (
    *(
        "plain",
        None,
        "",
        " ",
        "a",
        "A",
        "á",
        "Á",
        "ё",
        "Ё",
        "е",
        "ß",
        "ss",
        "SS",
        "😀",
        "日本",
        "0",
        "00",
        "NULL",
    ),
    *(
        "%",
        "_",
        "a%b",
        "a_b",
        "axb",
        "\\",
        "a\\b",
        "a\\\\b",
        "'",
        "O'Brien",
        '"',
        "`",
        " a",
        "a ",
        "a  b",
        "x\ty",
    ),
    *(
        "line\nbreak",
        "'; DROP TABLE hurting; --",
        ":word",
        "%s",
        "%(x)s",
        "{x}",
        "?",
        "[a]",
        "&b=1",
        "+",
        "1e3",
    ),
)
# A reader of files takes these for missing values, or may.
NOT_IN_FILES = ("NULL", "", " ")
# A file does not say that they are no codes: with them the column is one of texts.
LONG_NUMBERS = (
    9_007_199_254_740_993,
    -9_007_199_254_740_993,
    9_223_372_036_854_775_807,
    9_223_372_036_854_775_806,
)


@dataclass(frozen=True)
class HurtingColumn:
    """A column: its announced type, its values, which are repeated as often as it takes, and how each dialect declares it."""

    code: str
    type: Type
    values: tuple[Cell, ...]
    declared: Mapping[str, str]


def _declare(postgresql: str, mariadb: str, sqlite: str) -> Mapping[str, str]:
    return {"postgresql": postgresql, "mariadb": mariadb, "sqlite": sqlite}


COLUMNS = (
    HurtingColumn("ID", "int", tuple(range(1, len(WORDS) + 1)), _declare("integer", "int", "INTEGER")),
    HurtingColumn("WORD", "string", WORDS, _declare("text", "varchar(100)", "TEXT")),
    # Letters that every collation sorts alike.
    HurtingColumn(
        "GRADE",
        "string",
        ("beta", "alpha", None, "delta", "gamma"),
        _declare("varchar(20)", "varchar(20)", "VARCHAR(20)"),
    ),
    HurtingColumn("CODE", "string", ("abc", "007", None, "ABC"), _declare("char(3)", "char(3)", "CHAR(3)")),
    HurtingColumn("MOOD", "string", ("calm", "wild", None), _declare("mood", "enum('calm','wild')", "TEXT")),
    HurtingColumn(
        "TOKEN",
        "string",
        ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", None, "00000000-0000-0000-0000-000000000000"),
        _declare("uuid", "uuid", "CHAR(36)"),
    ),
    HurtingColumn("FLAG", "int", (1, 0, None), _declare("boolean", "boolean", "BOOLEAN")),
    HurtingColumn(
        "SMALL", "int", (0, -1, 127, None, -128, 9, 100), _declare("smallint", "tinyint", "TINYINT")
    ),
    HurtingColumn(
        "BIG",
        "int",
        (
            0,
            9_007_199_254_740_993,
            -9_007_199_254_740_993,
            None,
            9_223_372_036_854_775_807,
            9_223_372_036_854_775_806,
            7,
        ),
        _declare("bigint", "bigint", "BIGINT"),
    ),
    HurtingColumn(
        "AMOUNT",
        "double",
        (0.1, 19.99, -4.05, None, 0.0, 1_000_000.01, 100.5),
        _declare("numeric(12,2)", "decimal(12,2)", "DECIMAL(12,2)"),
    ),
    HurtingColumn(
        "RATIO",
        "double",
        (0.1, 0.30000000000000004, None, -2.5, 1e-7, 0.0, 123456.789, 1e14),
        _declare("double precision", "double", "REAL"),
    ),
    HurtingColumn("SINGLE", "double", (0.1, 2.5, None, -0.3), _declare("real", "float", "REAL")),
    HurtingColumn(
        "DAY",
        "date",
        (
            "2024-02-29",
            "2024-05-31",
            None,
            "2024-06-01",
            "2024-12-31",
            "2025-01-01",
            "2025-04-03",
            "1999-12-31",
        ),
        _declare("date", "date", "DATE"),
    ),
    HurtingColumn(
        "MOMENT",
        "datetime",
        (
            *(
                "2024-05-31 00:00:00",
                "2024-05-31 23:59:59",
                None,
                "2024-06-01 00:00:00",
                "2024-02-29 12:34:56",
            ),
            *("2024-12-31 23:59:59", "2025-01-01 00:00:00", "2025-04-03 01:02:03"),
        ),
        _declare("timestamp(3)", "datetime(3)", "DATETIME"),
    ),
    HurtingColumn(
        "SEEN",
        "datetime",
        # As shown: the database keeps what is three hours earlier.
        (
            "2024-06-01 02:59:59",
            None,
            "2024-06-01 03:00:00",
            "2024-05-31 23:59:59",
            "2025-01-01 00:00:00",
            "2024-11-03 04:30:00",
        ),
        _declare("timestamptz", "timestamp NULL", "DATETIME"),
    ),
)


def hurting(dialect: Dialect) -> Table:
    """Build the table as a connector must show it."""
    count = len(WORDS)
    filled = [list(islice(cycle(column.values), count)) for column in COLUMNS]
    columns = tuple(Column(column.code, column.type, column.code) for column in COLUMNS)
    codes = [column.code for column in COLUMNS]
    rows = [dict(zip(codes, values, strict=True)) for values in zip(*filled, strict=True)]
    if dialect == "csv":
        rows = [
            {code: None if cell in LONG_NUMBERS else cell for code, cell in row.items()}
            for row in rows
            if row["WORD"] not in NOT_IN_FILES
        ]
    return Table(NAME, columns, tuple(rows))


def create_statement(dialect: Dialect) -> str:
    quote = "`" if dialect == "mariadb" else '"'
    declared = ", ".join(f"{quote}{column.code}{quote} {column.declared[dialect]}" for column in COLUMNS)
    # A collation in which case, accents and trailing spaces do not count.
    collation = " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" if dialect == "mariadb" else ""
    return f"CREATE TABLE {NAME} ({declared}){collation}"


def stored(dialect: Dialect, rows: Sequence[Mapping[str, Cell]]) -> list[tuple[object, ...]]:
    """Return the rows as a driver stores them."""
    return [tuple(_store(dialect, code, cell) for code, cell in row.items()) for row in rows]


def _store(dialect: Dialect, code: str, cell: Cell) -> object:
    if cell is None:
        return None
    if code == "FLAG" and dialect == "postgresql":
        return bool(cell)
    if code == "MOMENT" and str(cell).endswith(":59"):
        # The last second of a day has parts, and is shown without them.
        return f"{cell}.7"
    if code == "SEEN" and dialect == "postgresql":
        return f"{cell}+03"
    if code == "SEEN" and dialect == "mariadb":
        return datetime.fromisoformat(str(cell)) - timedelta(hours=3)
    return cell
