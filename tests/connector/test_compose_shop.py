"""The sample database of the compose file, made by a real server: its login reads all tables, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from bi_mcp.cli import main
from tests.conftest import find_program
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer
from tests.server.processes import LIMIT_S

SQL = Path(__file__).parents[2] / "docs/examples/compose/shop.sql"
SECRET = "/run/secrets/reader_password"
READER = "a reader's pass-word"


@pytest.fixture
def database(postgresql: DatabaseServer, tmp_path: Path) -> str:
    """Made as the image makes it: by psql, with the password of the login in a file."""
    name = postgresql.new_database()
    (tmp_path / "password").write_text(READER, encoding="utf-8")
    text = SQL.read_text(encoding="utf-8")
    assert SECRET in text
    (tmp_path / "shop.sql").write_text(text.replace(SECRET, str(tmp_path / "password")), encoding="utf-8")
    address = ["--host", "127.0.0.1", "--port", str(postgresql.port), "--username", USER, "--dbname", name]
    subprocess.run(  # noqa: S603  a program of the system
        [
            find_program("psql") or "psql",
            *address,
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            f"--file={tmp_path / 'shop.sql'}",
        ],
        env={"PGPASSWORD": PASSWORD},
        check=True,
        capture_output=True,
        timeout=LIMIT_S,
    )
    return name


@pytest.mark.needs("psql", called="PostgreSQL")
def test_its_login_serves_every_table_and_can_change_none(
    postgresql: DatabaseServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_CONNECTOR_PASSWORD_SHOP", READER)
    source = f"shop=postgresql://bi_reader@127.0.0.1:{postgresql.port}/{database}"
    told = CliRunner().invoke(main, ["connector", "check", "--source", source])
    assert told.exit_code == 0, told.output
    assert [line.split()[:6] for line in told.stdout.splitlines() if "✓" in line] == [
        ["shop", "customers", "3", "columns", "3", "rows"],
        ["shop", "orders", "5", "columns", "4", "rows"],
    ]
    with psycopg.connect(
        host="127.0.0.1", port=postgresql.port, user="bi_reader", password=READER, dbname=database
    ) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM orders")
        connection.rollback()
        connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM orders")
        connection.rollback()
