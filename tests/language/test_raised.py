"""Nothing is raised or found in a fixed language: what errors and findings say goes through `say`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bi_mcp import errors
from tests.language.catalogues import SOURCE, spoken_modules

SPEAKING = {name for name in vars(errors) if name.endswith("Error")} | {
    "Breach",
    "ClickException",
    "Finding",
    "NotDone",
    "NotJsonError",
    "ResourceError",
    "ResourceNotFoundError",
    "ToolError",
    "_find",
    "_finding",
    "find",
    "unexpected_answer",
}
# These arguments are codes and names of the protocol.
NOT_TEXT = {"code", "kind", "level", "method", "outcome", "reason", "where"}


def untranslated(path: Path) -> Iterator[str]:
    """Each literal of several words that an error or a finding is made of, with its place."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and _name(call) in SPEAKING:
            texts = [*call.args, *(part.value for part in call.keywords if part.arg not in NOT_TEXT)]
            for text in texts:
                for part in _choices(text):
                    if _is_prose(part):
                        yield f"{path.relative_to(SOURCE)}:{part.lineno} {ast.unparse(part)[:80]}"


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _choices(text: ast.expr) -> Iterator[ast.expr]:
    if isinstance(text, ast.IfExp):
        yield from _choices(text.body)
        yield from _choices(text.orelse)
    elif isinstance(text, ast.BinOp):
        yield from _choices(text.left)
        yield from _choices(text.right)
    else:
        yield text


def _is_prose(text: ast.expr) -> bool:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    written = " ".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
    return sum(word.strip(".,:;()").isalpha() and word != word.upper() for word in written.split()) > 1


def _files() -> list[Path]:
    return spoken_modules()


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_errors_and_findings_are_said(path: Path) -> None:
    assert list(untranslated(path)) == []


def test_the_check_finds_what_is_not_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.language.test_raised.SOURCE", tmp_path)
    raising = tmp_path / "raising.py"
    raising.write_text(
        'raise ConfigError(f"{name} is not there." if name else say("No name."))', encoding="utf-8"
    )
    assert list(untranslated(raising)) == ["raising.py:1 f'{name} is not there.'"]
