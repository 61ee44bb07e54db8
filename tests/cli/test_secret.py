"""`bi-mcp secret`: the value comes from a pipe or an unseen prompt, and no command shows it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bi_mcp.base.secret import Secret
from bi_mcp.cli import main
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.server.processes import LIMIT_S, environment
from tests.vault.keyrings import Keyring, system_keyring

CANARY = "value-canary"


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NamedSecrets]:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "config"))
    with system_keyring(Keyring()):
        yield NamedSecrets(tmp_path / "config")


def ran(*arguments: str, piped: str | bytes = "") -> Result:
    result = CliRunner().invoke(main, ["secret", *arguments], input=piped)
    assert CANARY not in result.output
    return result


def test_a_piped_value_is_stored_for_its_hosts(stored: NamedSecrets) -> None:
    done = ran("set", "shop", "--for", "Shop.Example", "--for", "b.example:8443", piped=f"{CANARY}\n")
    assert done.output == (
        "Stored shop in the system keyring, for shop.example, b.example:8443.\n"
        'An assistant uses it as {"secret": "shop"}.\n'
    )
    shop = stored.known()["shop"]
    assert (shop.hosts, stored.value(shop)) == (("shop.example", "b.example:8443"), Secret(CANARY))
    again = ran(
        "set", "shop", "--for", "c.example", "--keep-in", "file", piped=f"two\n{CANARY}\r\n\r\n".encode()
    )
    assert again.output.startswith("Replaced shop in the private file, for c.example.")
    assert stored.value(stored.known()["shop"]) == Secret(f"two\n{CANARY}\r\n")


@pytest.mark.parametrize(
    ("arguments", "piped", "said"),
    [
        (("set", "shop"), CANARY, "--for"),
        (("set", "shop", CANARY, "--for", "a.example"), "", "unexpected extra argument"),
        (("set", "Shop", "--for", "a.example"), CANARY, "A secret's name begins with"),
        (("set", "shop", "--for", "*.example"), CANARY, "exact name of one host"),
        (("set", "shop", "--for", "a.example/check"), CANARY, "without a path"),
        (("set", "shop", "--for", "a.example"), "", "The value is empty"),
        (("set", "shop", "--for", "a.example"), CANARY.encode() + b"\xff", "not UTF-8 text"),
        (("set", "shop", "--for", "a.example"), "x" * 70_000, "larger than"),
        (("remove", "shop"), "", "Stored: none"),
    ],
)
def test_what_cannot_be_stored_is_told_and_nothing_is_kept(
    stored: NamedSecrets, arguments: tuple[str, ...], piped: str | bytes, said: str
) -> None:
    result = CliRunner().invoke(main, ["secret", *arguments], input=piped)
    assert result.exit_code != 0
    assert said in result.output
    assert stored.known() == {}


def test_the_list_shows_names_hosts_and_moments_and_no_values(stored: NamedSecrets) -> None:
    assert ran("list").output == ("No secrets are stored. `bi-mcp secret set NAME --for HOST` stores one.\n")
    assert json.loads(ran("list", "--json").output) == {"secrets": []}
    ran("set", "shop", "--for", "b.example", "--for", "a.example", piped=CANARY)
    ran("set", "api", "--for", "http://c.example", "--keep-in", "file", piped=CANARY)
    moments = {name: secret.set_at for name, secret in stored.known().items()}
    assert ran("list").output.splitlines() == [
        f"api   for http://c.example  set {moments['api']}, kept in file",
        f"shop  for b.example, a.example  set {moments['shop']}, kept in keyring",
    ]
    assert json.loads(ran("list", "--json").output)["secrets"][1] == {
        "name": "shop",
        "hosts": ["b.example", "a.example"],
        "set": moments["shop"],
        "keptIn": "keyring",
    }


def test_a_removed_secret_is_gone_and_its_former_value_remembered_until_it_is_forgotten(
    stored: NamedSecrets,
) -> None:
    ran("set", "shop", "--for", "a.example", piped=CANARY)
    removed = ran("remove", "shop").output
    assert removed.startswith("The secret shop was deleted from this machine.")
    assert "`bi-mcp secret forget-former shop`" in removed
    assert stored.known() == {}
    assert "by their fingerprints: shop (1)." in ran("list").output
    [former] = json.loads(ran("list", "--json").output)["former"]
    assert (former["name"], former["hosts"]) == ("shop", ["a.example"])
    assert "Former values of shop are forgotten." in ran("forget-former", "shop").output
    assert "former" not in json.loads(ran("list", "--json").output)
    again = ran("forget-former", "shop")
    assert again.exit_code == 1
    assert "No former value of shop is remembered. Choose from: none." in again.output


@pytest.mark.parametrize(("second", "code"), [(CANARY, 0), ("another", 1)])
def test_a_person_types_the_value_twice_and_it_is_not_shown(
    tmp_path: Path, stored: NamedSecrets, second: str, code: int
) -> None:
    terminal, other_end = pty.openpty()
    command = [sys.executable, "-m", "bi_mcp", "secret", "set", "shop", "--for", "a.example"]
    variables = environment(tmp_path) | {"BI_MCP_CONFIG_DIR": str(stored.folder)}
    with subprocess.Popen(  # noqa: S603  our own command
        [*command, "--keep-in", "file"],
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        env=variables,
        start_new_session=True,
    ) as process:
        os.close(other_end)
        screen = _until(terminal, "(not shown):")
        os.write(terminal, f"{CANARY}\n".encode())
        screen += _until(terminal, "again:")
        os.write(terminal, f"{second}\n".encode())
        if code:
            screen += _until(terminal, "(not shown):")
            process.kill()
        screen += _until(terminal, None)
        process.wait(LIMIT_S)
    os.close(terminal)
    assert CANARY not in screen
    assert ("shop" in stored.known()) is (code == 0)
    if not code:
        assert "Stored shop in the private file, for a.example." in screen
        assert stored.value(stored.known()["shop"]) == Secret(CANARY)


def _until(terminal: int, text: str | None) -> str:
    """What appears on the screen until the text, or all of it."""
    screen = ""
    while text is None or text not in screen:
        try:
            shown = os.read(terminal, 1024)
        except OSError:
            # Linux says so when the last process has closed the other end.
            return screen
        if not shown:
            return screen
        screen += shown.decode()
    return screen
