"""The files that the documents at the root name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:[\w.]+/)*test_\w+\.py|(?:bi_mcp|benchmarks|docs|requirements|tests)/[\w./-]*\w)`")
# What stands for a name of the reader's own.
PLACEHOLDER = re.compile(r"[A-Z]{4,}")


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "SECURITY.md"])
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    named = {
        name
        for name in NAMED.findall((ROOT / document).read_text(encoding="utf-8"))
        if not PLACEHOLDER.search(name)
    }
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists() and name not in tests] == []
