"""The file of several portals: what is read, and what each mistake is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.app.sign_in.portals_file import load_portals
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError

SECRET = "the-secret-of-an-application"
ACME = """
[[portals]]
url = "https://acme.bitrix24.com/"
title = "Acme"
client_id = "local.1"
client_secret = {file = "acme"}
users = [1, 12]
departments = [5]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "acme").write_text(f"{SECRET}\n")
    file = folder / "portals.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_portals_and_their_applications_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETA_SECRET", "another-secret")
    beta = '[[portals]]\nurl = "https://beta.example:8443"\nclient_id = "app.2"\nclient_secret = {env = "BETA_SECRET"}'
    acme, other = load_portals(write(tmp_path, f"{ACME}\n{beta}"))
    assert (acme.url, acme.host, acme.shown_title) == (
        "https://acme.bitrix24.com",
        "acme.bitrix24.com",
        "Acme",
    )
    assert (acme.client_secret, sorted(acme.users), sorted(acme.departments)) == (
        Secret(SECRET),
        [1, 12],
        [5],
    )
    assert (other.shown_title, other.client_secret) == ("beta.example:8443", Secret("another-secret"))
    assert (other.users, other.departments) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("portals = [", "is not TOML"),
        ("", r"portals: is missing\."),
        ("portals = []", r"has no portal. Add a table \[\[portals\]\]"),
        (
            ACME.replace("url =", "address ="),
            r"portals\[0\].address: is not known here; portals\[0\].url: is missing|portals\[0\].url: is missing; portals\[0\].address: is not known here",
        ),
        (
            ACME.replace('{file = "acme"}', f'"{SECRET}"'),
            r"portals\[0\].client_secret: takes one of .*never the secret",
        ),
        (ACME.replace('{file = "acme"}', "{}"), "takes one of"),
        (ACME.replace('"acme"', '"nowhere"'), "client_secret.file names a file that cannot be read"),
        (
            ACME.replace('{file = "acme"}', '{env = "NO_SUCH_SECRET"}'),
            "set the variable NO_SUCH_SECRET",
        ),
        (ACME.replace("https://acme.bitrix24.com/", "http://acme.bitrix24.com"), "by its address alone"),
        (ACME.replace("https://acme", f"https://{SECRET}@acme"), "by its address alone"),
        (ACME.replace("bitrix24.com/", "bitrix24.com/crm"), "by its address alone"),
        (ACME.replace("https://acme.bitrix24.com/", "https://[1"), "by its address alone"),
        (
            ACME.replace("users = [1, 12]", "users = [0]"),
            r"portals\[0\].users\[0\]: takes ids, such as \[1, 12\]",
        ),
        (ACME.replace("users = [1, 12]", 'users = ["1"]'), r"portals\[0\].users\[0\]: takes ids"),
        ('portals = "acme"', r"portals: takes tables \[\[portals\]\]"),
        (ACME.replace('"Acme"', "5"), r"portals\[0\].title: takes a text in quotes"),
        (ACME.replace('client_id = "local.1"', 'client_id = ""'), "is not known. Register one"),
        (ACME + ACME, "acme.bitrix24.com: named twice"),
        # One portal, whatever it is called: a person would be two people there.
        (ACME + ACME.replace("https://acme", "https://ACME"), "acme.bitrix24.com: named twice"),
    ],
)
def test_each_mistake_is_named_without_the_secret(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        load_portals(write(tmp_path, text))
    assert SECRET not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_portals(tmp_path / "portals.toml")
