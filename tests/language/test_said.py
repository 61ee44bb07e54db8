"""Every template that is said can be translated: whoever collects the texts finds it where it stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.language.catalogues import SOURCE, extracted, packages

SAYING = {"say", "say_count", "text"}


def templates(package: str) -> Iterator[tuple[str, str]]:
    """Each template of a package with its place."""
    paths = SOURCE.glob("*.py") if package == "modules" else (SOURCE / package).rglob("*.py")
    for path in sorted(paths):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SAYING:
                first = call.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, f"{path.relative_to(SOURCE)}:{call.lineno}"


@pytest.mark.parametrize("package", list(packages()))
def test_every_template_is_collected(package: str) -> None:
    collected = {
        message.id if isinstance(message.id, str) else message.id[0] for message in extracted(package)
    }
    missed = {template: place for template, place in templates(package) if template not in collected}
    assert not missed, "say() within an f-string is not found"
