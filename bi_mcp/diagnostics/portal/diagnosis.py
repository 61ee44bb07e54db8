"""Every dataset of a portal diagnosed: one snapshot, one check of each source, and three calls for each external table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.base.progress import as_one_step, report
from bi_mcp.diagnostics.dataset.diagnosis import judge_dataset, tables_of
from bi_mcp.diagnostics.dataset.outside import Outside
from bi_mcp.diagnostics.dataset.repair_calls import call
from bi_mcp.diagnostics.dataset.surroundings import correct_values
from bi_mcp.diagnostics.dataset.table_answers import (
    CALLS_PER_HOST,
    WITHOUT_ANSWER,
    HostGates,
    TableList,
    read_table,
)
from bi_mcp.diagnostics.findings.endpoint_rules import DENIED, FAILURES, cause_of, consequence, quote_answer
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.health import build_portal_map
from bi_mcp.diagnostics.portal.portal_map import MapNode, PortalMap, state_of, verdict_of
from bi_mcp.diagnostics.portal.shared_faults import tell_once
from bi_mcp.errors import EndpointError, InvalidRequestError

if TYPE_CHECKING:
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.models import Dataset
    from bi_mcp.rest.snapshot import Snapshot


async def diagnose_portal(
    bi: BIConnector,
    caller: EndpointCaller,
    *,
    source: int | None = None,
    calls_per_host: int = CALLS_PER_HOST,
) -> PortalMap:
    """Map the portal, or what belongs to one `source`, with what the endpoints say of each dataset.

    At most `calls_per_host` calls at once reach a host. What an endpoint does wrong becomes a finding and stops nothing
    else; raises the portal's first error, and InvalidRequestError for a source that is not there.
    """
    await report(0, None, "Reading the portal")
    with as_one_step():
        snapshot = await bi.snapshot()
        generation = await bi.datasets.generation()
    if source is not None and source not in snapshot.sources:
        raise InvalidRequestError(
            say(
                "This application cannot see a source {id}. The map of the portal shows the sources that it can see.",
                id=source,
            )
        )
    rounds = _Rounds(snapshot, generation, caller, HostGates(calls_per_host))
    await rounds.make([source] if source is not None else list(snapshot.sources))
    return _with_findings(build_portal_map(snapshot, generation), rounds, snapshot, source)


@dataclass
class _Rounds:
    """The calls of endpoints, all at once as far as the gates allow. `found` holds findings by the key of their node, `checked`
    the keys of those whose endpoints were asked.
    """

    snapshot: Snapshot
    generation: PortalGeneration
    caller: EndpointCaller
    gates: HostGates
    found: dict[str, list[Finding]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    _done: int = 0
    _total: int = 0

    async def make(self, sources: Sequence[int]) -> None:
        tables = self._tables(sources)
        self._total = 1 + len(sources) + sum(map(len, tables.values()))
        self._done = 1
        async with anyio.create_task_group() as group:
            for source in sources:
                group.start_soon(self._examine, source, tables[source])

    def _tables(self, sources: Sequence[int]) -> dict[int, dict[str, list[Dataset]]]:
        tables: dict[int, dict[str, list[Dataset]]] = {source: {} for source in sources}
        for dataset in self.snapshot.datasets.values():
            if dataset.source_id in tables:
                tables[dataset.source_id].setdefault(dataset.external_code or "", []).append(dataset)
        return tables

    async def _examine(self, source_id: int, tables: dict[str, list[Dataset]]) -> None:
        source = self.snapshot.sources[source_id]
        connector = self.snapshot.connectors.get(source.connector_id or 0)
        if connector is None:
            # The map reports this already, and without a connector we have no address to call.
            await self._step(1 + len(tables), f"Source {source_id} has no connector")
            return
        outside = Outside(self.caller, source, connector, self.generation == "tables")
        there = await self._check(outside)
        self.checked.add(f"source {source_id}")
        if not self.found.get(f"source {source_id}"):
            # A refusal or silence does not prove that the connector works.
            self.checked.add(f"connector {connector.id}")
        await self._step(1, f"Checked source {source_id}")
        if not there:
            for dataset in (dataset for datasets in tables.values() for dataset in datasets):
                # The same fault blocks it; it is reported once, with the source or the connector.
                self.found[f"dataset {dataset.id}"] = self.found[f"source {source_id}"]
            await self._step(len(tables), f"Source {source_id} does not answer")
            return
        listing = TableList(outside, self.gates)
        async with anyio.create_task_group() as group:
            for table, datasets in tables.items():
                group.start_soon(self._read, outside, table, datasets, listing)

    async def _check(self, outside: Outside) -> bool:
        """Check whether the connector can be reached. A refusal becomes a finding, and the other endpoints are asked all the same."""
        try:
            async with self.gates.at(outside.urls["urlCheck"]):
                await self.caller.check(outside.urls["urlCheck"], outside.connection)
        except EndpointError as error:
            advice, mending = "", None
            if error.reason == DENIED:
                advice, mending = correct_values(outside.source, outside.connector)
            self.found[f"source {outside.source.id}"] = [
                FAILURES[error.reason].finding(
                    "urlCheck",
                    said=f"{quote_answer(error)} {consequence('urlCheck')}",
                    advice=advice or None,
                    call=mending or call("connector_check", source=outside.source.id),
                    cause=cause_of(error),
                )
            ]
            return error.reason not in WITHOUT_ANSWER
        return True

    async def _read(
        self, outside: Outside, table: str, datasets: Sequence[Dataset], listing: TableList
    ) -> None:
        columns = [column for dataset in datasets for column in dataset.fields or ()]
        answers = await read_table(outside, table, columns, self.gates, listing)
        if not answers.failures:
            self.checked.add(f"connector {outside.connector.id}")
        taken = tables_of(outside.source.id, self.snapshot.datasets.values())
        for dataset in datasets:
            diagnosis = judge_dataset(dataset, outside, answers, self.generation, taken)
            self.found[f"dataset {dataset.id}"] = diagnosis.findings
            self.checked.add(f"dataset {dataset.id}")
        await self._step(1, f"Read table {table} of source {outside.source.id}")

    async def _step(self, steps: int, text: str) -> None:
        self._done += steps
        await report(self._done, self._total, text)


def _with_findings(
    portal_map: PortalMap, rounds: _Rounds, snapshot: Snapshot, source: int | None
) -> PortalMap:
    family = set[str]()
    if source is not None:
        family = {f"source {source}", f"connector {snapshot.sources[source].connector_id}"}
    findings_of = {node.key: node.findings for node in portal_map.nodes}
    joined = list[MapNode]()
    for node in portal_map.nodes:
        if family and node.key not in family and node.parent != f"source {source}":
            continue
        # Without those that its source already has.
        above = findings_of.get(node.parent or "", [])
        more = [finding for finding in rounds.found.get(node.key, []) if finding not in above]
        joined.append(node.model_copy(update={"findings": [*node.findings, *more]}))
    nodes = list[MapNode]()
    for node, blocked in tell_once(joined):
        checked = node.key in rounds.checked or node.level != "unchecked"
        level = state_of(node.findings, checked=checked, blocked=blocked)
        nodes.append(node.model_copy(update={"level": level}))
    return PortalMap(verdict=verdict_of(nodes), nodes=nodes)
