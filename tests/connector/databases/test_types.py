"""Every type of a column: what it is to Bitrix24, and how its values are sent. On real servers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from bi_mcp.base.language import speaking
from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.refusal import SourceError
from tests.connector.databases.asking import a_database, a_query, records_of, rows_of, types_of
from tests.connector.databases.serving import DatabaseServer

MOSCOW = ZoneInfo("Europe/Moscow")

# Declaration, value in SQL, type, value as sent.
Case = tuple[str, str, str, Any]

POSTGRESQL: Sequence[Case] = [
    ("smallint", "-32768", "int", -32768),
    ("integer", "7", "int", 7),
    ("bigint", "9223372036854775807", "int", 9223372036854775807),
    ("boolean", "true", "int", 1),
    ("oid", "4000000000", "int", 4000000000),
    ("numeric(18)", "999999999999999999", "int", 999999999999999999),
    ("numeric(15,2)", "1234567890123.45", "double", 1234567890123.45),
    ("numeric", "12.50", "double", 12.5),
    ("numeric", "'NaN'", "double", None),
    ("numeric", "'Infinity'", "double", None),
    ("numeric(10,2)", "'NaN'", "double", None),
    ("money", "1234.5", "double", 1234.5),
    ("real", "0.1", "double", 0.1),
    ("double precision", "0.1", "double", 0.1),
    ("double precision", "'NaN'", "double", None),
    ("double precision", "'-Infinity'", "double", None),
    ("text", "'Ünïcode'", "string", "Ünïcode"),
    ("varchar(5)", "'00123'", "string", "00123"),
    ("char(5)", "'ab'", "string", "ab"),
    ("name", "'n'", "string", "n"),
    ("date", "'2024-02-29'", "date", "2024-02-29"),
    ("date", "'1800-01-01'", "date", "1800-01-01"),
    ("date", "'infinity'", "date", None),
    ("date", "'0044-03-15 BC'", "date", None),
    ("date", "'10000-01-01'", "date", None),
    ("timestamp", "'2024-05-31 23:59:59.999999'", "datetime", "2024-05-31 23:59:59"),
    ("timestamp(0)", "'2024-05-31 23:59:59'", "datetime", "2024-05-31 23:59:59"),
    ("timestamp", "'-infinity'", "datetime", None),
    ("timestamptz", "'2024-05-31 12:00:00.25+00'", "datetime", "2024-05-31 15:00:00"),
    ("timestamptz", "'2010-07-01 00:00:00+00'", "datetime", "2010-07-01 04:00:00"),
    ("timestamptz", "'infinity'", "datetime", None),
    ("time", "'12:30:00.5'", "string", "12:30:00.5"),
    ("interval", "'1 day 2 hours'", "string", "1 day 02:00:00"),
    ("uuid", "'6439D82F-2b90-4543-a5eb-2facd7cdf13a'", "string", "6439d82f-2b90-4543-a5eb-2facd7cdf13a"),
    ("json", """'{"a": 1}'""", "string", '{"a": 1}'),
    ("jsonb", """'{"a":1}'""", "string", '{"a": 1}'),
    ("integer[]", "'{1,2,null}'", "string", "{1,2,NULL}"),
    ("text[]", """'{a,"b c"}'""", "string", '{a,"b c"}'),
    ("mood", "'happy'", "string", "happy"),
    ("inet", "'10.0.0.1'", "string", "10.0.0.1"),
    ("cidr", "'10.0.0.0/8'", "string", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "string", "08:00:2b:01:02:03"),
    ("bit(3)", "B'101'", "string", "101"),
    ("xml", "'<a/>'", "string", "<a/>"),
    ("int4range", "'[1,10)'", "string", "[1,10)"),
    ("point", "'(1,2)'", "string", "(1,2)"),
    ("citext", "'CiText'", "string", "CiText"),
    ("positive", "5", "int", 5),
    ("very_positive", "5", "int", 5),
]
POSTGRESQL_BEFORE = (
    "CREATE EXTENSION citext",
    "CREATE TYPE mood AS ENUM ('sad', 'happy')",
    "CREATE DOMAIN positive AS integer CHECK (value > 0)",
    "CREATE DOMAIN very_positive AS positive",
)

MARIADB: Sequence[Case] = [
    ("tinyint(1)", "1", "int", 1),
    ("smallint", "-32768", "int", -32768),
    ("mediumint unsigned", "7", "int", 7),
    ("int zerofill", "7", "int", 7),
    ("bigint", "-9223372036854775808", "int", -9223372036854775808),
    ("bigint unsigned", "18446744073709551615", "int", 18446744073709551615),
    ("year", "2024", "int", 2024),
    ("bit(1)", "1", "int", 1),
    ("bit(8)", "b'101'", "int", 5),
    ("decimal(18)", "999999999999999999", "int", 999999999999999999),
    ("decimal(15,2)", "1234567890123.45", "double", 1234567890123.45),
    ("float", "0.1", "double", 0.1),
    ("float", "16777216", "double", 16777216.0),
    ("float", "1234567.5", "double", 1234567.5),
    ("double", "0.1", "double", 0.1),
    ("double", "1e300", "double", 1e300),
    ("char(5)", "'ab'", "string", "ab"),
    ("varchar(20) character set latin1", "'Ünïcode'", "string", "Ünïcode"),
    ("varchar(20) character set cp1251", "'Привет'", "string", "Привет"),
    ("text character set utf8mb4", "'00123 😀'", "string", "00123 😀"),
    ("enum('a','b(c)')", "'b(c)'", "string", "b(c)"),
    ("set('x','y')", "'x,y'", "string", "x,y"),
    ("json", """'{"a": 1}'""", "string", '{"a": 1}'),
    ("time", "'-12:30:00'", "string", "-12:30:00"),
    ("uuid", "'6439d82f-2b90-4543-a5eb-2facd7cdf13a'", "string", "6439d82f-2b90-4543-a5eb-2facd7cdf13a"),
    ("inet6", "'::1'", "string", "::1"),
    ("date", "'2024-02-29'", "date", "2024-02-29"),
    ("date", "'0000-00-00'", "date", None),
    ("date", "'2024-00-15'", "date", None),
    ("datetime", "'2024-05-31 23:59:59'", "datetime", "2024-05-31 23:59:59"),
    ("datetime(6)", "'2024-05-31 23:59:59.999999'", "datetime", "2024-05-31 23:59:59"),
    ("datetime", "'0000-00-00 00:00:00'", "datetime", None),
    ("timestamp null", "'2024-05-31 12:00:00'", "datetime", "2024-05-31 15:00:00"),
    ("timestamp null", "'2010-07-01 00:00:00'", "datetime", "2010-07-01 04:00:00"),
]

LEFT_OUT = {
    "postgresql": ("bytea", "tsvector"),
    "mariadb": ("varbinary(4)", "longblob", "geometry", "point"),
}


def table_of(cases: Sequence[Case]) -> tuple[str, str]:
    columns = ", ".join(f"c{at} {declared}" for at, (declared, *_) in enumerate(cases))
    values = ", ".join(value for _, value, *_ in cases)
    return f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES ({values})"  # noqa: S608  the values above


@pytest.fixture(scope="module")
def in_postgresql(postgresql: DatabaseServer) -> Secret:
    create, insert = table_of(POSTGRESQL)
    return postgresql.address(
        postgresql.new_database(
            *POSTGRESQL_BEFORE,
            create,
            insert,
            "INSERT INTO t DEFAULT VALUES",
            "CREATE TABLE b (id int, c0 bytea, c1 tsvector)",
            "CREATE TABLE empty AS SELECT * FROM t LIMIT 0",
            "CREATE VIEW v AS SELECT * FROM t",
            "CREATE TABLE long (n numeric(40,4), m numeric, w numeric(30))",
            "INSERT INTO long VALUES (123456789012345678901234567890.1234, .5, 123456789012345678901234567890)",
        )
    )


@pytest.fixture(scope="module")
def in_mariadb(mariadb: DatabaseServer) -> Secret:
    create, insert = table_of(MARIADB)
    return mariadb.address(
        mariadb.new_database(
            "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
            create,
            insert,
            "INSERT INTO t VALUES ()",
            "CREATE TABLE b (id int, c0 varbinary(4), c1 longblob, c2 geometry, c3 point)",
            "CREATE TABLE empty AS SELECT * FROM t LIMIT 0",
            "CREATE VIEW v AS SELECT * FROM t",
            "CREATE TABLE `long` (n decimal(40,4), m decimal(20,4), w decimal(30))",
            "INSERT INTO `long` VALUES (123456789012345678901234567890.1234, .5, 123456789012345678901234567890)",
        )
    )


@pytest.fixture(
    params=[("in_postgresql", POSTGRESQL), ("in_mariadb", MARIADB)], ids=["postgresql", "mariadb"]
)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Database, Sequence[Case]]]:
    fixture, cases = request.param
    with closing(a_database(request.getfixturevalue(fixture), time_zone=MOSCOW)) as database:
        yield database, cases


@pytest.fixture
def database(served: tuple[Database, Sequence[Case]]) -> Database:
    return served[0]


@pytest.mark.parametrize("table", ["t", "v", "empty"])
def test_types_are_those_that_are_declared(served: tuple[Database, Sequence[Case]], table: str) -> None:
    database, cases = served
    found = types_of(database, table)
    wrong = [(case, found[f"C{at}"]) for at, case in enumerate(cases) if found[f"C{at}"] != case[2]]
    assert not wrong


@pytest.mark.parametrize("table", ["t", "v"])
def test_values_are_sent_in_the_form_of_their_type(
    served: tuple[Database, Sequence[Case]], table: str
) -> None:
    database, cases = served
    full, missing = rows_of(database, table)
    wrong = [(case, value) for case, value in zip(cases, full, strict=True) if value != case[3]]
    assert not wrong
    assert set(missing) == {None}
    for case, value in zip(cases, full, strict=True):
        if value is not None and case[2] in {"date", "datetime"}:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", value)


def test_a_value_is_found_by_what_is_sent_of_it(served: tuple[Database, Sequence[Case]]) -> None:
    database, cases = served
    for at, (declared, _, _, sent) in enumerate(cases):
        if sent is None:
            continue
        name = f"C{at}"
        text = str(sent)
        held: list[dict[str, object]] = [{f"={name}": [text]}, {f"={name}": [text, text]}]
        negated: list[dict[str, object]] = [{f"!={name}": [text]}, {f"!={name}": ""}]
        for filter in held + negated:
            assert len(rows_of(database, "t", a_query([name], filter))) == 1, (declared, filter)
        part = str(sent)[1:-1] if isinstance(sent, str) else re.sub(r"e.*|\.0$", "", str(sent))[:3]
        assert len(rows_of(database, "t", a_query([name], {f"%{name}": [part]}))) == 1, (declared, part)


def test_a_value_that_is_sent_as_missing_is_missing_to_filters(
    served: tuple[Database, Sequence[Case]],
) -> None:
    database, cases = served
    for at, (declared, _, type, sent) in enumerate(cases):
        if sent is not None:
            continue
        name, low, high = (
            f"C{at}",
            *(("-1e300", "1e300") if type == "double" else ("0001-01-01", "9999-12-31")),
        )
        assert len(rows_of(database, "t", a_query([name], {f"={name}": ""}))) == 2, declared
        for filter in ({f">={name}": low}, {f"<={name}": high}, {f"><{name}": [low, high]}):
            assert rows_of(database, "t", a_query([name], filter)) == [], (declared, filter)
            negated = {f"!{key}": value for key, value in filter.items()}
            assert len(rows_of(database, "t", a_query([name], negated))) == 2, (declared, negated)


def test_what_no_chart_can_show_is_left_out_with_a_word(database: Database) -> None:
    assert [column.code for column in database.columns("b")] == ["ID"]
    assert all(
        reason.startswith("It holds a") or "binary" in reason for reason in database.left_out("b").values()
    )
    assert len(database.left_out("b")) >= 2


def test_long_numbers_are_sent_as_they_are_written(database: Database) -> None:
    assert types_of(database, "long") == {"N": "double", "M": "double", "W": "double"}
    answer = database.rows("long", a_query())
    text = b"".join(orjson.dumps(list(chunk)) for chunk in answer.chunks()).decode()
    assert re.fullmatch(
        r"\[\[123456789012345678901234567890\.1234,0\.50*,123456789012345678901234567890\]\]", text
    )


def test_long_numbers_can_be_asked_for_exactly(database: Database) -> None:
    found = {"=N": ["123456789012345678901234567890.1234"]}
    assert len(rows_of(database, "long", a_query(filter=found))) == 1
    assert rows_of(database, "long", a_query(filter={"=N": ["123456789012345678901234567890.1235"]})) == []
    assert len(rows_of(database, "long", a_query(filter={"<=W": "123456789012345678901234567890"}))) == 1
    assert rows_of(database, "long", a_query(filter={"<W": "123456789012345678901234567890"})) == []


@pytest.mark.parametrize("fixture", ["in_postgresql", "in_mariadb"])
def test_long_numbers_become_texts_by_choice(fixture: str, request: pytest.FixtureRequest) -> None:
    with closing(a_database(request.getfixturevalue(fixture), long_numbers="text")) as database:
        assert set(types_of(database, "long").values()) == {"string"}
        [[number, half, whole]] = rows_of(database, "long")
        assert number == "123456789012345678901234567890.1234"
        assert half.startswith("0.5")
        assert whole == "123456789012345678901234567890"
        assert types_of(database, "t")["C5"] == "int"


@pytest.mark.parametrize(
    ("zone", "hour"), [(timezone(timedelta(hours=5, minutes=30)), "17:30"), (ZoneInfo("UTC"), "12:00")]
)
def test_moments_become_those_of_the_zone(
    zone: Any, hour: str, postgresql: DatabaseServer, mariadb: DatabaseServer
) -> None:
    for server, type in ((postgresql, "timestamptz"), (mariadb, "timestamp")):
        set_zone = "SET time_zone = '+00:00'" if type == "timestamp" else "SET TIME ZONE 'UTC'"
        name = server.new_database(
            set_zone, f"CREATE TABLE t (made {type})", "INSERT INTO t VALUES ('2024-05-31 12:00:00')"
        )
        with closing(a_database(server.address(name), time_zone=zone)) as database:
            assert rows_of(database, "t") == [[f"2024-05-31 {hour}:00"]]
            assert len(rows_of(database, "t", a_query(filter={"=MADE": f"31.05.2024 {hour}:00"}))) == 1
            assert rows_of(database, "t", a_query(filter={">MADE": f"31.05.2024 {hour}:00"})) == []
            name = "UTC" if hour == "12:00" else "UTC+05:30"
            assert database.notes("t") == [f"moments are shown in the time zone {name}: MADE"]


def test_long_numbers_are_told_of(database: Database) -> None:
    [note] = database.notes("long")
    assert note.startswith("numbers of more than 15 digits are sent with all of them")
    assert 'long_numbers = "text" sends texts' in note
    assert note.endswith(": " + ", ".join(types_of(database, "long")))


def test_a_type_that_is_given_overrules_the_one_that_was_found(
    postgresql: DatabaseServer, mariadb: DatabaseServer, tmp_path: Path
) -> None:
    statements = (
        "CREATE TABLE t (zip int, price varchar(20), day varchar(20), made varchar(20), flag varchar(20))",
        "INSERT INTO t VALUES (123, '1.50', '2024-05-31', '2024-05-31 10:00:00', '7')",
    )
    path = tmp_path / "given.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(statements))
    types = {"t": {"ZIP": "string", "price": "double", "DAY": "date", "MADE": "datetime", "FLAG": "int"}}
    addresses = [server.address(server.new_database(*statements)) for server in (postgresql, mariadb)]
    for address in (*addresses, Secret(f"sqlite:///{path}")):
        with closing(a_database(address, types=types)) as database:
            assert list(types_of(database, "t").values()) == ["string", "double", "date", "datetime", "int"]
            assert rows_of(database, "t") == [["123", 1.5, "2024-05-31", "2024-05-31 10:00:00", 7]]
            for filter in (
                {"=ZIP": "123"},
                {">PRICE": "1"},
                {"<=DAY": "31.05.2024"},
                {"=MADE": "31.05.2024 10:00:00"},
                {"=FLAG": ["7", "8"]},
            ):
                assert len(rows_of(database, "t", a_query(filter=filter))) == 1, filter


SQLITE: Mapping[str, tuple[str, list[str], str, list[Any]]] = {
    # name: declaration, values in SQL, type, values as sent
    "whole": ("INTEGER", ["1", "NULL"], "int", [1, None]),
    "truth": ("BOOLEAN", ["1", "0"], "int", [1, 0]),
    "tiny": ("tinyint(1)", ["1", "0"], "int", [1, 0]),
    "price": ("DECIMAL(10,2)", ["1", "2.5"], "double", [1.0, 2.5]),
    "ratio": ("REAL", ["0.5", "9e999"], "string", ["0.5", "Inf"]),
    "zip": ("VARCHAR(10)", ["'00123'", "'2024-01-01'"], "string", ["00123", "2024-01-01"]),
    "day": ("DATE", ["'2024-02-29'", "NULL"], "date", ["2024-02-29", None]),
    "made": (
        "DATETIME",
        ["'2024-05-31T10:00:00.5'", "'2024-05-31 11:00:00'"],
        "datetime",
        ["2024-05-31 10:00:00", "2024-05-31 11:00:00"],
    ),
    "epoch": ("DATETIME", ["1717142400", "1717142401"], "int", [1717142400, 1717142401]),
    "no_day": ("DATE", ["'2024-02-30'", "'2024-01-01'"], "string", ["2024-02-30", "2024-01-01"]),
    "text_day": ("TEXT", ["'2024-02-29'", "'2024-03-01'"], "date", ["2024-02-29", "2024-03-01"]),
    "text": ("TEXT", ["'x'", "''"], "string", ["x", ""]),
    "dirty": ("INTEGER", ["1", "'n/a'"], "string", ["1", "n/a"]),
    "real_in_int": ("INTEGER", ["1", "2.5"], "double", [1.0, 2.5]),
    "untyped": ("", ["1", "2"], "int", [1, 2]),
    "untyped_text": ("", ["'1'", "'2'"], "string", ["1", "2"]),
    "unused_int": ("INTEGER", ["NULL", "NULL"], "int", [None, None]),
    "unused": ("", ["NULL", "NULL"], "string", [None, None]),
    "mixed": ("TEXT", ["x'41'", "'b'"], "string", ["A", "b"]),
}


@pytest.fixture
def sqlite_address(tmp_path: Path) -> Secret:
    path = tmp_path / "types.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        columns = ", ".join(f"{name} {declared}" for name, (declared, *_) in SQLITE.items())
        connection.execute(f"CREATE TABLE t ({columns}, photo BLOB, data TEXT)")
        for at in range(2):
            values = ", ".join(values[at] for _, values, *_ in SQLITE.values())
            connection.execute(f"INSERT INTO t VALUES ({values}, x'ff', x'ff')")  # noqa: S608  the values above
        connection.execute("CREATE VIEW v AS SELECT *, whole + 1 AS next FROM t")
        connection.execute(
            "CREATE TABLE empty (id integer, price decimal(10,2), made date, at datetime, x, photo blob)"
        )
        connection.execute("CREATE VIEW broken AS SELECT * FROM gone")
        connection.execute("CREATE TABLE legacy (id integer, name text)")
        connection.execute("INSERT INTO legacy VALUES (1, CAST(x'cff0e8e2e5f2' AS TEXT)), (2, 'plain')")
        connection.commit()
    return Secret(f"sqlite:///{path}")


@pytest.mark.parametrize("table", ["t", "v"])
def test_sqlite_has_the_declared_type_where_the_values_fit_it(sqlite_address: Secret, table: str) -> None:
    with closing(a_database(sqlite_address)) as database:
        found, records = types_of(database, table), records_of(database, table)
        for name, (_, _, type, sent) in SQLITE.items():
            assert (name, found[name.upper()]) == (name, type)
            assert (name, [record[name.upper()] for record in records]) == (name, sent)
        assert database.left_out(table) == dict.fromkeys(["photo", "data"], "It holds binary data.")
        with speaking("ru"):
            assert set(database.left_out(table).values()) == {"в нём двоичные данные."}


def test_empty_tables_of_sqlite_have_types(sqlite_address: Secret) -> None:
    with closing(a_database(sqlite_address)) as database:
        assert types_of(database, "empty") == {
            "ID": "int",
            "PRICE": "double",
            "MADE": "date",
            "AT": "datetime",
            "X": "string",
        }


def test_a_broken_view_spoils_nothing_else(sqlite_address: Secret) -> None:
    with closing(a_database(sqlite_address)) as database:
        assert "broken" in database.tables()
        with pytest.raises(SourceError, match="'broken' cannot be read") as refusal:
            database.columns("broken")
        assert "no such table: main.gone" in refusal.value.cause
        assert rows_of(database, "legacy", a_query(["ID"])) == [[1], [2]]


def test_text_that_is_not_utf8_does_no_harm(sqlite_address: Secret) -> None:
    with closing(a_database(sqlite_address)) as database:
        assert rows_of(database, "legacy") == [[1, "\ufffd" * 6], [2, "plain"]]
        assert rows_of(database, "legacy", a_query(filter={"%NAME": "LAI"})) == [[2, "plain"]]


def test_text_of_a_legacy_encoding_is_read_when_it_is_named(sqlite_address: Secret) -> None:
    with closing(a_database(sqlite_address, encoding="cp1251")) as database:
        assert rows_of(database, "legacy") == [[1, "Привет"], [2, "plain"]]
        for filter in ({"=NAME": "Привет"}, {"=NAME": ["x", "Привет"]}, {"%NAME": "ПРИ"}, {"=%NAME": "п%Т"}):
            assert len(rows_of(database, "legacy", a_query(filter=filter))) == 1, filter
