"""A tool that differs from the last release has an entry in the changelog."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.surface import (
    RELEASED,
    ROOT,
    Change,
    changes,
    current_surface,
    describe_changes,
    released_version,
    sections,
    untold,
)

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
TEXT = {"type": "string"}


def tool(required: tuple[str, ...] = (), description: str = "Does.", **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"description": description, "inputSchema": schema, "annotations": {"readOnlyHint": True}}


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (tool(), "has lost a"),
        (tool(("a",), a=TEXT), "now requires a"),
        (tool(("b",), a=TEXT, b=TEXT), "now requires b"),
        (tool(a={"type": "integer"}), "takes fewer types of a"),
        (tool(a={"enum": ["x"], "type": "string"}), "takes fewer values of a: enum"),
        (tool(a=TEXT | {"maxLength": 5}), "takes fewer values of a: maxLength"),
        (tool(a=TEXT | {"pattern": "^x"}), "takes fewer values of a: pattern"),
    ],
)
def test_what_makes_a_right_call_wrong_is_breaking(after: dict[str, Any], what: str) -> None:
    assert Change("t", what, breaks=True) in changes({"t": tool(a=TEXT)}, {"t": after})


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({"type": ["string", "null"]}, TEXT, "takes fewer types of a"),
        ({"anyOf": [TEXT, {"type": "array"}]}, TEXT, "takes fewer types of a"),
        ({}, TEXT, "takes fewer types of a"),
        ({"enum": ["x", "y"]}, {"enum": ["y", "z"]}, "takes fewer values of a: enum"),
        ({"minimum": 0}, {"minimum": 1}, "takes fewer values of a: minimum"),
        ({"items": TEXT}, {"items": {"type": "integer"}}, "takes fewer types of a[]"),
        ({"properties": {"b": TEXT}}, {"properties": {}}, "has lost a.b"),
        ({}, {"additionalProperties": False}, "takes fewer values of a: additionalProperties"),
    ],
)
def test_narrowing_is_found_at_any_depth(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    assert what in [change.what for change in changes({"t": tool(a=before)}, {"t": tool(a=after)})]


@pytest.mark.parametrize(
    "after",
    [
        tool(a=TEXT | {"default": "x"}),
        tool(a=TEXT | {"description": "What a is."}),
        tool(a={"type": ["string", "null"]}),
        tool(a={}),
        tool(a=TEXT, b=TEXT),
        tool(a=TEXT, description="Does more."),
        tool(a=TEXT) | {"annotations": {"readOnlyHint": False}},
    ],
)
def test_any_other_difference_is_a_change(after: dict[str, Any]) -> None:
    assert changes({"t": tool(a=TEXT)}, {"t": after}) == [Change("t", "is changed")]
    assert changes({"t": after}, {"t": after}) == []


def test_tools_come_and_go() -> None:
    found = changes({"old": tool(), "kept": tool()}, {"new": tool(), "kept": tool()})
    assert found == [Change("new", "is new"), Change("old", "is gone", breaks=True)]


def test_changes_are_described_with_the_breaking_ones_first() -> None:
    text = describe_changes([Change("a", "is new"), Change("b", "is gone", breaks=True)])
    assert text.splitlines()[2:] == ["| `b` | is gone | **yes** |", "| `a` | is new |  |"]
    assert describe_changes([]) == "The tools are as before.\n"


LOG = "# Changelog\n\n## 1.1.0 (unreleased)\n\n- {entries}\n\n## 1.0.0\n\n- `a`, `b`, Breaking\n\n## 0.9.0\n\n- x\n"


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        ("Nothing.", ["a", "b"]),
        ("`a` bends.", ["b"]),
        ("`a` bends.\n- `b` is no more.", ["b"]),
        ("`a` bends.\n- Breaking: something else.\n- `b` is no more.", ["b"]),
        ("`a` bends.\n- **Breaking:** of the tools\n  `b` is no more.", []),
    ],
)
def test_each_change_needs_an_entry_of_the_newest_version(entries: str, missing: list[str]) -> None:
    newest = sections(LOG.format(entries=entries))[0]
    found = [Change("a", "is changed"), Change("b", "is gone", breaks=True)]
    assert [complaint.split("`")[1] for complaint in untold(found, newest.entries)] == missing


def test_the_last_release_is_the_newest_version_that_is_not_called_unreleased() -> None:
    assert released_version(LOG) == "1.0.0"
    assert released_version(LOG.replace(" (unreleased)", "")) == "1.1.0"
    assert released_version("# Changelog\n\n## 0.1.0 (unreleased)\n") is None


def test_the_kept_surface_is_that_of_the_last_release() -> None:
    assert json.loads(RELEASED.read_text(encoding="utf-8"))["version"] == released_version(CHANGELOG), (
        "a release keeps what it offers: `make surface`"
    )


def test_the_changelog_tells_what_differs_from_the_last_release() -> None:
    newest = sections(CHANGELOG)[0]
    found = changes(json.loads(RELEASED.read_text(encoding="utf-8"))["tools"], current_surface())
    if newest.is_released:
        assert found == [], "a release offers what is kept: `make surface`"
    assert untold(found, newest.entries) == []
