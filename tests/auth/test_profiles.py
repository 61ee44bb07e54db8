from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from bi_mcp.auth.profiles import Profile, Profiles, change_profiles, load_profiles
from bi_mcp.errors import ConfigError

ACME = Profile(
    name="acme",
    portal_url="https://acme.bitrix24.com",
    client_id="local.1",
    oauth_server="https://oauth.bitrix24.tech",
    keeper="keyring",
)
HOOK = Profile(name="hook", portal_url="https://hook.example", kind="webhook")


def test_without_a_file_there_are_no_profiles(tmp_path: Path) -> None:
    assert load_profiles(tmp_path / "nowhere") == Profiles()
    with pytest.raises(ConfigError, match="There are no profiles yet"):
        load_profiles(tmp_path).choose()


def test_profiles_come_back_as_they_were_kept(tmp_path: Path) -> None:
    made = change_profiles(tmp_path, lambda known: known.with_profile(ACME).with_profile(HOOK))
    changed = change_profiles(tmp_path, lambda known: known.with_lock("hook", read_only=True))
    assert load_profiles(tmp_path) == changed == made.with_lock("hook", read_only=True)
    assert load_profiles(tmp_path).choose("hook").read_only


def test_the_first_profile_is_the_default_until_another_is_chosen() -> None:
    known = Profiles().with_profile(ACME).with_profile(HOOK)
    assert known.choose() == ACME
    assert known.choose("hook") == HOOK
    assert known.with_default("hook").choose() == HOOK


def test_a_profile_that_is_not_there_is_told_with_those_that_are() -> None:
    known = Profiles().with_profile(HOOK).with_profile(ACME)
    for wrong in (partial(known.choose, "amce"), partial(known.with_default, "amce")):
        with pytest.raises(ConfigError, match=r"^No profile 'amce'\. Profiles: acme, hook\.$"):
            wrong()


def test_after_a_removal_the_last_one_is_the_default_and_of_several_none() -> None:
    known = Profiles().with_profile(ACME).with_profile(HOOK)
    assert known.without("hook").choose() == ACME
    assert known.without("acme").choose() == HOOK
    third = known.with_profile(Profile(name="third", portal_url="https://third.example"))
    with pytest.raises(
        ConfigError, match=r"There is no default profile\. Profiles: hook, third\. Choose one"
    ):
        third.without("acme").choose()
    assert known.without("acme").without("hook") == Profiles()


def test_a_new_login_keeps_the_lock_and_never_takes_another_portals_name() -> None:
    known = Profiles().with_profile(ACME).with_lock("acme", read_only=True)
    assert known.with_profile(ACME).choose("acme").read_only
    with pytest.raises(ConfigError, match=r"belongs to https://acme\.bitrix24\.com\. Choose another name"):
        known.with_profile(Profile(name="acme", portal_url="https://other.example"))


@pytest.mark.parametrize(
    ("portal_url", "name"),
    [
        ("https://acme.bitrix24.com", "acme"),
        ("https://beta.bitrix24.com", "beta"),
        ("https://hook.bitrix24.com", "hook-bitrix24-com"),
        ("https://UMLAUT_x.example:8443", "umlaut_x"),
        ("http://127.0.0.1:8770", "local"),
        ("http://[::1]:8770", "local"),
        ("http://localhost:8770", "local"),
        ("https://пример.example", "portal"),
    ],
)
def test_a_portals_own_name_is_suggested(portal_url: str, name: str) -> None:
    known = Profiles().with_profile(ACME).with_profile(HOOK)
    assert known.new_name(portal_url) == name
    Profiles().check_free(name, portal_url)


@pytest.mark.parametrize("name", ["", "../acme", "a/b", "Acme", "-a", "a" * 64, "a b", "a.json", "é"])
def test_a_name_that_could_be_no_file_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="begins with a small letter"):
        Profiles().with_profile(Profile(name=name, portal_url="https://x.example")).check_free(name, "")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"profiles": []}, "damaged"),
        ({"profiles": {"a": {}}}, "damaged"),
        ({"profiles": {"a": {"portal": "https://a", "kind": "password"}}}, "damaged"),
        ({"profiles": {"../a": {"portal": "https://a", "kind": "oauth"}}}, "begins with"),
        ({"version": 2}, "newer bi-mcp"),
    ],
)
def test_a_file_that_is_not_ours_is_told(tmp_path: Path, content: object, text: str) -> None:
    (tmp_path / "profiles.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=text):
        load_profiles(tmp_path)


@pytest.mark.parametrize("written", ["true", '"yes"', "1", "null", '"false"'])
def test_a_lock_that_someone_wrote_by_hand_is_a_lock(tmp_path: Path, written: str) -> None:
    profile = f'{{"portal": "https://a", "kind": "oauth", "read_only": {written}}}'
    (tmp_path / "profiles.json").write_text(f'{{"profiles": {{"a": {profile}}}}}')
    assert load_profiles(tmp_path).by_name["a"].read_only


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    def add(number: int) -> None:
        one = Profile(name=f"p{number}", portal_url=f"https://p{number}.example")
        change_profiles(tmp_path, lambda known: known.with_profile(one))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(16)))
    assert len(load_profiles(tmp_path).by_name) == 16


def test_no_secret_has_a_place_in_the_file(tmp_path: Path) -> None:
    change_profiles(tmp_path, lambda known: known.with_profile(ACME))
    [kept] = json.loads((tmp_path / "profiles.json").read_text())["profiles"].values()
    assert set(kept) == {"portal", "kind", "client_id", "oauth_server", "kept_in", "read_only", "allow_private_addresses", "member_id"}  # fmt: skip


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="set BI_MCP_CONFIG_DIR"):
        change_profiles(tmp_path / "file", lambda known: known)
