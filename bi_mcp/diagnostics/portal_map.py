"""All connectors, sources and datasets of a portal with their health, as a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bi_mcp.diagnostics.finding import LEVELS, Finding, Level
from bi_mcp.language import say, text

Kind = Literal["connector", "source", "dataset"]
KINDS: tuple[Kind, ...] = ("connector", "source", "dataset")

# More is neither read nor drawn legibly.
MAX_SHOWN = 300
LONGEST_TITLE = 60
_STATES: dict[Level, str] = {
    "ok": text("{count} ok"),
    "note": text("{count} note"),
    "warning": text("{count} warning"),
    "error": text("{count} error"),
}
MARKS: dict[Level, str] = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}


class MapNode(BaseModel):
    """An object of the portal. `key` is its kind and id, `parent` the key of what it stands on where that is there.

    `level` is the gravest of its own findings. `title` is data from outside, on one line and cut.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    key: str
    parent: str | None = None
    kind: Kind
    id: int
    title: str
    level: Level
    findings: list[Finding]

    @property
    def depth(self) -> int:
        """0 for connectors, 1 for sources, 2 for datasets, whether or not what they stand on is there."""
        return KINDS.index(self.kind)


class PortalMap(BaseModel):
    """The tree as a list: each object comes before what stands on it. `left_out` counts objects that are not in it."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    verdict: Level
    nodes: list[MapNode]
    left_out: int = 0

    def reduced(self, most: int = MAX_SHOWN) -> PortalMap:
        """The gravest objects and what they stand on, as many as fit, in the order of the tree."""
        if len(self.nodes) <= most:
            return self
        by_key = {node.key: node for node in self.nodes}
        kept = set[str]()
        for node in sorted(self.nodes, key=lambda node: -LEVELS.index(node.level)):
            wanted = {above.key for above in _with_ancestors(node, by_key)} - kept
            if len(kept) + len(wanted) <= most:
                kept |= wanted
        nodes = [node for node in self.nodes if node.key in kept]
        return self.model_copy(
            update={"nodes": nodes, "left_out": self.left_out + len(self.nodes) - len(nodes)}
        )

    def summary(self) -> str:
        """One sentence: how many of what are in what state."""
        levels = Counter(node.level for node in self.nodes)
        states = [say(_STATES[level], count=levels[level]) for level in reversed(LEVELS) if levels[level]]
        rest = say("; {count} more left out", count=self.left_out) if self.left_out else ""
        state = ", ".join(states) or say("the portal is empty")
        return say("{count} objects ({state}){rest}", count=len(self.nodes), state=state, rest=rest)


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """A text from outside without line breaks and without marks that turn text around."""
    shown = "".join(character if character.isprintable() else "�" for character in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _with_ancestors(node: MapNode, by_key: dict[str, MapNode]) -> Iterator[MapNode]:
    above: MapNode | None = node
    while above is not None:
        yield above
        above = by_key.get(above.parent) if above.parent else None
