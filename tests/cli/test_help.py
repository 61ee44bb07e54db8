"""Help and wrong arguments in the language that is chosen: Russian to the last line, English as it ever was."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from bi_mcp.cli import main
from tests.distribution.test_commands import PATHS
from tests.server.processes import LIMIT_S, environment


@pytest.fixture(autouse=True)
def _no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "BI_MCP_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)


def said(*arguments: str) -> str:
    """Run a command in a terminal so wide that nothing is wrapped."""
    return (
        CliRunner()
        .invoke(main, arguments, prog_name="bi-mcp", terminal_width=1000, max_content_width=1000)
        .output
    )


def prose(help_text: str) -> Iterator[str]:
    """The lines that say something: neither the usage, nor examples, nor an option without a description."""
    shown = help_text.split("\n\n", 1)[1]
    paragraphs = [part for part in shown.split("\n\n") if not part.lstrip().startswith(("Example", "Пример"))]
    for line in "\n".join(paragraphs).splitlines():
        described = line.strip().partition("  ")[2] if line.startswith("  -") else line.strip()
        if described and not line.startswith(" " * 8):
            yield line


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_russian_help_has_no_english_line_and_leaves_english_help_as_it_was(path: Sequence[str]) -> None:
    english = said(*path, "--help")
    russian = said(*path, "--help", "--language", "ru")
    assert english.startswith("Usage: bi-mcp")
    assert russian.startswith("Использование: bi-mcp")
    assert not set(prose(english)) & set(prose(russian))
    assert said(*path, "--help") == english


def test_examples_are_the_same_in_both_languages() -> None:
    lines = [
        [
            line
            for line in said("apply", "-h", "--language", language).splitlines()
            if line.startswith("    bi-mcp")
        ]
        for language in ("en", "ru")
    ]
    assert lines[0] == lines[1] != []


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--help", "--language", "ru"), {}),
        (("--language=ru", "--help"), {}),
        (("secret", "set", "--language", "ru", "-h"), {}),
        (("--language", "ru", "secret", "set", "-h"), {}),
        (("map", "-h"), {"BI_MCP_LANGUAGE": "ru"}),
        (("map", "-h"), {"LANG": "ru_RU.UTF-8"}),
    ],
)
def test_help_is_russian_wherever_the_language_is_named(
    arguments: Sequence[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert "Показать эту справку и выйти." in said(*arguments)


def test_the_option_overrules_the_language_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    monkeypatch.setenv("LANGUAGE", "ru")
    assert "Show this message and exit." in said("map", "-h", "--language", "en")


def test_help_is_there_where_the_language_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_LANGUAGE", "de")
    assert said("--help").startswith("Usage:")
    assert said("profiles").startswith("Error: BI_MCP_LANGUAGE must be one of en, ru")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check",), "Не указан аргумент 'SOURCE'."),
        (("secret", "set", "x"), "Не указан параметр '--for'."),
        (("check", "x"), "Неверное значение для 'SOURCE': 'x' не подходит"),
        (("check", "0"), "Неверное значение для 'SOURCE': 0 вне границ x>=1."),
        (("plan", "--format", "pdf"), "'pdf' не подходит. Допустимо: 'text', 'markdown', 'json'."),
        (("plan", "--prun"), "Параметра '--prun' нет. Может быть, '--prune'?"),
        (("plan", "--format"), "Параметру '--format' нужно 1 значение."),
        (("plan", "a", "b"), "Лишний аргумент (b)"),
        (("chek",), "Команды 'chek' нет."),
        (("diagnose",), "Назовите один датасет или укажите --all."),
    ],
)
def test_wrong_arguments_are_told_in_russian(arguments: Sequence[str], told: str) -> None:
    output = said("--language", "ru", *arguments)
    assert not re.search("Usage|Try|Error|help for", output)
    assert told in output.partition("Ошибка: ")[2]


def test_completion_tells_of_commands_in_russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    asked = {"_BI_MCP_COMPLETE": "zsh_complete", "COMP_WORDS": "bi-mcp doc", "COMP_CWORD": "1"}
    found = CliRunner(env=asked).invoke(main, [], prog_name="bi-mcp").output
    assert found.splitlines()[:3] == ["plain", "doctor", "Проверить портал и доступ к нему."]


def test_english_help_loads_no_translations() -> None:
    """A client starts the server for every chat: what English does not need stays on the disk."""
    asked = "import sys; from bi_mcp.cli import main; main(['--help'], standalone_mode=False); "
    asked += "sys.exit('bi_mcp.cli.help_texts' in sys.modules or 'bi_mcp.base.terminal' in sys.modules)"
    finished = subprocess.run(  # noqa: S603  this very Python
        [sys.executable, "-c", asked], timeout=LIMIT_S, check=False, capture_output=True
    )
    assert finished.returncode == 0, finished.stderr


def loaded_modules(home: Path, *arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    finished = subprocess.run(  # noqa: S603  this very Python
        [sys.executable, "-X", "importtime", "-m", "bi_mcp", *arguments],
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=True,
        capture_output=True,
        text=True,
        env=environment(home),
    )
    lines = (line for line in finished.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


def test_help_loads_declarations_and_no_action(tmp_path: Path) -> None:
    loaded = loaded_modules(tmp_path, "apply", "--help")
    assert "bi_mcp.cli.setup" in loaded
    heavy = {"anyio", "httpx", "mcp", "pydantic", "rich", "sqlite3", "subprocess", "bi_mcp.cli.actions"}
    assert not heavy & loaded
    parts = {name.split(".")[1] for name in loaded if name.startswith("bi_mcp.")}
    assert parts == {"app", "base", "cli", "config", "errors", "history"}
    assert {name for name in loaded if name.startswith("bi_mcp.app.")} == {"bi_mcp.app.advice"}


def test_a_light_command_loads_only_what_it_needs(tmp_path: Path) -> None:
    loaded = loaded_modules(tmp_path, "profiles")
    assert "bi_mcp.cli.actions.profiles" in loaded
    assert not {"anyio", "httpx", "mcp", "pydantic", "rich", "bi_mcp.cli.actions.login"} & loaded
