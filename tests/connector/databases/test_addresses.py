from __future__ import annotations

import importlib.util

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.databases.addresses import compose_address, parse_address
from bi_mcp.connector.databases.dialects import DIALECTS
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
