"""The page of findings has whatever a check can report."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import bi_mcp
from bi_mcp.diagnostics.dataset.views import Verdict
from bi_mcp.diagnostics.findings.endpoint_rules import BREACHES, FAILURES
from bi_mcp.diagnostics.findings.finding import LEVELS, Finding, Kind, Side
from bi_mcp.endpoints.answers import Rule
from bi_mcp.errors import EndpointReason
from docs.making.findings import FAMILIES, SIDES, findings_page

SOURCE = Path(bi_mcp.__file__).parent
KINDS = [kind for _, _, kinds in FAMILIES for kind in kinds]


@pytest.fixture(scope="module")
def headings() -> list[str]:
    return re.findall(r"^### (\w+)$", findings_page(), re.MULTILINE)


def calls(name: str) -> Iterator[Path]:
    """The files that call something of this name."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
            for node in ast.walk(tree)
        ):
            yield path.relative_to(SOURCE)


def test_findings_are_made_of_declared_kinds_only() -> None:
    assert [str(path) for path in calls(Finding.__name__)] == ["diagnostics/findings/finding.py"]


def test_each_file_that_declares_kinds_is_on_the_page() -> None:
    declaring = set(calls(Kind.__name__))
    read = {"chart_rules", "check_rules", "dataset_rules", "endpoint_rules", "portal_rules", "status_rules"}
    assert {path.as_posix() for path in declaring} == {f"diagnostics/findings/{name}.py" for name in read}


def test_each_kind_has_one_heading(headings: list[str]) -> None:
    assert Counter(headings) == Counter({kind.code: 1 for kind in KINDS})


def test_each_kind_says_what_it_means() -> None:
    assert [kind.code for kind in KINDS if not (kind.what or kind.means)] == []
    assert [
        kind.code
        for kind in KINDS
        if kind.side != "nobody"
        and not (kind.fix or "code of the portal" in kind.means or "error itself" in kind.means)
    ] == []


def test_failures_and_rules_are_found_by_their_codes() -> None:
    assert {code: kind.code for code, kind in FAILURES.items()} == {
        code: code for code in get_args(EndpointReason)
    }
    assert {code: kind.code for code, kind in BREACHES.items()} == {code: code for code in get_args(Rule)}


def test_each_kind_is_used() -> None:
    """A finding that nothing reports any more must leave the page."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE / "diagnostics").rglob("*.py"))
    declared = re.findall(r"^([A-Z_]+) = (?:Kind\(|[A-Z_]+\._replace\()", text, re.MULTILINE)
    assert len(declared) == len(KINDS) - len(FAILURES) - len(BREACHES)
    assert [name for name in declared if len(re.findall(rf"\b{name}\b", text)) < 2] == []


def test_levels_sides_and_verdicts_are_explained() -> None:
    page = findings_page()
    assert all(f"`{word}`" in page for word in (*LEVELS, *get_args(Verdict)))
    assert set(SIDES) == set(get_args(Side))
