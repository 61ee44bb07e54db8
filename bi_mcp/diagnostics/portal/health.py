"""The health of each object, read from one snapshot: the map of a portal. Endpoints are not called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from bi_mcp.diagnostics.dataset.repair_calls import call, call_showing_columns
from bi_mcp.diagnostics.dataset.surroundings import check_surroundings
from bi_mcp.diagnostics.findings import portal_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.portal_map import (
    MapNode,
    PortalMap,
    state_of,
    title_line,
    verdict_of,
)
from bi_mcp.errors import SecretReferenceError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Connector, Dataset, Source
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.travel import addresses_of

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.snapshot import Snapshot

Item = TypeVar("Item")


async def read_portal_map(bi: BIConnector) -> PortalMap:
    """Read the whole portal in a few requests and judge it. Raises the portal's first error."""
    snapshot = await bi.snapshot()
    return build_portal_map(snapshot, await bi.datasets.generation())


def build_portal_map(snapshot: Snapshot, generation: PortalGeneration = "tables") -> PortalMap:
    """Judge the objects of the snapshot. Data that it lacks is not judged, and an object does not count as healthy for that."""
    sources = _group_by_parent(
        (source, source.connector_id if source.connector_id in snapshot.connectors else None)
        for source in snapshot.sources.values()
    )
    datasets = _group_by_parent(
        (dataset, dataset.source_id if dataset.source_id in snapshot.sources else None)
        for dataset in snapshot.datasets.values()
    )
    nodes = list[MapNode]()
    for connector_id in [*snapshot.connectors, None]:
        if connector_id is not None:
            connector = snapshot.connectors[connector_id]
            node = _node("connector", connector.id, connector.title, ())
            nodes.append(node.model_copy(update={"host": _host(connector)}))
        for source in sources.get(connector_id, ()):
            nodes.append(_source_node(source, snapshot, generation))
            nodes.extend(_dataset_node(dataset, snapshot) for dataset in datasets.get(source.id, ()))
    nodes.extend(_dataset_node(dataset, snapshot) for dataset in datasets.get(None, ()))
    for gone in snapshot.vanished:
        findings = [rules.VANISHED_MEANWHILE.finding(f"{gone.group} {gone.id}")]
        # There is nothing more to check.
        nodes.append(_node(gone.group, gone.id, gone.label, findings, checked=True))
    return PortalMap(verdict=verdict_of(nodes), nodes=nodes)


def _group_by_parent(items: Iterable[tuple[Item, int | None]]) -> dict[int | None, list[Item]]:
    groups = dict[int | None, list[Item]]()
    for item, parent in items:
        groups.setdefault(parent, []).append(item)
    return groups


def _node(
    kind: Group,
    id: int,
    title: str | None,
    findings: Sequence[Finding],
    parent: str | None = None,
    *,
    checked: bool = False,
) -> MapNode:
    return MapNode(
        key=f"{kind} {id}",
        parent=parent,
        kind=kind,
        id=id,
        title=title_line(title or ""),
        level=state_of(list(findings), checked=checked),
        findings=list(findings),
    )


def _host(connector: Connector) -> str:
    try:
        hosts = find_destinations(addresses_of(connector), f"connector {connector.id}")
    except SecretReferenceError:
        return ""
    return title_line(", ".join(hosts))


def _source_node(source: Source, snapshot: Snapshot, generation: PortalGeneration) -> MapNode:
    connector = snapshot.connectors.get(source.connector_id or 0)
    findings = check_surroundings(source, connector, generation)
    if source.connector_id and connector is None:
        findings.append(rules.CONNECTOR_GONE.finding(f"source {source.id}", id=source.connector_id))
    parent = f"connector {connector.id}" if connector else None
    return _node("source", source.id, source.title, findings, parent)


def _dataset_node(dataset: Dataset, snapshot: Snapshot) -> MapNode:
    known = dataset.source_id in snapshot.sources
    findings = [*_check_columns(dataset)]
    if dataset.external_id == 0:
        findings.append(rules.NO_BUILDER_DATASET.finding(f"dataset {dataset.id}"))
    if dataset.source_id and not known:
        findings.append(rules.SOURCE_GONE.finding(f"dataset {dataset.id}", id=dataset.source_id))
    return _node(
        "dataset", dataset.id, dataset.name, findings, f"source {dataset.source_id}" if known else None
    )


def _check_columns(dataset: Dataset) -> Iterator[Finding]:
    if dataset.fields is None:
        return
    if not dataset.fields:
        yield rules.NO_COLUMNS.finding(f"dataset {dataset.id}", call=call("dataset_diagnose", id=dataset.id))
    elif all(column.visible is False for column in dataset.fields):
        yield rules.ALL_HIDDEN.finding(
            f"dataset {dataset.id}",
            call=call_showing_columns(dataset.id, [column.id for column in dataset.fields]),
        )
