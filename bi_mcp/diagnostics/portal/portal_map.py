"""All connectors, sources and datasets of a portal with their health, as a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, say_count, text
from bi_mcp.diagnostics.findings.finding import Finding, Level, worst

Kind = Literal["connector", "source", "dataset"]
KINDS: tuple[Kind, ...] = ("connector", "source", "dataset")

# "unchecked": no endpoint was asked about it. "blocked": its fault is reported with its source or connector.
State = Literal["ok", "unchecked", "note", "blocked", "warning", "error"]
STATES: tuple[State, ...] = get_args(State)

# A longer map cannot be read or drawn legibly.
MAX_SHOWN = 300
LONGEST_TITLE = 60
_COUNTS: dict[State, str] = {
    "ok": text("{count} ok"),
    "unchecked": text("{count} not checked"),
    "note": text("{count} with notes"),
    "blocked": text("{count} blocked"),
    "warning": text("{count} with warnings"),
    "error": text("{count} broken"),
}
MARKS: dict[State, str] = {
    "ok": "✓",
    "unchecked": "?",
    "note": "·",
    "blocked": "⊘",
    "warning": "!",
    "error": "✗",
}
# The label that a picture puts beside a title if the object has no finding.
LABELS: dict[State, str] = {"unchecked": text("not checked"), "blocked": text("blocked")}


class MapNode(BaseModel):
    """An object of the portal. `key` is its kind and id, `parent` the key of its source or connector if that exists.

    `level` is the most serious of its own findings, or says that its endpoints were not asked, or that a fault of its
    source or connector blocks it. `title` is data from outside, on one line and cut.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    key: str
    parent: str | None = None
    kind: Kind
    id: int
    title: str
    level: State
    findings: list[Finding]

    @property
    def label(self) -> str:
        """The state in words if the object has no finding for it, else nothing."""
        return say(LABELS[self.level]) if self.level in LABELS else ""

    @property
    def depth(self) -> int:
        """The depth: 0 for connectors, 1 for sources, 2 for datasets, even if their parents do not exist."""
        return KINDS.index(self.kind)


class PortalMap(BaseModel):
    """The tree as a list: each object comes before its children. `left_out` counts objects that are not in it."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    verdict: State
    nodes: list[MapNode]
    left_out: int = 0

    def reduce(self, most: int = MAX_SHOWN) -> PortalMap:
        """Keep the objects with the most serious states and their ancestors, as many as fit, in the order of the tree."""
        if len(self.nodes) <= most:
            return self
        by_key = {node.key: node for node in self.nodes}
        kept = set[str]()
        for node in sorted(self.nodes, key=lambda node: -STATES.index(node.level)):
            wanted = {above.key for above in _with_ancestors(node, by_key)} - kept
            if len(kept) + len(wanted) <= most:
                kept |= wanted
        nodes = [node for node in self.nodes if node.key in kept]
        return self.model_copy(
            update={"nodes": nodes, "left_out": self.left_out + len(self.nodes) - len(nodes)}
        )

    def summary(self) -> str:
        """One line: of each kind how many are in what state."""
        parts = [part for kind in KINDS if (part := self._count(kind))] or [say("The portal is empty")]
        if self.left_out:
            parts.append(say("{count} more left out", count=self.left_out))
        return "; ".join(parts)

    def advice(self) -> str:
        """Say how unchecked objects are checked; empty if some were checked."""
        levels = {node.level for node in self.nodes if node.kind == "dataset"}
        if "unchecked" not in levels or levels & {"ok", "blocked"}:
            return ""
        return f"{say('No endpoint was called.')} {advise(AdviceKind.DIAGNOSE_PORTAL)}"

    def _count(self, kind: Kind) -> str:
        levels = Counter(node.level for node in self.nodes if node.kind == kind)
        states = [say(_COUNTS[level], count=levels[level]) for level in STATES if levels[level]]
        return f"{_count_kind(kind, levels.total())}: {', '.join(states)}" if states else ""


def state_of(findings: list[Finding], *, checked: bool, blocked: bool = False) -> State:
    """The state of an object with these findings. An object that was not checked is not "ok" just because it has no findings."""
    level = worst(findings)
    if level in {"warning", "error"}:
        return level
    if blocked:
        return "blocked"
    return level if checked else "unchecked"


def verdict_of(nodes: Sequence[MapNode]) -> State:
    """The most serious finding; "unchecked" where that is no more than a note and a source or dataset was not checked."""
    level: Level = worst([finding for node in nodes for finding in node.findings])
    judged = [node for node in nodes if node.kind != "connector"] or nodes
    unsure = level in {"ok", "note"} and any(node.level == "unchecked" for node in judged)
    return "unchecked" if unsure else level


def _count_kind(kind: Kind, count: int) -> str:
    match kind:
        case "connector":
            return say_count("{count} connector", "{count} connectors", count)
        case "source":
            return say_count("{count} source", "{count} sources", count)
        case "dataset":
            return say_count("{count} dataset", "{count} datasets", count)


def title_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """A text from outside without line breaks and without marks that turn text around."""
    shown = "".join(character if character.isprintable() else "�" for character in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _with_ancestors(node: MapNode, by_key: dict[str, MapNode]) -> Iterator[MapNode]:
    above: MapNode | None = node
    while above is not None:
        yield above
        above = by_key.get(above.parent) if above.parent else None
