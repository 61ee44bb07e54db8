"""`bi-mcp install` and `uninstall`: with the client's own command, or its file is changed as shown, or not at all."""

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
from bi_mcp.cli.clients.own_command import find_command, find_program
from bi_mcp.errors import ConfigError
from tests.server.processes import LIMIT_S, environment

CANARY = "other-servers-secret"
KEPT = f"""{{
  "theme": "dark",
  "mcpServers": {{
    "other": {{
      "command": "other",
      "env": {{
        "TOKEN": "{CANARY}"
      }}
    }}
  }}
}}
"""
COMMENTED = f"""{{
  // mine
  "servers": {{"bi-mcp": {{"command": "x", "env": {{"TOKEN": "{CANARY}"}}}}}}
}}
"""
# In place of a client's program: it notes what it was called with. Alone, it is one that ignores options that it does not know.
PROGRAM = '#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each" >> "$HOME/called"; done\n'
# It adds its last argument, or removes everything.
CLAUDE = (
    PROGRAM + 'case $2 in remove) each="{}";; *) each="{\\"bi-mcp\\": $each}";; esac\n'
    'printf \'{"mcpServers": %s}\' "$each" > .mcp.json\n'
)
CODE = (
    PROGRAM + 'mkdir -p "$HOME/.config/Code/User"\n'
    'printf \'{"servers": {"bi-mcp": %s}}\' "$each" > "$HOME/.config/Code/User/mcp.json"\n'
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("BI_MCP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    # No client of this machine.
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
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


def program(home: Path, name: str, text: str = PROGRAM) -> None:
    path = written(home / "bin" / name, text)
    path.chmod(0o755)


def called(home: Path) -> list[str]:
    path = home / "called"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


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


def test_other_servers_and_rights_stay_and_a_copy_is_kept(home: Path) -> None:
    path = written(home / ".cursor" / "mcp.json")
    path.chmod(0o640)
    done = ran("install", "cursor", "--yes")
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["mcpServers"]["bi-mcp"]
    assert json.dumps(document, indent=2) + "\n" == KEPT
    assert path.stat().st_mode & 0o777 == 0o640
    copy = path.with_name("mcp.json.before-bi-mcp-1")
    assert copy.read_text(encoding="utf-8") == KEPT
    assert copy.stat().st_mode & 0o777 == 0o640
    assert f"Copy of the previous file: {copy}" in done.output


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "servers": {\n    "bi-mcp": {}\n  }\n}\n'),
        ('{\n\t"a": "ю"\n}', '{\n\t"a": "ю",\n\t"servers": {\n\t\t"bi-mcp": {}\n\t}\n}\n'),
        (
            '{\r\n    "a": 1\r\n}',
            '{\r\n    "a": 1,\r\n    "servers": {\r\n        "bi-mcp": {}\r\n    }\r\n}\r\n',
        ),
        ('\ufeff{"servers": {}}', '{\n  "servers": {\n    "bi-mcp": {}\n  }\n}\n'),
    ],
    ids=["empty", "tabs", "line ends of Windows", "byte order mark"],
)
def test_indentation_and_line_ends_stay(home: Path, before: str, after: str) -> None:
    path = home / "mcp.json"
    path.write_bytes(before.encode())
    assert ClientFile(path, "servers", "").with_entry("bi-mcp", {}) == after


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"servers": {}, "a": [None, True, -1.5e-7, 10**30, "\U0001f600\u2028"]},
        {"a": {"": {}}, "servers": {"bi-mcp": {"command": "y"}, "Bi-mcp": [], "": "bi-mcp"}},
    ],
    ids=["nothing", "no servers", "servers of alike names"],
)
def test_whatever_the_file_holds_an_entry_is_added_and_removed_again(
    home: Path, document: dict[str, dict[str, object]]
) -> None:
    kept = ClientFile(written(home / "mcp.json", json.dumps(document)), "servers", "")
    others = {name: entry for name, entry in document.get("servers", {}).items() if name != "bi-mcp"}
    added = json.loads(kept.with_entry("bi-mcp", {"command": "x"}))
    assert added == {**document, "servers": {**others, "bi-mcp": {"command": "x"}}}
    assert json.loads(kept.without_entry("bi-mcp")) == {**document, "servers": others}


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


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": {',
        "[]",
        '{"mcpServers": []}',
        "<html>",
        '{"mcpServers": {}} // mine',
        '{"mcpServers": {},}',
        '{"a": 1, "a": 2}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
    ],
    ids=[
        "no end",
        "a list",
        "servers in a list",
        "a page",
        "a comment",
        "a comma",
        "twice",
        "beyond all floats",
        "half a character",
        "deep",
    ],
)
def test_a_file_that_is_not_plain_json_is_left_as_it_is(home: Path, text: str) -> None:
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
    assert "is not plain JSON in UTF-8" in done.stderr


def test_a_file_that_changed_after_it_was_shown_is_not_overwritten(home: Path) -> None:
    path = written(home / "mcp.json")
    kept = ClientFile(path, "mcpServers", "")
    written(path, '{"mcpServers": {}}')
    with pytest.raises(ConfigError, match="was changed meanwhile"):
        kept.write(kept.with_entry("bi-mcp", {}))
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
        (("install", "cursor"), "without a terminal nobody can confirm it. Add --yes."),
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


def test_claude_code_adds_the_server_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_ACCESS_TOKEN", CANARY)
    program(home, "claude", CLAUDE)
    done = ran("install", "claude-code", "--env", "BI_MCP_ACCESS_TOKEN", "--yes")
    assert done.exit_code == 0, done.output
    *words, entry = called(home)
    assert words == ["mcp", "add-json", "--scope", "project", "bi-mcp"]
    assert json.loads(entry)["env"] == {"BI_MCP_ACCESS_TOKEN": "${BI_MCP_ACCESS_TOKEN:-}"}
    assert json.loads(entry)["args"][-1] == "serve"
    assert f"{home / 'bin' / 'claude'} mcp add-json --scope project bi-mcp" in done.output
    assert "Done." in done.output
    assert copies(home / ".mcp.json") == []


@pytest.mark.parametrize("before", [None, '{"servers": {}}'], ids=["no file", "no entry"])
def test_vs_code_adds_the_server_itself(home: Path, before: str | None) -> None:
    path = home / ".config" / "Code" / "User" / "mcp.json"
    if before is not None:
        written(path, before)
    program(home, "code", CODE)
    assert ran("install", "vscode", "--yes").exit_code == 0
    option, entry = called(home)
    assert option == "--add-mcp"
    assert json.loads(entry).items() >= {"name": "bi-mcp", "type": "stdio"}.items()
    assert json.loads(path.read_text()) == {"servers": {"bi-mcp": json.loads(entry)}}


def test_no_client_rewrites_a_file_with_comments(home: Path) -> None:
    path = written(home / ".config" / "Code" / "User" / "mcp.json", COMMENTED)
    program(home, "code", CODE)
    done = ran("install", "vscode", "--yes")
    assert done.exit_code == 1
    assert "Add by hand what `bi-mcp install vscode --print` shows." in done.stderr
    assert called(home) == []
    assert path.read_text() == COMMENTED


@pytest.mark.parametrize(
    ("client", "path"),
    [("claude-code", ".mcp.json"), ("vscode", ".config/Code/User/mcp.json")],
    ids=["claude-code", "vscode"],
)
def test_the_advice_for_a_file_with_comments_fits_removing(home: Path, client: str, path: str) -> None:
    written(home / path, COMMENTED)
    program(home, "claude", CLAUDE)
    done = ran("uninstall", client, "--yes")
    assert done.exit_code == 1
    assert "Nothing was changed. If it has an entry bi-mcp, remove that by hand." in done.stderr
    assert "--print" not in done.stderr
    assert called(home) == []
    assert (home / path).read_text() == COMMENTED


@pytest.mark.parametrize(
    ("client", "name", "path", "servers"),
    [
        ("claude-code", "claude", ".mcp.json", "mcpServers"),
        ("vscode", "code", ".config/Code/User/mcp.json", "servers"),
    ],
    ids=["claude-code", "vscode"],
)
def test_a_command_that_added_nothing_is_not_called_done(
    home: Path, client: str, name: str, path: str, servers: str
) -> None:
    program(home, name)
    done = ran("install", client, "--yes")
    assert done.exit_code == 0, done.output
    assert called(home)
    assert "Done." not in done.output
    assert f"did not change {home / path}, so bi-mcp edits it." in done.output
    assert json.loads((home / path).read_text())[servers]["bi-mcp"]["args"][-1] == "serve"


def test_an_entry_that_the_user_changed_never_gets_into_a_command_line(home: Path) -> None:
    entry = {"command": "old", "args": [], "env": {"BI_MCP_ACCESS_TOKEN": CANARY}}
    path = written(home / ".mcp.json", json.dumps({"mcpServers": {"bi-mcp": entry}}))
    program(home, "claude")
    assert ran("install", "claude-code", "--yes").exit_code == 0
    assert called(home) == []
    env = json.loads(path.read_text())["mcpServers"]["bi-mcp"]["env"]
    assert env == {"BI_MCP_ACCESS_TOKEN": CANARY}


def test_claude_code_removes_the_server_itself_and_a_copy_is_kept(home: Path) -> None:
    entry = {"command": "bi-mcp", "env": {"BI_MCP_ACCESS_TOKEN": CANARY}}
    path = written(home / ".mcp.json", json.dumps({"mcpServers": {"bi-mcp": entry}}))
    path.chmod(0o600)
    before = path.read_text()
    program(home, "claude", CLAUDE)
    done = ran("uninstall", "claude-code", "--yes")
    assert done.exit_code == 0
    assert '-   "command": "bi-mcp"' in done.output
    assert called(home) == ["mcp", "remove", "--scope", "project", "bi-mcp"]
    assert json.loads(path.read_text()) == {"mcpServers": {}}
    copy = path.with_name(".mcp.json.before-bi-mcp-1")
    assert f"Copy of the previous file: {copy}" in done.output
    assert copies(path) == [copy.name]
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == (before, 0o600)


def test_a_command_that_removed_nothing_is_not_called_done(home: Path) -> None:
    path = written(home / ".mcp.json", '{"mcpServers": {"bi-mcp": {"command": "bi-mcp"}}}')
    program(home, "claude")
    done = ran("uninstall", "claude-code", "--yes")
    assert done.exit_code == 0
    assert called(home)
    assert "Done." not in done.output
    assert json.loads(path.read_text()) == {"mcpServers": {}}


def test_vs_code_has_no_command_to_remove_a_server_so_its_file_is_edited(home: Path) -> None:
    path = written(
        home / ".config" / "Code" / "User" / "mcp.json", '{"servers": {"bi-mcp": {"command": "x"}}}'
    )
    program(home, "code")
    assert ran("uninstall", "vscode", "--yes").exit_code == 0
    assert called(home) == []
    assert json.loads(path.read_text()) == {"servers": {}}


@pytest.mark.parametrize("arguments", [(), ("--yes", "--file", "own.json"), ("--print",)], ids=" ".join)
def test_the_clients_command_is_run_only_when_it_is_confirmed_and_wanted(
    home: Path, arguments: tuple[str, ...]
) -> None:
    program(home, "claude")
    ran("install", "claude-code", *arguments)
    assert called(home) == []
    assert (home / "own.json").exists() == ("own.json" in arguments)


def test_a_command_that_fails_is_an_error_with_what_it_said(home: Path) -> None:
    program(home, "claude", "#!/bin/sh\necho not in this folder >&2; exit 3\n")
    done = ran("install", "claude-code", "--yes")
    assert done.exit_code == 1
    assert "failed with status 3" in done.stderr
    assert "not in this folder" in done.stderr
    assert list(home.iterdir()) == [home / "bin"]


def test_a_batch_file_is_not_run_since_it_would_read_json_as_its_own_syntax(home: Path) -> None:
    program(home, "code.cmd")
    program(home, "code")
    assert find_command(["code.cmd", "--add-mcp", "{}"]) is None
    assert find_command(["code", "--add-mcp", "{}"]) == [str(home / "bin" / "code"), "--add-mcp", "{}"]
    assert find_command(()) is None


def test_a_program_in_the_current_folder_is_not_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, the current folder comes first."""
    clone = home / "clone"
    for name in ("claude", "uvx"):
        written(clone / name, CLAUDE).chmod(0o755)
    monkeypatch.chdir(clone)
    for here in (".", str(clone)):
        monkeypatch.setenv("PATH", f"{here}:{os.environ['PATH']}")
        assert find_program("uvx") is None
        assert ran("install", "claude-code", "--yes").exit_code == 0
        assert ran("uninstall", "claude-code", "--yes").exit_code == 0
        assert called(home) == []
