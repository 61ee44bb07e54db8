"""Addresses of sources: passwords are put in last, and never shown."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

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
        ("mysql://bi:s3c@db/x", True, True, "mysql://bi@db/x", "db"),
        ("mysql://bi:@db/x", True, True, "mysql://bi@db/x", "db"),
        ("postgresql://bi:pa/ssW0rd@host/db", True, True, "postgresql://bi@host/db", "host"),
        ("postgresql://bi:p?a#/s@host:1/db?x=y@z", True, True, "postgresql://bi@host:1/db", "host:1"),
        ("postgresql://bi@db/s@op?x=a@b", True, False, "postgresql://bi@db/s@op", "db"),
        ("sqlite:///a@b/c.db", True, False, "sqlite:///a@b/c.db", None),
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


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://bi:pa/ss@host/db",
        "postgresql://bi:pa?ss@host/db",
        "postgresql://bi:pa#ss@host/db",
        "mysql://bi:s3@c@db/x",
        "postgresql://db:5432/shop?user=a@b",
        "postgresql://bi@good#.example/db",
    ],
)
def test_an_address_that_can_be_misread_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(ConfigError, match="%40 %3A %2F") as refused:
        with_password(address, None)
    assert address not in str(refused.value)
    assert "s3" not in show_address(address)
    assert "pa" not in show_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://bi@db:5432/shop",
        "mysql://bi:s%40c@[::1]:3306/x?charset=utf8",
        "postgresql://bi:pa/ssW0rd@host/db",
        "sqlite:///a@b/c.db",
        "postgresql://bi@db/s@op?x=a@b",
        "oracle://db:1521",
    ],
)
def test_an_address_is_read_as_sqlalchemy_reads_it(address: str) -> None:
    url = make_url(address)
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
    assert find_host(address) == (f"{host}:{url.port}" if url.port else host or None)
    assert has_password(address) == (url.password is not None)
