"""Which tables a database has to offer, and what becomes of those that change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.refusal import RefusalError, SourceError
from tests.connector.databases.asking import a_database, a_query, rows_of, types_of
from tests.connector.databases.serving import DatabaseServer


@pytest.fixture(scope="module")
def shop(postgresql: DatabaseServer) -> str:
    return postgresql.new_database(
        "CREATE TABLE orders (id int, amount numeric(10,2))",
        "INSERT INTO orders VALUES (1, 2.5)",
        "COMMENT ON TABLE orders IS 'Orders of the shop\nwith details'",
        "CREATE VIEW big_orders AS SELECT * FROM orders",
        "CREATE MATERIALIZED VIEW order_totals AS SELECT sum(amount) AS total FROM orders",
        "CREATE TABLE visits (day date, n int) PARTITION BY RANGE (day)",
        "CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "INSERT INTO visits VALUES ('2024-05-31', 7)",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE FOREIGN TABLE far (id int) SERVER elsewhere",
        "CREATE SCHEMA crm",
        "CREATE TABLE crm.orders (id bigint, name text)",
        "CREATE TABLE nothing ()",
    )


@pytest.fixture
def database(postgresql: DatabaseServer, shop: str) -> Iterator[Database]:
    with closing(a_database(postgresql.address(shop), titles={"far": "Far away"})) as database:
        yield database


def test_tables_and_views_of_every_kind_have_titles(database: Database) -> None:
    assert database.tables() == {
        "big_orders": "Big orders",
        "far": "Far away",
        "order_totals": "Order totals",
        "orders": "Orders of the shop",
        "visits": "Visits",
        "crm.orders": "Orders",
    }


def test_tables_of_other_schemas_are_told_apart(database: Database) -> None:
    assert types_of(database, "orders") == {"ID": "int", "AMOUNT": "double"}
    assert types_of(database, "crm.orders") == {"ID": "int", "NAME": "string"}
    assert rows_of(database, "visits") == [["2024-05-31", 7]]
    assert rows_of(database, "order_totals") == [[2.5]]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"schemas": ("crm",)}, ["crm.orders"]),
        ({"schemas": ("pub*",), "tables": ("*orders",)}, ["big_orders", "orders"]),
        ({"tables": ("crm.*", "far")}, ["crm.orders", "far"]),
    ],
)
def test_only_what_is_allowed_is_served(
    postgresql: DatabaseServer, shop: str, options: dict[str, tuple[str, ...]], found: list[str]
) -> None:
    with closing(a_database(postgresql.address(shop), **options)) as database:
        assert sorted(database.tables()) == found
        for table in {"orders", "crm.orders", "visits"} - set(found):
            with pytest.raises(RefusalError, match="There is no table"):
                database.rows(table, a_query())


def test_only_the_database_that_an_address_names_is_served(mariadb: DatabaseServer) -> None:
    mine = mariadb.new_database(
        "CREATE TABLE a (x int) COMMENT 'The first'", "CREATE VIEW v AS SELECT * FROM a"
    )
    other = mariadb.new_database("CREATE TABLE b (y int)")
    with closing(a_database(mariadb.address(mine))) as database:
        assert database.tables() == {"a": "The first", "v": "V"}
    with closing(a_database(mariadb.address(mine), schemas=(other,))) as database:
        assert database.tables() == {f"{other}.b": "B"}
        assert types_of(database, f"{other}.b") == {"Y": "int"}
        assert rows_of(database, f"{other}.b") == []


def test_a_login_sees_only_what_it_may_read(postgresql: DatabaseServer, shop: str) -> None:
    name = postgresql.new_database(
        "CREATE ROLE clerk LOGIN PASSWORD 'clerk'",
        "CREATE TABLE open (id int, secret text)",
        "CREATE TABLE closed (id int)",
        "GRANT SELECT (id) ON open TO clerk",
    )
    address = postgresql.address(name).reveal()
    login = Secret("postgresql://clerk:clerk@" + address.rpartition("@")[2])
    with closing(a_database(login)) as database:
        assert list(database.tables()) == ["open"]
        assert types_of(database, "open") == {"ID": "int"}
        assert rows_of(database, "open") == []


@pytest.fixture(params=["postgresql", "mariadb"])
def changing(request: pytest.FixtureRequest) -> Iterator[tuple[DatabaseServer, str, Database]]:
    server: DatabaseServer = request.getfixturevalue(request.param)
    name = server.new_database("CREATE TABLE t (id int, name varchar(9))", "INSERT INTO t VALUES (1, 'x')")
    with closing(a_database(server.address(name))) as database:
        assert rows_of(database, "t") == [[1, "x"]]
        yield server, name, database


def test_a_table_that_is_added_is_found(changing: tuple[DatabaseServer, str, Database]) -> None:
    server, name, database = changing
    server.execute(name, "CREATE TABLE later (id int)")
    assert rows_of(database, "later") == []


def test_a_table_that_was_dropped_is_refused(changing: tuple[DatabaseServer, str, Database]) -> None:
    server, name, database = changing
    server.execute(name, "DROP TABLE t")
    with pytest.raises(RefusalError, match="There is no table 't' any more") as refusal:
        rows_of(database, "t")
    assert refusal.value.status == 404
    with pytest.raises(RefusalError, match="There is no table 't'"):
        database.columns("t")


def test_columns_that_have_changed_are_noticed(changing: tuple[DatabaseServer, str, Database]) -> None:
    server, name, database = changing
    server.execute(name, "ALTER TABLE t DROP COLUMN name", "ALTER TABLE t ADD COLUMN price int")
    with pytest.raises(SourceError, match="columns of the table have changed"):
        rows_of(database, "t")
    assert rows_of(database, "t") == [[1, None]]
    server.execute(name, "ALTER TABLE t DROP COLUMN price")
    assert rows_of(database, "t", a_query(["ID"])) == [[1]]
    with pytest.raises(RefusalError, match="no column 'PRICE'"):
        rows_of(database, "t", a_query(["ID", "PRICE"]))


def test_a_view_of_something_that_is_gone_is_named(mariadb: DatabaseServer) -> None:
    name = mariadb.new_database("CREATE TABLE a (x int)", "CREATE VIEW v AS SELECT * FROM a", "DROP TABLE a")
    with closing(a_database(mariadb.address(name))) as database:
        assert list(database.tables()) == ["v"]
        with pytest.raises(SourceError, match="'v' cannot be read"):
            database.columns("v")


def test_a_database_of_many_tables_is_asked_for_one(postgresql: DatabaseServer) -> None:
    name = postgresql.new_database(
        "DO $$ BEGIN FOR i IN 1..200 LOOP EXECUTE format('CREATE TABLE t%s (id int, name text)', i); END LOOP; END $$"
    )
    with closing(a_database(postgresql.address(name))) as database:
        assert types_of(database, "t177") == {"ID": "int", "NAME": "string"}
        asked = list(database._reflection._columns)
        assert asked == ["t177"]
        assert len(database.tables()) == 200


def test_original_names_that_are_empty_to_the_portal_are_left_out(postgresql: DatabaseServer) -> None:
    name = postgresql.new_database('CREATE TABLE t ("0" int, id int)', 'CREATE TABLE "0" (x int)')
    with closing(a_database(postgresql.address(name), spelling="original")) as database:
        assert list(database.tables()) == ["t"]
        assert types_of(database, "t") == {"id": "int"}
        assert list(database.left_out("t")) == ["0"]
