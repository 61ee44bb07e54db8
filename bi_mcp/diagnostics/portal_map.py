"""All connectors, sources and datasets of a portal with their health, from one snapshot. Endpoints are not called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from bi_mcp.diagnostics.external import DatasetContext, Generation
from bi_mcp.diagnostics.finding import LEVELS, Finding, Level, worst
from bi_mcp.diagnostics.mending import call, show_columns
from bi_mcp.diagnostics.surroundings import check_surroundings
from bi_mcp.rest.models import Connector, Dataset, Source

if TYPE_CHECKING:
    from bi_mcp.rest.snapshot import Snapshot, Vanished

Kind = Literal["connector", "source", "dataset"]
KINDS: tuple[Kind, ...] = ("connector", "source", "dataset")
Item = TypeVar("Item")

# More is neither read nor drawn legibly.
MAX_SHOWN = 300
LONGEST_TITLE = 60
MARKS: dict[Level, str] = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}


class MapNode(BaseModel):
    """An object of the portal. `key` is its kind and id, `parent` the key of what it stands on where that is there.

    `level` is the gravest of its own findings. `title` is data from outside, on one line and cut.
    """

    model_config = ConfigDict(frozen=True)

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

    model_config = ConfigDict(frozen=True)

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
        states = [f"{levels[level]} {level}" for level in reversed(LEVELS) if levels[level]]
        rest = f"; {self.left_out} more left out" if self.left_out else ""
        return f"{len(self.nodes)} objects ({', '.join(states) or 'the portal is empty'}){rest}"


def build_portal_map(snapshot: Snapshot, generation: Generation = "tables") -> PortalMap:
    """Judge what the snapshot holds. What it does not tell is not judged."""
    sources = _grouped(snapshot.sources.values(), _connector_of(snapshot))
    datasets = _grouped(snapshot.datasets.values(), _source_of(snapshot))
    nodes = list[MapNode]()
    for connector_id in [*snapshot.connectors, None]:
        if connector_id is not None:
            nodes.append(_connector_node(snapshot.connectors[connector_id]))
        for source in sources.get(connector_id, ()):
            nodes.append(_source_node(source, snapshot, generation))
            nodes.extend(_dataset_node(dataset, snapshot) for dataset in datasets.get(source.id, ()))
    nodes.extend(_dataset_node(dataset, snapshot) for dataset in datasets.get(None, ()))
    nodes.extend(_vanished_node(gone) for gone in snapshot.vanished)
    return PortalMap(verdict=worst([finding for node in nodes for finding in node.findings]), nodes=nodes)


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """A text from outside without line breaks and without marks that turn text around."""
    shown = "".join(character if character.isprintable() else "�" for character in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _with_ancestors(node: MapNode, by_key: dict[str, MapNode]) -> Iterator[MapNode]:
    above: MapNode | None = node
    while above is not None:
        yield above
        above = by_key.get(above.parent) if above.parent else None


def _connector_of(snapshot: Snapshot) -> Iterable[int | None]:
    ids = (source.connector_id for source in snapshot.sources.values())
    return (id if id in snapshot.connectors else None for id in ids)


def _source_of(snapshot: Snapshot) -> Iterable[int | None]:
    ids = (dataset.source_id for dataset in snapshot.datasets.values())
    return (id if id in snapshot.sources else None for id in ids)


def _grouped(items: Iterable[Item], parents: Iterable[int | None]) -> dict[int | None, list[Item]]:
    groups = dict[int | None, list[Item]]()
    for item, parent in zip(items, parents, strict=True):
        groups.setdefault(parent, []).append(item)
    return groups


def _node(
    kind: Kind, id: int, title: str | None, findings: Sequence[Finding], parent: str | None = None
) -> MapNode:
    return MapNode(
        key=f"{kind} {id}",
        parent=parent,
        kind=kind,
        id=id,
        title=one_line(title or ""),
        level=worst(list(findings)),
        findings=list(findings),
    )


def _connector_node(connector: Connector) -> MapNode:
    return _node("connector", connector.id, connector.title, ())


def _source_node(source: Source, snapshot: Snapshot, generation: Generation) -> MapNode:
    connector = snapshot.connectors.get(source.connector_id or 0)
    # These checks look at the source and the connector only; a source without datasets is checked, too.
    context = DatasetContext(Dataset(id=0), source=source, connector=connector, generation=generation)
    findings = check_surroundings(context)
    if source.connector_id and connector is None:
        findings.append(
            Finding(
                level="error",
                where=f"source {source.id}",
                what=f"Its connector {source.connector_id} is not there: its datasets get no data.",
                fix="Make the connector again, then a source and datasets on it: a source cannot change its connector.",
            )
        )
    parent = f"connector {connector.id}" if connector else None
    return _node("source", source.id, source.title, findings, parent)


def _dataset_node(dataset: Dataset, snapshot: Snapshot) -> MapNode:
    known = dataset.source_id in snapshot.sources
    findings = [*_check_columns(dataset), *_check_builder(dataset)]
    if dataset.source_id and not known:
        findings.append(
            Finding(
                level="error",
                where=f"dataset {dataset.id}",
                what=f"Its source {dataset.source_id} is not there: it gets no data.",
                fix="Make the dataset again on another source; a dataset cannot change its source.",
            )
        )
    return _node(
        "dataset", dataset.id, dataset.name, findings, f"source {dataset.source_id}" if known else None
    )


def _check_columns(dataset: Dataset) -> Iterator[Finding]:
    if dataset.fields is None:
        return
    if not dataset.fields:
        yield Finding(
            level="error",
            where=f"dataset {dataset.id}",
            what="It has no columns: charts have nothing to show.",
            fix="Look what the table has, then add columns with dataset_fields_update.",
            call=call("dataset_diagnose", id=dataset.id),
        )
    elif all(column.visible is False for column in dataset.fields):
        yield Finding(
            level="warning",
            where=f"dataset {dataset.id}",
            what="All its columns are hidden: charts have nothing to show.",
            fix="Show the columns that charts need.",
            call=show_columns(dataset.id, [column.id for column in dataset.fields]),
        )


def _check_builder(dataset: Dataset) -> Iterator[Finding]:
    if dataset.external_id == 0:
        yield Finding(
            level="note",
            where=f"dataset {dataset.id}",
            what="No BI Builder dataset was made together with it, as is so after table.add.",
            fix="If charts need one, make it by hand in BI Builder.",
        )


def _vanished_node(gone: Vanished) -> MapNode:
    kind: Kind = next((kind for kind in KINDS if kind == gone.group), "dataset")
    finding = Finding(
        level="note",
        where=f"{kind} {gone.id}",
        what="It was listed and then no longer there: it was deleted while the portal was read.",
    )
    return _node(kind, gone.id, gone.name, [finding])
