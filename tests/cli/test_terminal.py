"""The command line among people and programs: taken ports, no terminal, colours, languages, pipes and narrow windows."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result
from mcp import Client

from bi_mcp.cli import main
from bi_mcp.config import language_in_terminal, read_settings
from bi_mcp.server.build import build_server
from tests.server.talking import Talk

LONG = "A title that is much longer than what any terminal of eighty columns has room for beside the rest"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("COLUMNS", "LC_ALL", "LC_MESSAGES", "LANG", "BI_MCP_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of loopback that another program uses."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def ran(*arguments: str, input: str | None = None, color: bool = False) -> Result:
    return CliRunner().invoke(main, arguments, input=input, color=color)


@pytest.mark.parametrize("command", ["portal", "sample"])
def test_a_taken_port_is_named_before_anything_is_announced(command: str, taken: int) -> None:
    finished = ran(command, "--port", str(taken))
    assert finished.exit_code == 1
    assert finished.output.startswith(f"Error: Port {taken} of 127.0.0.1 cannot be used")
    assert "choose another: --port" in finished.output
    assert "http" not in finished.output


@pytest.mark.parametrize("portal", ["not a url", "https://a b.example", "acme,bitrix24.com"])
def test_what_is_no_address_is_refused_before_anything_is_asked(portal: str) -> None:
    finished = ran("login", portal)
    assert finished.exit_code == 2
    assert f"{portal!r} is not the address of a portal" in finished.output
    assert "client_id" not in finished.output


def test_login_without_a_terminal_says_how_it_works_without_one() -> None:
    finished = ran("login", "acme.bitrix24.com", input="")
    assert finished.exit_code == 1
    assert "Aborted" not in finished.output
    assert "--client-secret-env" in finished.output.splitlines()[-1]


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_DB", ":memory:")
    assert "\x1b[" in ran("doctor", color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in ran("doctor", color=True).output


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru"}, "ru"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ru_RU"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ru_RU.UTF-8", "BI_MCP_LANGUAGE": "en"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_of_the_system_is_spoken(environment: dict[str, str], language: str) -> None:
    assert language_in_terminal(environment) == language


def test_a_russian_terminal_is_told_in_russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    monkeypatch.setenv("BI_MCP_PORTAL_DB", ":memory:")
    assert "Портал пуст" in ran("map").output
    assert "The portal is empty" in ran("map", "--language", "en").output


@pytest.mark.usefixtures("without_pauses")
def test_an_unreachable_portal_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    monkeypatch.setenv("BI_MCP_PORTAL_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("BI_MCP_ACCESS_TOKEN", "token")
    finished = ran("doctor", "--json")
    assert finished.exit_code == 1
    [status] = json.loads(finished.output)
    assert [finding["where"] for finding in status["findings"]] == ["connector.fields"]


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal on which one connector with a long title, a source and a dataset were made."""
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(tmp_path / "portal.sqlite3"))
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")

    async def change() -> None:
        async with Client(build_server(read_settings())) as client:
            talk = Talk(client)
            await talk.add_dataset(await talk.add_source(await talk.add_connector(LONG)))

    anyio.run(change)


@pytest.mark.usefixtures("changed")
def test_a_pipe_gets_each_change_on_one_line() -> None:
    [line] = [line for line in ran("history").output.splitlines() if "A title" in line]
    assert LONG in line
    assert "connector_add" in line


@pytest.mark.usefixtures("changed")
def test_a_narrow_window_gets_a_line_per_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = ran("history").output.splitlines()
    assert lines[0] == "Row 1"
    assert any(line.split() == ["who", "dataset_add"] for line in lines)
    assert max(map(len, lines)) <= 40


@pytest.mark.usefixtures("changed")
def test_a_dataset_is_diagnosed_by_its_name() -> None:
    by_id, by_name = ran("diagnose", "1"), ran("diagnose", "flights")
    assert by_id.output == by_name.output
    assert by_name.output.startswith("flights: ")
    unknown = ran("diagnose", "flighst")
    assert unknown.exit_code == 1
    assert "no dataset 'flighst' that this application sees. `bi-mcp map` shows" in unknown.output
    assert ran("diagnose", "0").exit_code == 2
