from __future__ import annotations

from tests.connector.databases.serving import DatabaseServer


def test_postgresql_runs(postgresql: DatabaseServer) -> None:
    name = postgresql.new_database("CREATE TABLE t (x int)", "INSERT INTO t VALUES (1)")
    assert postgresql.execute(name, "SELECT * FROM t") == [(1,)]


def test_mariadb_runs(mariadb: DatabaseServer) -> None:
    name = mariadb.new_database("CREATE TABLE t (x int)", "INSERT INTO t VALUES (1)")
    assert mariadb.execute(name, "SELECT * FROM t") == [(1,)]
