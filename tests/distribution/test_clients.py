"""Which file is whose, on which system, and how bi-mcp is started from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.cli.clients.known_clients import (
    CLIENTS,
    Folders,
    build_entry,
    launch,
    mask_entry,
    merge,
    references,
)
from bi_mcp.cli.install import NAMES
from bi_mcp.config import programs_settings_folder
from bi_mcp.errors import ConfigError

HOME = Path("/home/ann")
MAC = "Library/Application Support"


def test_the_command_offers_the_clients_that_there_are() -> None:
    assert tuple(CLIENTS) == NAMES


@pytest.mark.parametrize(
    ("name", "linux", "mac", "windows"),
    [
        ("claude-code", "/work/.mcp.json", "/work/.mcp.json", "/work/.mcp.json"),
        ("cursor", ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"),
        ("vscode", ".config/Code/User/mcp.json", f"{MAC}/Code/User/mcp.json", "Roaming/Code/User/mcp.json"),
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            f"{MAC}/Claude/claude_desktop_config.json",
            "Roaming/Claude/claude_desktop_config.json",
        ),
    ],
)
def test_each_client_has_its_file_on_each_system(name: str, linux: str, mac: str, windows: str) -> None:
    for system, path in (("linux", linux), ("darwin", mac), ("win32", windows)):
        settings = programs_settings_folder({"APPDATA": str(HOME / "Roaming")}, system, HOME)
        folders = Folders(home=HOME, settings=settings, project=Path("/work"))
        assert CLIENTS[name].path(folders) == HOME / path


def test_the_system_may_have_moved_the_folder_of_settings() -> None:
    assert programs_settings_folder({"XDG_CONFIG_HOME": "/moved"}, "linux", HOME) == Path("/moved")
    assert programs_settings_folder({}, "win32", HOME) == HOME / "AppData" / "Roaming"


def installed(tmp_path: Path) -> tuple[Path, Path]:
    script = tmp_path / "bin" / "bi-mcp"
    script.parent.mkdir()
    script.touch()
    return script, script.with_name("python")


def test_clients_start_what_is_installed_by_its_full_path(tmp_path: Path) -> None:
    script, python = installed(tmp_path)
    on_path = {"bi-mcp": str(script)}.get
    assert launch(CLIENTS["cursor"], script, python, on_path) == [str(script)]
    assert launch(CLIENTS["cursor"], tmp_path / "none", python, on_path) == [str(python), "-m", "bi_mcp"]


def test_a_file_that_goes_to_others_gets_the_plain_name_where_it_is_the_same(tmp_path: Path) -> None:
    script, python = installed(tmp_path)
    shared = CLIENTS["claude-code"]
    assert launch(shared, script, python, {"bi-mcp": str(script)}.get) == ["bi-mcp"]
    assert launch(shared, script, python, {"bi-mcp": "/elsewhere/bi-mcp"}.get) == [str(script)]


def test_a_link_to_an_environment_is_portable_and_the_active_environment_is_not(tmp_path: Path) -> None:
    script, python = installed(tmp_path)
    (tmp_path / "pyvenv.cfg").touch()
    link = tmp_path / "local" / "bi-mcp"
    link.parent.mkdir()
    link.symlink_to(script)
    shared = CLIENTS["claude-code"]
    assert launch(shared, script, python, {"bi-mcp": str(link)}.get) == ["bi-mcp"]
    assert launch(shared, script, python, {"bi-mcp": str(script)}.get) == [str(script)]
    # The folder itself may be reached through a link.
    (tmp_path / "alias").symlink_to(script.parent)
    alias = str(tmp_path / "alias" / "bi-mcp")
    assert launch(shared, script, python, {"bi-mcp": alias}.get) == [str(script)]


def test_what_lives_for_one_run_is_fetched_again_by_what_fetched_it() -> None:
    python = Path("/home/ann/.cache/uv/archive-v0/x/bin/python")
    script = python.with_name("bi-mcp")
    assert launch(CLIENTS["cursor"], script, python, {"uvx": "/bin/uvx"}.get) == [
        "/bin/uvx",
        "bitrix24-bi-mcp",
    ]
    assert launch(CLIENTS["claude-code"], script, python, {"pipx": "/bin/pipx"}.get) == [
        "pipx",
        "run",
        "bitrix24-bi-mcp",
    ]
    with pytest.raises(ConfigError, match="uv tool install bitrix24-bi-mcp"):
        launch(CLIENTS["cursor"], script, python, lambda _: None)


def test_variables_are_handed_on_as_each_client_writes_it() -> None:
    written = {
        name: references(CLIENTS[name], ["TOKEN"])["TOKEN"] for name in NAMES if name != "claude-desktop"
    }
    assert written == {"claude-code": "${TOKEN:-}", "cursor": "${env:TOKEN}", "vscode": "${env:TOKEN}"}
    with pytest.raises(ConfigError, match="Claude Desktop does not pass variables on"):
        references(CLIENTS["claude-desktop"], ["TOKEN"])
    assert references(CLIENTS["claude-desktop"], []) == {}


def test_a_value_in_place_of_a_name_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="without a value") as error:
        references(CLIENTS["cursor"], ["TOKEN=canary"])
    assert "canary" not in str(error.value)


def test_what_the_user_added_to_an_entry_stays() -> None:
    old = {"command": "old", "args": ["x"], "disabled": True, "env": {"BI_MCP_LANGUAGE": "ru"}}
    new = build_entry(CLIENTS["cursor"], ["bi-mcp", "serve"], {"TOKEN": "${env:TOKEN}"})
    assert merge(old, new, None) == {
        "command": "bi-mcp",
        "args": ["serve"],
        "disabled": True,
        "env": {"BI_MCP_LANGUAGE": "ru", "TOKEN": "${env:TOKEN}"},
    }
    assert merge({"url": "https://bi.example/mcp", "headers": {}}, new, None) == new


def test_a_profile_takes_the_place_of_a_portal_and_token_in_the_file() -> None:
    old = {"command": "bi-mcp", "env": {"BI_MCP_PORTAL_URL": "https://a", "BI_MCP_ACCESS_TOKEN": "t"}}
    new = build_entry(CLIENTS["cursor"], ["bi-mcp", "serve", "--profile", "test"], {})
    assert merge(old, new, "test") == new


def test_of_an_entry_only_what_is_no_secret_is_shown() -> None:
    entry = {
        "command": "docker",
        "args": ["run", "--token=canary", "--header", "Bearer canary", "serve", "--profile", "test"],
        "env": {"TOKEN": "canary", "NAME": "${NAME}"},
        "headers": {"Authorization": "canary"},
    }
    assert mask_entry(entry, ["${NAME}"]) == {
        "command": "docker",
        "args": ["run", "--token", "--header", "…", "serve", "--profile", "test"],
        "env": {"TOKEN": "…", "NAME": "${NAME}"},
        "headers": "…",
    }
    assert mask_entry("canary") is None
