"""Addresses of sources: passwords are put in last, and never shown."""

from __future__ import annotations

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.addresses import (
    find_driver,
    find_host,
    has_password,
    is_database,
    show_address,
    takes_password,
    with_password,
)
from bi_mcp.errors import ConfigError


@pytest.mark.parametrize(
    ("address", "database", "password", "shown", "host"),
    [
        ("postgresql://bi@db:5432/shop", True, False, "postgresql://bi@db:5432/shop", "db:5432"),
        ("mysql://bi:s3@c@db/x", True, True, "mysql://bi@db/x", "db"),
        ("mysql://db/x?password=s", True, True, "mysql://db/x", "db"),
        ("sqlite:///a/b.db", True, False, "sqlite:///a/b.db", None),
        ("./exports", False, False, "./exports", None),
        ("C:/exports", False, False, "C:/exports", None),
        ("a:b@c.csv", False, False, "a:b@c.csv", None),
    ],
)
def test_an_address_is_read(
    address: str, database: bool, password: bool, shown: str, host: str | None
) -> None:
    assert (is_database(address), has_password(address)) == (database, password)
    assert (show_address(address), find_host(address)) == (shown, host)


def test_a_password_is_written_so_that_it_is_one() -> None:
    assert with_password("mysql://bi@db/x", Secret("a@b/c:d?e#f")) == Secret(
        "mysql://bi:a%40b%2Fc%3Ad%3Fe%23f@db/x"
    )
    assert with_password("mysql://db/x", Secret("p")) == Secret("mysql://:p@db/x")


def test_a_file_takes_no_password() -> None:
    assert not takes_password("sqlite:///shop.sqlite3")
    with pytest.raises(ConfigError, match="for files"):
        with_password("sqlite:///shop.sqlite3", Secret("p"))


def test_a_driver_in_an_address_is_found() -> None:
    assert find_driver("postgresql+asyncpg://h/shop") == ("postgresql", "asyncpg")
    assert find_driver("postgresql://a+b:c@h/shop") is None
