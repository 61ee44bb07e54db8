"""All connectors, sources and datasets of a portal with their health, as a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings.finding import Finding, Level, worst
from bi_mcp.rest.kinds import KINDS, Group

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
LABELS: dict[State, str] = {"unchecked": text("not checked"), "blocked": text("waits for {parent}")}


class MapNode(BaseModel):
    """An object of the portal. `key` is its kind and id, `parent` the key of its source or connector if that exists.

    `level` is the most serious of its own findings, or says that its endpoints were not asked, or that a fault of its
    source or connector blocks it. `title` and a connector's `host` are data from outside, on one line and cut.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    key: str
    parent: str | None = None
    kind: Group
    id: int
    title: str
    host: str = ""
    level: State
    findings: list[Finding]

    @property
    def label(self) -> str:
        """The state in words if the object has no finding for it, else nothing."""
        return say(LABELS[self.level], parent=self.parent) if self.level in LABELS else ""

    @property
    def depth(self) -> int:
        """The depth: 0 for connectors, 1 for sources, 2 for datasets, even if their parents do not exist."""
        return list(KINDS).index(self.kind)


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
        chosen = set[str]()
        for node in sorted(self.nodes, key=lambda node: -STATES.index(node.level)):
            wanted, above = set[str](), node.key
            # An object that is kept has its ancestors with it.
            while above in by_key and above not in chosen:
                wanted.add(above)
                above = by_key[above].parent or ""
            if len(chosen) + len(wanted) <= most:
                chosen |= wanted
        nodes = [node for node in self.nodes if node.key in chosen]
        return self.model_copy(
            update={"nodes": nodes, "left_out": self.left_out + len(self.nodes) - len(nodes)}
        )

    def summary(self) -> str:
        """One line: of each kind how many are in what state."""
        parts = list[str]()
        for group, kind in KINDS.items():
            levels = Counter(node.level for node in self.nodes if node.kind == group)
            states = [say(_COUNTS[level], count=levels[level]) for level in STATES if levels[level]]
            if states:
                parts.append(f"{kind.count(levels.total())}: {', '.join(states)}")
        if not parts:
            parts.append(say("The portal is empty"))
        if self.left_out:
            parts.append(say("{count} more left out", count=self.left_out))
        return "; ".join(parts)

    def advice(self) -> str:
        """Say how unchecked objects are checked; if some were checked, what that leaves out. Empty without datasets."""
        levels = {node.level for node in self.nodes if node.kind == "dataset"}
        if "unchecked" not in levels or levels & {"ok", "blocked"}:
            return say("Charts are not visible from here.") if levels else ""
        return f"{say('No endpoint was called.')} {advise(AdviceKind.DIAGNOSE_PORTAL)}"


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


def title_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """A text from outside without line breaks and without marks that turn text around."""
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return printable if len(printable) <= longest else f"{printable[: longest - 1]}…"
