"""`bi-mcp install` and `uninstall`: a client's own file is changed as shown, or not at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from operator import methodcaller
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mcp import Client, StdioServerParameters

from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.cli import main
from bi_mcp.cli.clients.client_file import ClientFile
from bi_mcp.errors import ConfigError
from tests.server.processes import LIMIT_S, environment

CANARY = "other-servers-secret"
KEPT = f"""{{
  // servers of mine
  "mcpServers": {{
    "other": {{"command": "other", "env": {{"TOKEN": "{CANARY}"}}}}, // dear to me
  }},
}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("BI_MCP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert CANARY not in result.output
    return result


def written(path: Path, text: str = KEPT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def copies(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.glob(f"{path.name}.*"))


@pytest.mark.parametrize("client", ["claude-code", "cursor", "vscode", "claude-desktop"])
def test_what_to_do_next_is_told_in_russian(client: str) -> None:
    done = ran("--language", "ru", "install", client, "--yes")
    told = [line for line in done.output.splitlines() if line and line[0] not in "+-/"]
    assert done.exit_code == 0
    assert told
    assert all(re.search("[а-яё]", line) for line in told), told


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(home: Path) -> None:
    done = ran("install", "cursor", "--yes")
    path = home / ".cursor" / "mcp.json"
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{path}\n+ {{\n")
    entry = json.loads(path.read_text())["mcpServers"]["bi-mcp"]
    assert entry["args"][-1] == "serve"
    assert path.stat().st_mode & 0o777 == 0o600
    assert copies(path) == []


@pytest.mark.anyio
async def test_the_entry_starts_a_server(home: Path) -> None:
    ran("install", "claude-code", "--profile", "embedded", "--yes")
    entry = json.loads((home / ".mcp.json").read_text())["mcpServers"]["bi-mcp"]
    server = StdioServerParameters(
        command=entry["command"],
        args=entry["args"],
        env=environment(home, BI_MCP_PORTAL_DB=":memory:"),
    )
    async with Client(server) as client:
        assert not (await client.call_tool("connector_list", {})).is_error


def test_comments_other_servers_and_rights_stay_and_a_copy_is_kept(home: Path) -> None:
    path = written(home / ".cursor" / "mcp.json")
    path.chmod(0o640)
    done = ran("install", "cursor", "--yes")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(KEPT[: KEPT.index("\n  },")])
    assert text.endswith("\n    },\n  },\n}\n")
    assert path.stat().st_mode & 0o777 == 0o640
    copy = path.with_name("mcp.json.before-bi-mcp-1")
    assert copy.read_text(encoding="utf-8") == KEPT
    assert copy.stat().st_mode & 0o777 == 0o640
    assert f"The file as it was: {copy}" in done.output


def test_once_more_changes_nothing(home: Path) -> None:
    path = written(home / ".cursor" / "mcp.json")
    ran("install", "cursor", "--yes")
    before = path.read_bytes()
    again = ran("install", "cursor", "--yes")
    assert again.output == f"{path} has this entry already.\n"
    assert path.read_bytes() == before
    assert len(copies(path)) == 1


def test_another_profile_changes_the_entry_and_no_copy_is_lost(home: Path) -> None:
    folder = home / ".config" / "bi-mcp"
    for name in ("test", "prod"):
        profile = Profile(name=name, portal_url=f"https://{name}.example")
        change_profiles(folder, methodcaller("with_profile", profile))
    path = written(home / ".cursor" / "mcp.json")
    ran("install", "cursor", "--profile", "test", "--yes")
    done = ran("install", "cursor", "--profile", "prod", "--yes")
    assert '-     "test"' in done.output
    assert '+     "prod"' in done.output
    assert '"prod"' in path.read_text()
    assert copies(path) == ["mcp.json.before-bi-mcp-1", "mcp.json.before-bi-mcp-2"]


def test_what_is_taken_away_leaves_the_file_as_it_was(home: Path) -> None:
    path = written(home / ".cursor" / "mcp.json")
    ran("install", "cursor", "--yes")
    done = ran("uninstall", "cursor", "--yes")
    assert done.exit_code == 0
    assert '-   "command"' in done.output
    assert path.read_text(encoding="utf-8") == KEPT
    assert ran("uninstall", "cursor", "--yes").output == f"{path} has no entry bi-mcp.\n"


def test_print_writes_nothing_and_prints_json(home: Path) -> None:
    done = ran("install", "vscode", "--env", "BI_MCP_ACCESS_TOKEN", "--print")
    entry = json.loads(done.stdout)["servers"]["bi-mcp"]
    assert (entry["type"], entry["env"]) == ("stdio", {"BI_MCP_ACCESS_TOKEN": "${env:BI_MCP_ACCESS_TOKEN}"})
    assert "Code" in done.stderr
    assert list(home.iterdir()) == []


def test_a_folder_of_profiles_of_ones_own_is_told_to_the_client(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(home / "own"))
    entry = json.loads(ran("install", "claude-desktop", "--print").stdout)["mcpServers"]["bi-mcp"]
    assert entry["env"] == {"BI_MCP_CONFIG_DIR": str(home / "own")}


def test_a_token_in_the_environment_is_not_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_ACCESS_TOKEN", CANARY)
    ran("install", "cursor", "--env", "BI_MCP_ACCESS_TOKEN", "--yes")
    text = (home / ".cursor" / "mcp.json").read_text()
    assert "${env:BI_MCP_ACCESS_TOKEN}" in text
    assert CANARY not in text


@pytest.mark.parametrize("text", ['{"mcpServers": {', "[]", '{"mcpServers": []}', "<html>"])
def test_a_damaged_file_is_left_as_it_is(home: Path, text: str) -> None:
    path = written(home / ".cursor" / "mcp.json", text)
    done = ran("install", "cursor", "--yes")
    assert done.exit_code == 1
    assert str(path) in done.stderr
    assert "Nothing was changed" in done.stderr
    assert path.read_text() == text
    assert copies(path) == []


def test_a_file_in_another_encoding_is_left_as_it_is(home: Path) -> None:
    path = written(home / "mcp.json", "")
    path.write_bytes('{"a": "ю"}'.encode("cp1251"))
    done = ran("install", "cursor", "--yes", "--file", str(path))
    assert (done.exit_code, path.read_bytes()) == (1, '{"a": "ю"}'.encode("cp1251"))
    assert "not UTF-8 text" in done.stderr


def test_a_file_that_changed_after_it_was_shown_is_not_overwritten(home: Path) -> None:
    path = written(home / "mcp.json")
    shown = ClientFile(path)
    written(path, '{"mcpServers": {}}')
    with pytest.raises(ConfigError, match="was changed meanwhile"):
        shown.write(shown.with_entry("mcpServers", "bi-mcp", {}))
    assert path.read_text() == '{"mcpServers": {}}'


def test_a_link_stays_a_link(home: Path) -> None:
    path = written(home / "dotfiles" / "mcp.json")
    link = home / ".cursor" / "mcp.json"
    link.parent.mkdir()
    link.symlink_to(path)
    assert ran("install", "cursor", "--yes").exit_code == 0
    assert link.is_symlink()
    assert "bi-mcp" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("install", "cursor"), "nobody is there to be asked. Add --yes."),
        (("install", "cursor", "--profile", "nosuch", "--yes"), "No profile 'nosuch'"),
        (("install", "cursor", "--profile", "p", "--env", "BI_MCP_WEBHOOK"), "exclude each other"),
        (("install", "emacs"), "'emacs' is not one of"),
        (("install", "cursor", "--env", f"X={CANARY}", "--yes"), "without a value"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    home: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = ran(*arguments)
    assert done.exit_code in {1, 2}
    assert said in done.stderr
    assert not (home / ".cursor").exists()


def test_a_no_writes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    terminal, keyboard = pty.openpty()
    with os.fdopen(terminal, "wb", buffering=0) as person:
        person.write(b"n\n")
        finished = subprocess.run(
            [sys.executable, "-m", "bi_mcp", "install", "cursor"],
            stdin=keyboard,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        os.close(keyboard)
    assert finished.returncode == 1
    assert "Write it?" in finished.stdout
    assert not (home / ".cursor").exists()
