"""A value that was stored once stays bound after it was replaced or removed, and is recognised by a fingerprint only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError, SecretReferenceError
from bi_mcp.rest.models import Source
from bi_mcp.vault.fingerprints import KEY_NAME, make_key
from bi_mcp.vault.keyring import Keeper
from bi_mcp.vault.known_values import known_values
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.secret_index import MOST_FORMER, MOST_FORMER_OF_ONE, NamedSecret, SecretIndex
from bi_mcp.vault.setting_values import SettingValues
from bi_mcp.vault.stored_values import stored_values
from bi_mcp.vault.travel import find_travel
from tests.door import at_server
from tests.vault.keyrings import Keyring

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
HOME, AWAY = "https://home.example/data", "https://away.example/data"
FORMER = "former-canary"


@pytest.fixture
def stored(tmp_path: Path) -> NamedSecrets:
    return NamedSecrets(tmp_path / "config", lambda: NOW)


def owners(stored: NamedSecrets, value: str) -> list[tuple[str, tuple[str, ...], bool]]:
    found = stored_values(stored).owners(Secret(value))
    return [(secret.name, secret.hosts, bool(secret.replaced_at)) for secret in found]


def may_hold(stored: NamedSecrets, value: str) -> bool:
    values = SettingValues(lambda _: None, None, allow_literal_secrets=False, named=stored)
    return known_values(values).may_hold(Secret(value))


def moved(stored: NamedSecrets, value: str) -> list[str]:
    source = Source.model_validate({"id": 1, "title": "Shop", "settings": {"password": value}})
    return find_travel(stored, [source], [HOME], [AWAY])


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "removed"])
def test_a_former_value_stays_bound_and_hidden(
    stored: NamedSecrets, keeper: Keeper, *, replaced: bool
) -> None:
    stored.store("shop", Secret(FORMER), ["home.example"], keeper)
    if replaced:
        stored.store("shop", Secret("present"), ["home.example", "away.example"], keeper)
    else:
        stored.remove("shop")
    assert owners(stored, f" {FORMER}\n") == [("shop", ("home.example",), True)]
    assert may_hold(stored, FORMER)
    assert not may_hold(stored, "something else")
    assert moved(stored, "something else") == []
    with pytest.raises(SecretReferenceError, match="a former value of the secret shop") as refused:
        moved(stored, FORMER)
    assert "which was bound to home.example and would be sent to away.example" in str(refused.value)
    assert "`bi-mcp secret forget-former shop`" in at_server(refused.value)
    assert FORMER not in str(refused.value)


def test_a_former_value_goes_where_it_was_bound_to_and_that_is_said(stored: NamedSecrets) -> None:
    stored.store("shop", Secret(FORMER), ["home.example", "away.example"], "file")
    stored.remove("shop")
    [told] = moved(stored, FORMER)
    assert told.startswith("A former value of the secret shop, which source 1")


def test_a_value_that_is_stored_again_is_bound_as_it_is_now(stored: NamedSecrets, keyring: Keyring) -> None:
    """Wherever the two were kept, and after it has become a former one once more."""
    stored.store("shop", Secret(FORMER), ["home.example"], "keyring")
    stored.store("shop", Secret("other"), ["home.example"], "file")
    stored.store("again", Secret(FORMER), ["away.example"], "file")
    assert owners(stored, FORMER) == [("again", ("away.example",), False)]
    stored.remove("again")
    assert owners(stored, FORMER) == [("again", ("away.example",), True)]


def test_what_is_kept_of_a_former_value_does_not_tell_it(stored: NamedSecrets, keeper: Keeper) -> None:
    stored.store("shop", Secret(FORMER), ["home.example"], keeper)
    stored.remove("shop")
    kept = "".join(file.read_text() for file in stored.folder.iterdir())
    assert FORMER not in kept
    [former] = stored.index().former
    # Without the key nobody can try passwords: another key makes other fingerprints of the same value.
    assert make_key().fingerprint(Secret(FORMER)) != former.fingerprint
    assert (KEY_NAME in kept) is (keeper == "file")
    assert former.fingerprint not in repr(former)


def test_forgetting_lets_former_values_of_one_secret_go(stored: NamedSecrets) -> None:
    for name in ("shop", "other"):
        stored.store(name, Secret(f"{FORMER}-{name}"), ["home.example"], "file")
        stored.remove(name)
    stored.forget_former(["shop"])
    assert owners(stored, f"{FORMER}-shop") == []
    assert owners(stored, f"{FORMER}-other") != []
    with pytest.raises(ConfigError, match=r"of shop is remembered\. Choose from: other\."):
        stored.forget_former(["shop"])


def test_a_name_that_could_be_a_secret_is_not_repeated(stored: NamedSecrets) -> None:
    with pytest.raises(ConfigError, match="holds only a-z") as refused:
        stored.forget_former(["Value.Canary"])
    assert "Canary" not in str(refused.value)


def test_without_their_key_former_values_may_be_any_until_they_are_forgotten(
    stored: NamedSecrets, keyring: Keyring
) -> None:
    stored.store("shop", Secret(FORMER), ["home.example"], "keyring")
    stored.remove("shop")
    keyring.entries.clear()
    for _ in range(2):
        assert may_hold(stored, "anything")
        with pytest.raises(ConfigError, match=r"of shop can no longer be recognised.* forget them \(shop\)"):
            moved(stored, "anything")
        # A new key for a new secret recognises the former values of the old key as little.
        stored.store("new", Secret("present"), ["home.example"], "keyring")
    stored.forget_former(["shop"])
    assert moved(stored, "anything") == []
    assert not may_hold(stored, "anything")


def test_an_index_of_an_older_version_is_read_and_its_values_are_remembered_when_they_change(
    stored: NamedSecrets, keeper: Keeper
) -> None:
    stored.store("shop", Secret(FORMER), ["home.example"], keeper)
    index = stored.folder / "secrets.json"
    document = json.loads(index.read_text())
    del document["secrets"]["shop"]["fingerprint"]
    index.write_text(json.dumps(document))
    assert stored.value(stored.known()["shop"]) == Secret(FORMER)
    stored.store("shop", Secret("present"), ["home.example"], keeper)
    assert owners(stored, FORMER) == [("shop", ("home.example",), True)]


def test_the_oldest_former_values_are_forgotten_first() -> None:
    index = SecretIndex()

    def retire(name: str, fingerprint: str) -> None:
        index.known[name] = NamedSecret(name=name, hosts=("home.example",), keeper="file", set_at="")
        index.retire(name, fingerprint, "now")

    retire("other", "kept")
    for number in range(MOST_FORMER_OF_ONE + 1):
        retire("shop", str(number))
    kept = [secret.fingerprint for secret in index.former]
    assert kept == ["kept", *map(str, range(1, MOST_FORMER_OF_ONE + 1))]
    for number in range(MOST_FORMER):
        retire(f"secret-{number}", f"of {number}")
    assert len(index.former) == MOST_FORMER
    assert index.former[0].fingerprint == "of 0"
