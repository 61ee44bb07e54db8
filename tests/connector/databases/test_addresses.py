from __future__ import annotations

import importlib.util

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.databases.addresses import compose_address, parse_address
from bi_mcp.connector.databases.dialects import DIALECTS
from bi_mcp.connector.opening import open_source
from bi_mcp.connector.options import SourceOptions
from bi_mcp.errors import ConfigError


@pytest.mark.parametrize("scheme", sorted(DIALECTS))
def test_every_kind_of_database_has_its_driver(scheme: str) -> None:
    host = "/shop.sqlite" if scheme == "sqlite" else "bi:word@db.internal/shop"
    target = parse_address(Secret(f"{scheme}://{host}"))
    assert target.url.drivername == DIALECTS[scheme].engine
    open_database(Secret(f"{scheme}://{host}"), SourceOptions()).close()


def test_a_driver_in_the_address_does_not_matter() -> None:
    assert parse_address(Secret("postgresql+psycopg2://bi@h/shop")).url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("scheme", [scheme for scheme in DIALECTS if scheme != "sqlite"])
def test_a_missing_driver_is_named_with_the_command(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError) as refusal:
        open_database(Secret(f"{scheme}://bi:s3cr3t@h/shop"), SourceOptions())
    assert f"uv tool install 'bitrix24-bi-mcp[{DIALECTS[scheme].extra}]', or pip" in str(refusal.value)
    assert f"pip install 'bitrix24-bi-mcp[{DIALECTS[scheme].extra}]'" in str(refusal.value)
    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "shop",
        "bi:s3cr3t@h/shop",
        "postgresql://bi:s3cr3t@h:port/shop",
        "firebird://bi:s3cr3t@h/shop",
        "://",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        open_database(Secret(address), SourceOptions())
    assert "s3cr3t" not in str(refusal.value)


def test_parts_become_an_address_and_stay_what_they_are() -> None:
    address = compose_address(
        "postgresql",
        host="db.internal",
        port=5433,
        database="a/b?sslmode=disable",
        login="bi@x",
        password=Secret("p@:/w#"),
    )
    url = parse_address(address).url
    assert (url.host, url.port, url.username, url.password) == ("db.internal", 5433, "bi@x", "p@:/w#")
    assert url.database == "a/b?sslmode=disable"
    assert not url.query


@pytest.mark.parametrize(
    "host",
    [
        "",
        "allowed,evil",
        "bi@evil",
        "evil/x",
        "/var/run",
        "evil?host=x",
        "a b",
        "evil:5432/",
        "[::1",
        "-x",
        "x\n",
    ],
)
def test_what_is_not_a_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="host"):
        compose_address("mysql", host=host, port=None, database="d", login="", password=Secret(""))


def test_only_databases_with_a_host_can_be_composed() -> None:
    for kind in ("sqlite", "postgresql://evil", ""):
        with pytest.raises(ConfigError, match="kind of database"):
            compose_address(kind, host="h", port=None, database="d", login="", password=Secret(""))


def test_a_numeric_host_of_either_kind_is_one() -> None:
    for host in ("10.0.0.1", "::1"):
        address = compose_address("mysql", host=host, port=1, database="d", login="l", password=Secret("p"))
        assert parse_address(address).url.host == host


@pytest.mark.parametrize("address", ["sqlite://db.sqlite3", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_file_of_sqlite_is_explained(address: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///shop\.sqlite3"):
        open_source(Secret(address), SourceOptions())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (":memory:", "sqlite:///shop.sqlite3"),
        ("sqlite:shop.sqlite3", "sqlite:///shop.sqlite3"),
        ("jdbc:postgresql://db/shop", "postgresql://login@host/database"),
        ("mysql:/bi@db/shop", "postgresql://login@host/database"),
    ],
)
def test_what_looks_like_a_database_is_not_taken_for_a_path(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_source(Secret(address), SourceOptions())


@pytest.mark.parametrize("kind", ["mariadb", "postgresql", "mssql"])
def test_an_unknown_option_of_an_address_is_named_without_its_value(kind: str) -> None:
    with pytest.raises(ConfigError, match="'foo'") as refusal:
        open_database(Secret(f"{kind}://bi@h/shop?foo=s3cr3t"), SourceOptions())
    assert "s3cr3t" not in str(refusal.value)


def test_an_option_of_the_driver_stays() -> None:
    for address in ("postgresql://bi@h/shop?sslmode=require", "mysql://bi@h/shop?ssl_ca=/ca.pem"):
        open_database(Secret(address), SourceOptions()).close()


def test_an_option_that_the_library_cannot_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="after the"):
        open_database(Secret("mysql://bi@h/shop?plugin=nothing&connect_timeout=x"), SourceOptions())


def test_a_slash_at_the_end_is_none_of_the_name() -> None:
    assert parse_address(Secret("mysql://bi@h/shop/")).url.database == "shop"


def test_a_name_that_the_driver_cannot_use_is_told() -> None:
    with pytest.raises(ConfigError, match="the name of the database"):
        open_database(Secret("oracle://bi:word@h/a(b"), SourceOptions())
