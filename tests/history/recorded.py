"""A portal whose writes are recorded, in both generations."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.history.audit import Audit
from bi_mcp.history.entries import Entry, History, Stamp, open_history
from bi_mcp.history.journal import Journal
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.rest import BIConnector
from bi_mcp.rest.gather import GatheringTransport
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    DatasetChanges,
    NewColumn,
    SourceChanges,
)
from tests.rest.calling import Portal, a_portal, connector_fields, dataset_fields, source_fields

HOST = "portal.example"
CANARY = "password-canary"


@dataclass
class Recorded:
    """`bi` records, `portal.bi` reaches the same portal without a word."""

    portal: Portal
    folder: Path
    bi: BIConnector = field(init=False)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = open_history(self.folder, PortalIdentity(HOST))
        recorder = Recorder(
            Stamp("acme", self.history.identity), self.history, Audit(Journal(self.folder / "audit.jsonl"))
        )
        self.bi = self.portal.bi.through(GatheringTransport, partial(RecordingTransport, recorder=recorder))

    @property
    def entries(self) -> list[Entry]:
        return self.history.entries()

    @property
    def last(self) -> Entry:
        return self.history.unseal(self.entries[-1])

    @property
    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]

    def everything_written(self) -> str:
        """Whatever stands in the files, names of files included."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "\n".join(f"{path} {path.read_bytes().decode()}" for path in files)


@asynccontextmanager
async def a_recorded_portal(generation: Generation, folder: Path) -> AsyncIterator[Recorded]:
    async with a_portal(generation) as portal:
        yield Recorded(portal, folder)


@dataclass(frozen=True)
class Tree:
    """A connector, its source, and the source's dataset."""

    connector: int
    source: int
    dataset: int


async def plant(bi: BIConnector) -> Tree:
    connector = await bi.connectors.add(connector_fields(description="first"))
    source = await bi.sources.add(source_fields(connector, CANARY))
    return Tree(connector, source, await bi.datasets.add(dataset_fields(source)))


async def _change_columns(bi: BIConnector, tree: Tree) -> None:
    columns = (await bi.datasets.get(tree.dataset)).fields or []
    await bi.datasets.update_columns(
        tree.dataset,
        ColumnChanges(
            add=[NewColumn(name="MORE", external_code="more", type="int")],
            update=[ColumnVisibility(id=columns[0].id, visible=False)],
            delete=[columns[1].id],
        ),
    )


# Each writing method, by its operation: what calls it on a tree of recorded writes.
WRITES: dict[str, Callable[[BIConnector, Tree], Awaitable[object]]] = {
    "connector.add": lambda bi, _: bi.connectors.add(connector_fields(title="Second")),
    "connector.update": lambda bi, tree: bi.connectors.update(
        tree.connector, ConnectorChanges(title="Renamed", description="second")
    ),
    "source.add": lambda bi, tree: bi.sources.add(source_fields(tree.connector, CANARY)),
    "source.update": lambda bi, tree: bi.sources.update(
        tree.source, SourceChanges(title="Renamed", settings={"password": Secret(f"{CANARY}-2")})
    ),
    "dataset.add": lambda bi, tree: bi.datasets.add(dataset_fields(tree.source, "second")),
    "dataset.update": lambda bi, tree: bi.datasets.update(tree.dataset, DatasetChanges(description="second")),
    "dataset.fields.update": _change_columns,
    "dataset.delete": lambda bi, tree: bi.datasets.delete(tree.dataset),
}
# These need a tree with fewer leaves.
DEEPER: dict[str, Callable[[BIConnector, Tree], Awaitable[object]]] = {
    "source.delete": lambda bi, tree: bi.sources.delete(tree.source),
    "connector.delete": lambda bi, tree: bi.connectors.delete(tree.connector),
}


async def prepare(bi: BIConnector, operation: str) -> Tree:
    """A tree on which the write can be made."""
    tree = await plant(bi)
    if operation in DEEPER:
        await bi.datasets.delete(tree.dataset)
    if operation == "connector.delete":
        await bi.sources.delete(tree.source)
    return tree


ALL_WRITES = {**WRITES, **DEEPER}
