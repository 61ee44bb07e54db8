"""The first minutes in a terminal: examples that work as they are written, JSON for machines, completion."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bi_mcp.cli import main
from bi_mcp.cli.completion import VARIABLE
from tests.server.processes import LIMIT_S

README = Path(__file__).parents[2] / "README.md"


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())
PATHS = sorted(COMMANDS)


def helped(path: tuple[str, ...]) -> str:
    return CliRunner().invoke(main, [*path, "--help"]).output


def examples(path: tuple[str, ...]) -> list[list[str]]:
    """The words behind `bi-mcp` in each example, without what the shell makes of the rest."""
    lines = re.search(r"  Examples?:\n((?:    .+\n)+)", helped(path))
    assert lines is not None, "there is no example"
    written = re.findall(r"""bi-mcp ([a-z](?:"[^"\n]*"|'[^'\n]*'|[^|>)\n"'])*[^|>)\s])""", lines[1])
    return [shlex.split(example) for example in written]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_examples_that_it_understands(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").touch()
    assert examples(path)
    for words in examples(path):
        command: click.Command = main
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not main
        with command.make_context("bi-mcp", words):
            pass


@pytest.mark.parametrize(
    "path",
    [
        ("check",),
        ("tables",),
        ("preview",),
        ("diagnose",),
        ("doctor",),
        ("map",),
        ("history",),
        ("apply",),
        ("profiles",),
        ("secret", "list"),
        ("sign-ins", "list"),
    ],
    ids=" ".join,
)
def test_what_prints_data_prints_it_for_machines_too(path: tuple[str, ...]) -> None:
    assert "--json" in helped(path)


def test_a_map_and_profiles_are_json(tmp_path: Path) -> None:
    variables = {
        "BI_MCP_CONFIG_DIR": str(tmp_path),
        "BI_MCP_PORTAL_DB": ":memory:",
        "BI_MCP_PROFILE": "embedded",
    }
    drawn = CliRunner().invoke(main, ["map", "--json"], env=variables)
    assert json.loads(drawn.stdout)["verdict"]
    known = CliRunner().invoke(main, ["profiles", "--json"], env=variables)
    assert json.loads(known.stdout) == {"profiles": []}


@pytest.mark.parametrize(
    ("words", "offered"), [("bi-mcp diag", "plain,diagnose"), ("bi-mcp install cur", "plain,cursor")]
)
def test_a_shell_completes_commands_and_arguments(words: str, offered: str) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'bi-mcp'; from bi_mcp.cli import main; main()"],
        env={
            **os.environ,
            VARIABLE: "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert completed.stdout.splitlines() == [offered]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_asks_bi_mcp(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).output
    assert f"{VARIABLE}={shell}_complete" in script
    assert "bi-mcp" in script


@pytest.mark.needs("bash")
def test_the_script_for_bash_is_bash() -> None:
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    checked = subprocess.run(  # noqa: S603  click's script, read by the shell that it is for
        [shutil.which("bash") or "bash", "-n"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
