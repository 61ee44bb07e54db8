"""The command line: help for everything, and one message for whatever is wrong."""

from __future__ import annotations

import gc
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from bi_mcp import __version__
from bi_mcp.cli import main

COMMANDS = ["demo", "portal", "sample", "serve"]
PORTAL = {"BI_MCP_PORTAL_URL": "https://portal.example"}
TOKEN = {"BI_MCP_ACCESS_TOKEN": "canary-token"}
WEBHOOK = {"BI_MCP_WEBHOOK": "https://portal.example/rest/1/canary-hook/"}


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in os.environ:
        if name.startswith("BI_MCP_"):
            monkeypatch.delenv(name)
    yield
    # A server that does not start leaves the collector off: its process ends, ours goes on.
    gc.enable()


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env=variables)


def test_every_command_is_known() -> None:
    assert set(COMMANDS) <= set(main.commands)


def test_the_version_is_told() -> None:
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"bi-mcp, version {__version__}\n")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command_with_a_line_about_it(option: str) -> None:
    result = run(option)
    assert result.exit_code == 0
    for name, command in main.commands.items():
        assert command.short_help
        assert f"  {name}" in result.output
        assert command.short_help in result.output


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_and_option_is_explained(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: main {command}" in result.output
    for parameter in main.commands[command].params:
        option = isinstance(parameter, click.Option)
        assert (parameter.opts[0] if option else parameter.human_readable_name) in result.output


def test_short_help_is_there_for_every_command_too() -> None:
    assert run("serve", "-h").output == run("serve", "--help").output


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        (PORTAL, "Set BI_MCP_ACCESS_TOKEN too"),
        (TOKEN, "Set BI_MCP_PORTAL_URL too"),
        (TOKEN | WEBHOOK, "BI_MCP_WEBHOOK"),
        ({"BI_MCP_PORTAL_LIMITS": "many"}, "BI_MCP_PORTAL_LIMITS must be one of off, standard, enterprise"),
        ({"BI_MCP_ALLOW_LITERAL_SECRETS": "maybe"}, "BI_MCP_ALLOW_LITERAL_SECRETS must be on or off"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("arguments", [(), ("serve",), ("serve", "--http")], ids=" ".join)
def test_wrong_settings_are_one_message_that_names_the_variable(
    arguments: tuple[str, ...], variables: dict[str, str], named: str
) -> None:
    result = run(*arguments, **variables)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert named in result.stderr
    assert result.stderr.count("\n") == 1
    assert "canary" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "No such command 'nosuch'"),
        (("serve", "--htpp"), "--http"),
        (("serve", "--port", "many"), "'many' is not a valid integer"),
        (("serve", "--secrets-dir"), "requires an argument"),
        (("portal", "--port"), "requires an argument"),
        (("sample", "--data", "/nosuch.csv"), "'/nosuch.csv' does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_arguments_are_explained(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_data_that_the_sample_cannot_read_is_one_message(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    result = run("sample", "--data", str(folder))
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert not isinstance(result.exception, OSError)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "environment"), [(("--culture", "fr"), {}), ((), {"BI_MCP_SAMPLE_CULTURE": "fr"})]
)
def test_a_culture_that_the_sample_does_not_know_is_one_message(
    arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    result = run("sample", *arguments, **environment)
    assert result.exit_code == 1
    assert result.stderr == "Error: 'fr' is not a known culture. Choose one of ru, en, en-gb, de, iso.\n"


def test_a_portal_with_wrong_settings_is_one_message() -> None:
    result = run("portal", BI_MCP_PORTAL_LIMITS="many")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: BI_MCP_PORTAL_LIMITS must be one of")


def test_a_person_in_a_terminal_gets_help_instead_of_silence(tmp_path: Path) -> None:
    terminal, keyboard = pty.openpty()
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "bi_mcp"],
            stdin=keyboard,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": os.defpath},
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert finished.returncode == 0
    assert "Usage: " in finished.stdout
    assert all(command in finished.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_examples_in_the_help_stand_one_to_a_line(command: str) -> None:
    output = CliRunner().invoke(main, [command, "--help"]).output
    assert "\\b" not in output
    if "Example" in output:
        assert re.search(r"Examples?:\n +(bi-mcp|BI_MCP)", output), output
