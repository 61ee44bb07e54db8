"""Access by keys, of which only hashes are kept."""

from __future__ import annotations

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.access import Served
from bi_mcp.connector.access.keys import AccessKey, key_from, make_key, read_hash, write_hash
from bi_mcp.connector.access.named import NamedAccess
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.errors import ConfigError
from tests.connector.service.memory import MemorySource

OLD, NEW, ONE = (
    Secret("old-key-of-all-sources"),
    Secret("new-key-of-all-sources"),
    Secret("key-of-one-source"),
)


@pytest.fixture(scope="module")
def access() -> NamedAccess:
    sources = {name: Served(name, MemorySource({})) for name in ("shop", "crm")}
    keys = [key_from(OLD, ""), key_from(NEW, ""), key_from(ONE, "", frozenset({"crm"}))]
    return NamedAccess(sources, keys)


@pytest.mark.parametrize(
    ("source", "key", "opens"),
    [
        ("shop", OLD, True),
        ("shop", NEW, True),
        ("crm", NEW, True),
        ("crm", ONE, True),
        (" crm ", ONE, True),
        ("shop", ONE, False),
        ("CRM", ONE, False),
        ("", NEW, False),
        ("shop", Secret("old-key-of-all-source"), False),
        ("shop", Secret("é\ud800"), False),
        ("shop", Secret(""), False),
    ],
)
def test_a_key_opens_its_sources(access: NamedAccess, source: str, key: Secret, opens: bool) -> None:
    connection = {"source": source, "key": key.reveal()}
    if opens:
        assert access.identify(dict(connection)).name == source.strip()
        return
    with pytest.raises(RefusalError) as refused:
        access.identify(dict(connection))
    assert refused.value.status == 401


def test_without_keys_nothing_is_open() -> None:
    with pytest.raises(RefusalError):
        NamedAccess({"shop": Served("shop", MemorySource({}))}, []).identify(
            {"source": "shop", "key": "x" * 20}
        )


def test_a_made_key_is_kept_as_its_hash() -> None:
    key = make_key()
    assert len(key.reveal()) == 32
    assert key.reveal() not in write_hash(key)
    assert key_from(key, "") == AccessKey(read_hash(write_hash(key)))
    assert make_key() != key


def test_a_hash_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits") as refused:
        read_hash("canary-key-in-the-place-of-its-hash")
    assert "canary" not in str(refused.value)


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="BI_MCP_CONNECTOR_KEY is too short") as refused:
        key_from(Secret("canary"), "BI_MCP_CONNECTOR_KEY")
    assert "canary" not in str(refused.value)
