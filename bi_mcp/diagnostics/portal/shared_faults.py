"""Faults of endpoints, each reported once: with the source or connector that has it, and the objects that it blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bi_mcp.base.language import say_count
from bi_mcp.diagnostics.findings.endpoint_rules import DENIED, ENDPOINTS
from bi_mcp.diagnostics.findings.finding import Finding, Level
from bi_mcp.diagnostics.portal.portal_map import MapNode, title_line

# A longer list of names would not be read.
NAMED = 5


class SharedFault(NamedTuple):
    """The properties that make two findings of two objects one fault."""

    code: str
    level: Level
    where: str
    what: str
    cause: str


def tell_once(nodes: Sequence[MapNode]) -> Iterator[tuple[MapNode, bool]]:
    """Yield each node with the faults that are reported with it, and whether an error that blocks it is reported with another node."""
    by_key = {node.key: node for node in nodes}
    places = _places(nodes, by_key)
    for node in nodes:
        own = [finding for finding in node.findings if places.get((_fault(finding), node.key)) is None]
        moved = [finding for finding in node.findings if finding not in own]
        collected = list(_collect_faults(node.key, places, by_key))
        told = list(_join_causes([*((finding, [node.key]) for finding in own), *collected]))
        findings = [
            _with_blocked(finding, [by_key[key] for key in keys if key != node.key]) for finding, keys in told
        ]
        yield (
            node.model_copy(update={"findings": [*findings]}),
            any(finding.level == "error" for finding in moved),
        )


def _places(nodes: Sequence[MapNode], by_key: dict[str, MapNode]) -> dict[tuple[SharedFault, str], str]:
    """Map each fault and each node that has it to the node with which it is reported."""
    holders = dict[SharedFault, dict[str, list[str]]]()
    for node in nodes:
        source = {"source": node.key, "dataset": node.parent}.get(node.kind)
        for finding in node.findings if source in by_key else ():
            if _is_of_endpoint(finding):
                holders.setdefault(_fault(finding), {}).setdefault(source or "", []).append(node.key)
    siblings = dict[str | None, set[str]]()
    for node in nodes:
        if node.kind == "source":
            siblings.setdefault(node.parent, set()).add(node.key)
    places = dict[tuple[SharedFault, str], str]()
    for fault, by_source in holders.items():
        for source, keys in by_source.items():
            above = by_key[source].parent
            if (
                above
                # It is the login that was refused, and each source has its own.
                and fault.cause != DENIED
                and 1 < len(siblings[above]) <= len(siblings[above] & by_source.keys())
            ):
                places |= {(fault, key): above for key in keys}
            elif len(keys) > 1:
                places |= {(fault, key): source for key in keys}
    return places


def _collect_faults(
    key: str, places: dict[tuple[SharedFault, str], str], by_key: dict[str, MapNode]
) -> Iterator[tuple[Finding, list[str]]]:
    """Findings that are reported with a node on behalf of its descendants, each with the nodes that have it."""
    having = dict[SharedFault, list[str]]()
    for (fault, holder), place in places.items():
        if place == key:
            having.setdefault(fault, []).append(holder)
    for fault, holders in having.items():
        # A source's own finding offers the check of that source.
        first = key if key in holders else holders[0]
        finding = next(found for found in by_key[first].findings if _fault(found) == fault)
        yield finding, holders


def _join_causes(told: Sequence[tuple[Finding, list[str]]]) -> Iterator[tuple[Finding, list[str]]]:
    """Tell once what several endpoints have by one cause, with all that it blocks."""
    groups = dict[object, list[tuple[Finding, list[str]]]]()
    for number, (finding, keys) in enumerate(told):
        groups.setdefault(finding.cause or number, []).append((finding, keys))
    for group in groups.values():
        first = group[0][0]
        where = ", ".join(dict.fromkeys(finding.where for finding, _ in group))
        having = dict.fromkeys(key for _, keys in group for key in keys)
        yield first.model_copy(update={"where": where}), list(having)


def _with_blocked(finding: Finding, having: Sequence[MapNode]) -> Finding:
    blocked = [node for node in having if node.kind == "dataset"]
    if not blocked:
        return finding
    names = ", ".join(title_line(node.title or node.key) for node in blocked[:NAMED])
    names += ", …" if len(blocked) > NAMED else ""
    if finding.level == "error":
        effect = say_count(
            "It blocks {count} dataset: {names}.",
            "It blocks {count} datasets: {names}.",
            len(blocked),
            names=names,
        )
    else:
        effect = say_count(
            "It concerns {count} dataset: {names}.",
            "It concerns {count} datasets: {names}.",
            len(blocked),
            names=names,
        )
    return finding.model_copy(update={"what": f"{finding.what} {effect}"})


def _is_of_endpoint(finding: Finding) -> bool:
    """Return whether the finding is a fault of an endpoint. A finding that is repaired by changing a dataset stays with the dataset."""
    return set(finding.where.split(", ")) <= set(ENDPOINTS) and not any(
        str(call.get("tool", "")).startswith("dataset") for call in finding.offered
    )


def _fault(finding: Finding) -> SharedFault:
    return SharedFault(finding.code, finding.level, finding.where, finding.what, finding.cause)
