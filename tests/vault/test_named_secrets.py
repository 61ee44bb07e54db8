"""Secrets under names: values come back only to whom they belong, bindings are exact, and no text holds a value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keyring.backends import null
from keyring.errors import KeyringLocked

from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError, EndpointError
from bi_mcp.vault.destinations import destination, parse_host
from bi_mcp.vault.keyring import Keeper
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES, NamedSecrets
from bi_mcp.vault.secret_index import NamedSecret
from tests.door import at_server
from tests.vault.keyrings import BrokenKeyring, Keyring, Trouble, system_keyring

CANARY = "value-canary"
NOW = datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC)


@pytest.fixture
def stored(tmp_path: Path) -> NamedSecrets:
    return NamedSecrets(tmp_path / "config", lambda: NOW)


def store(
    stored: NamedSecrets, name: str = "shop", value: str = CANARY, *hosts: str, keeper: Keeper = "file"
) -> NamedSecret:
    stored.store(name, Secret(value), hosts or ("shop.example",), keeper)
    return stored.known()[name]


def refusal(stored: NamedSecrets, name: str = "shop", value: str = CANARY, *hosts: str) -> str:
    with pytest.raises(ConfigError) as refused:
        stored.store(name, Secret(value), hosts, "file")
    assert CANARY not in f"{refused.value!r}"
    return str(refused.value)


def test_a_secret_comes_back_with_its_hosts_and_its_moment(stored: NamedSecrets, keeper: Keeper) -> None:
    assert stored.known() == {}
    shop = store(stored, "shop", " two\nlines пароль ", "shop.example", "b.example", keeper=keeper)
    assert shop == NamedSecret(
        name="shop",
        hosts=("shop.example", "b.example"),
        keeper=keeper,
        set_at="2026-03-01T12:30:15+00:00",
        fingerprint=shop.fingerprint,
    )
    assert stored.value(shop) == Secret(" two\nlines пароль ")
    assert NamedSecrets(stored.folder).known() == {"shop": shop}


def test_the_index_holds_no_value_and_files_are_their_owners(stored: NamedSecrets, keeper: Keeper) -> None:
    store(stored, keeper=keeper)
    assert CANARY not in (stored.folder / "secrets.json").read_text()
    values = stored.folder / "secret-values.json"
    assert values.exists() is (keeper == "file")
    for file in stored.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0
    assert stored.folder.stat().st_mode & 0o077 == 0


def test_a_new_value_takes_the_place_of_the_old_one_wherever_it_was_kept(
    stored: NamedSecrets, keyring: Keyring
) -> None:
    store(stored, "shop", "old-canary", keeper="keyring")
    assert "old-canary" in keyring.entries.values()
    shop = store(stored, "shop", CANARY, "other.example", keeper="file")
    assert (shop.hosts, stored.value(shop)) == (("other.example",), Secret(CANARY))
    assert "old-canary" not in keyring.entries.values()


def test_a_removed_secret_is_gone_and_others_stay(stored: NamedSecrets, keeper: Keeper) -> None:
    store(stored, "shop", keeper=keeper)
    other = store(stored, "other", "another", keeper=keeper)
    stored.remove("shop")
    assert list(stored.known()) == ["other"]
    assert stored.value(other) == Secret("another")
    with pytest.raises(ConfigError, match=r"Stored: other\."):
        stored.remove("shop")


def test_without_a_keyring_the_value_is_in_a_private_file(stored: NamedSecrets, keyring: Keyring) -> None:
    stored.store("one", Secret(CANARY), ["a.example"])
    assert stored.known()["one"].keeper == "keyring"
    assert [value for value in keyring.entries.values() if value == CANARY] == [CANARY]
    with system_keyring(null.Keyring()):  # type: ignore[no-untyped-call]  # keyring's has no annotations
        stored.store("two", Secret(CANARY), ["a.example"])
        assert stored.known()["two"].keeper == "file"
        with pytest.raises(ConfigError, match="which this process cannot reach"):
            stored.value(stored.known()["one"])


def test_folders_do_not_share_a_keyrings_entries(tmp_path: Path, keyring: Keyring) -> None:
    one, two = NamedSecrets(tmp_path / "one"), NamedSecrets(tmp_path / "two")
    store(one, value="first", keeper="keyring")
    store(two, value="second", keeper="keyring")
    assert len({service for service, _ in keyring.entries}) == 2
    assert one.value(one.known()["shop"]) == Secret("first")


def test_a_keyring_that_refuses_is_told_without_what_it_says(stored: NamedSecrets, keyring: Keyring) -> None:
    shop = store(stored, keeper="keyring")
    keyring.locked = True
    with pytest.raises(ConfigError, match=r"shop \(KeyringLocked\)") as refused:
        stored.value(shop)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("trouble", ["raises", "exits", "no text"])
def test_a_keyring_in_trouble_is_told_with_advice_whatever_it_is_asked(
    stored: NamedSecrets, trouble: Trouble
) -> None:
    shop = store(stored, keeper="keyring")
    with system_keyring(BrokenKeyring(trouble)):
        for ask in (
            lambda: stored.value(shop),
            lambda: stored.store("shop", Secret(CANARY), ["shop.example"], "keyring"),
            lambda: store(stored, "new", keeper="keyring"),
            lambda: stored.remove("shop"),
        ):
            with pytest.raises(ConfigError, match=r"Unlock it, or store the secret with") as refused:
                ask()
            assert "canary" not in str(refused.value)


def test_a_locked_keyring_changes_nothing(stored: NamedSecrets, keyring: Keyring) -> None:
    shop = store(stored, "shop", "old", "old.example", keeper="keyring")
    keyring.locked = True
    with pytest.raises(ConfigError):
        stored.store("shop", Secret(CANARY), ["new.example"], "keyring")
    keyring.locked = False
    assert stored.known() == {"shop": shop}
    assert stored.value(shop) == Secret("old")


def test_a_change_that_is_refused_leaves_the_old_secret(
    stored: NamedSecrets, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store(stored, "shop", "old", "old.example", keeper="keyring")

    def refuse(service: str, username: str, password: str) -> None:
        raise KeyringLocked

    monkeypatch.setattr(keyring, "set_password", refuse)
    with pytest.raises(ConfigError):
        stored.store("shop", Secret(CANARY), ["new.example"], "keyring")
    monkeypatch.undo()
    assert stored.known() == {"shop": shop}
    assert stored.value(shop) == Secret("old")


def test_a_change_that_breaks_off_leaves_no_value_under_the_old_binding(
    stored: NamedSecrets, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(stored, "shop", "old", "old.example", keeper="keyring")
    take = keyring.set_password

    def take_and_fail(service: str, username: str, password: str) -> None:
        take(service, username, password)
        raise KeyringLocked

    monkeypatch.setattr(keyring, "set_password", take_and_fail)
    with pytest.raises(ConfigError):
        stored.store("shop", Secret(CANARY), ["new.example"], "keyring")
    monkeypatch.undo()
    assert "shop" not in stored.known()
    assert store(stored, "shop", CANARY, "new.example", keeper="keyring").hosts == ("new.example",)


def test_a_new_value_for_which_there_is_no_room_leaves_the_old_secret(stored: NamedSecrets) -> None:
    resource = pytest.importorskip("resource", reason="Windows does not bound what a process writes")
    shop = store(stored, "shop", "old", "old.example", keeper="file")
    bounds = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The index finds room, the value does not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, bounds[1]))
    try:
        with pytest.raises(ConfigError, match="File too large"):
            stored.store("shop", Secret("new" * 1500), ["new.example"], "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bounds)
    assert stored.known() == {"shop": shop}
    assert stored.value(shop) == Secret("old")


def test_a_new_value_is_not_given_out_under_the_binding_of_the_old_one(
    stored: NamedSecrets, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store(stored, "shop", "old", "old.example", keeper="keyring")
    get = keyring.get_password

    def changed_first(service: str, username: str) -> str | None:
        monkeypatch.undo()
        store(stored, "shop", CANARY, "new.example", keeper="keyring")
        return get(service, username)

    monkeypatch.setattr(keyring, "get_password", changed_first)
    with pytest.raises(ConfigError, match="was changed at this very moment"):
        stored.value(shop)
    assert stored.value(stored.known()["shop"]) == Secret(CANARY)


def test_a_value_that_someone_took_away_is_missed_by_name(stored: NamedSecrets, keyring: Keyring) -> None:
    shop = store(stored, keeper="keyring")
    keyring.entries.clear()
    with pytest.raises(ConfigError, match="no longer where it was kept") as missed:
        stored.value(shop)
    assert "`bi-mcp secret set shop --for shop.example`" in at_server(missed.value)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"secrets": 5}', '{"secrets": {"shop": {}}}', '{"secrets": {"../x": {"for": ["a"]}}}',
     '{"secrets": {"shop": {"for": ["a"], "kept_in": "elsewhere", "set": ""}}}'],
)  # fmt: skip
def test_a_damaged_index_is_told_and_gives_nothing_out(stored: NamedSecrets, content: str) -> None:
    store(stored)
    (stored.folder / "secrets.json").write_text(content)
    with pytest.raises(ConfigError, match=r"is damaged\. Delete it and store the secrets again"):
        stored.known()


def test_an_index_of_a_newer_version_is_left_alone(stored: NamedSecrets) -> None:
    store(stored)
    index = stored.folder / "secrets.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"version": 2}))
    assert "newer bi-mcp" in refusal(stored, "shop", CANARY, "shop.example")


@pytest.mark.parametrize("name", ["", "Shop", "a b", "../a", "a.b", "-a", "ключ", "x" * 64, "shop\n"])
def test_what_is_no_name_is_refused_and_not_repeated(stored: NamedSecrets, name: str) -> None:
    text = refusal(stored, name, CANARY, "shop.example")
    assert "holds only a-z, 0-9, - and _" in text
    assert repr(name) not in text


def test_a_value_must_be_text_of_bearable_size_and_bound(stored: NamedSecrets) -> None:
    assert "is empty" in refusal(stored, "shop", "", "shop.example")
    assert f"larger than {MAX_VALUE_BYTES} bytes" in refusal(
        stored, "shop", "x" * (MAX_VALUE_BYTES + 1), "a.example"
    )
    assert "is not text" in refusal(stored, "shop", f"{CANARY}\0", "a.example")
    assert "Name one with --for" in refusal(stored)
    assert stored.known() == {}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://Shop.Example/check?x=1", "shop.example"),
        ("https://shop.example:443/", "shop.example"),
        ("https://shop.example.:8443/", "shop.example:8443"),
        ("http://shop.example/", "http://shop.example"),
        ("http://shop.example:8080/", "http://shop.example:8080"),
        ("https://магазин.рф/", "xn--80aaak6ahj3a.xn--p1ai"),
        ("https://ＳＨＯＰ。example/", "shop.example"),
        ("http://sample.localhost/check", "sample.localhost"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("http://0x7f.1:8080/", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://10.0.0.1/", "http://10.0.0.1"),
        ("https://localhost.example/", "localhost.example"),
        ("http://evil-localhost/", "http://evil-localhost"),
    ],
)
def test_a_destination_is_told_in_one_spelling(url: str, told: str) -> None:
    if "магазин" in url:
        told = "магазин.рф".encode("idna").decode()
    assert destination(url) == told
    assert parse_host(told) == told


@pytest.mark.parametrize(
    "url",
    ["https://shop.example@evil.example/", "https://evil.example\\@shop.example/", "https://shop.example:99999/",
     "https://*.example/", "ftp://shop.example/", "https:///", "https://shop.example\t.evil.example/", ""],
)  # fmt: skip
def test_an_address_that_readers_might_take_differently_is_no_destination(url: str) -> None:
    with pytest.raises(EndpointError):
        destination(url)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("shop.example:8443", "shop.example:8443"),
        ("https://shop.example/", "shop.example"),
        ("http://shop.example", "http://shop.example"),
        ("localhost:8080", "localhost:8080"),
        ("[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_user_writes_a_host_as_it_comes_to_mind(written: str, host: str) -> None:
    assert parse_host(written) == host


@pytest.mark.parametrize(
    "written",
    ["", "*.example", "*", "shop.example/check", "https://shop.example/check", "shop.example?x", "a@b.example",
     "shop.example,b.example", "shop example", "::1", "ftp://shop.example", ".example", "https://"],
)  # fmt: skip
def test_what_is_not_one_host_binds_nothing(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^--for takes"):
        parse_host(written)


def test_the_command_for_one_more_host_keeps_the_others_and_can_be_pasted() -> None:
    secret = NamedSecret(name="shop", hosts=("a.example",), keeper="file", set_at="")
    advice = secret.advise_binding("b.example", "[::1]:80", "a.example")
    assert advice.facts["arguments"] == "shop --for a.example --for b.example --for '[::1]:80'"
