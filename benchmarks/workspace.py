"""A setup of 1,000 datasets: its first application to an empty portal with the cloud's limits on, and a plan afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from benchmarks.local_portal import running_portal
from benchmarks.outcome import Outcome
from benchmarks.snapshot import COLUMNS, CONNECTORS, DATASETS, SOURCES, counting_requests
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.practice import sample
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.batch import MAX_COMMANDS
from bi_mcp.rest.models import Parameter
from bi_mcp.setup.setup import ColumnEntry, ConnectorEntry, DatasetEntry, Setup, SourceEntry
from bi_mcp.setup.state_file import StateFile
from bi_mcp.setup.workspace import Workspace
from bi_mcp.vault.setting_values import EnvReference, SettingValues

GOAL_PLAN = 30
GOAL_OVER_FLOOR = 1.5


@dataclass(frozen=True)
class WorkspaceCost:
    """HTTP requests: of plan, second look and writes of a first application; and of a plan of the full portal."""

    apply: int
    plan: int

    def apply_outcome(self) -> Outcome:
        """Compare with the least that these writes could take, all of them in full batches."""
        return Outcome(
            benchmark=f"first application of {DATASETS:,} datasets, requests / floor",
            measured=self.apply / floor(),
            goal=GOAL_OVER_FLOOR,
            unit="ratio",
            details={"requests": self.apply, "floor": floor()},
        )

    def plan_outcome(self) -> Outcome:
        """Compare the number of requests."""
        return Outcome(
            benchmark=f"plan of {DATASETS:,} datasets, HTTP requests",
            measured=self.plan,
            goal=GOAL_PLAN,
            unit="requests",
            details={"requests": self.plan},
        )


def floor() -> int:
    """One request for 50 writes; every write of this setup can travel in a batch."""
    return ceil((CONNECTORS + SOURCES + DATASETS) / MAX_COMMANDS)


@cache
def workspace_cost() -> WorkspaceCost:
    """Measure once, for both lines of the report."""
    return anyio.run(measure_workspace)


async def measure_workspace() -> WorkspaceCost:
    """Apply a setup to an empty portal in a process of its own, then plan it again: there must be nothing to do."""
    setup = setup_of(CONNECTORS, SOURCES, DATASETS)
    with TemporaryDirectory() as folder:
        async with (
            running_portal({"BI_MCP_PORTAL_LIMITS": "standard"}) as portal,
            BIConnector(portal.address, AccessToken(Secret(portal.token))) as bi,
        ):
            workspace = Workspace(bi, StateFile(Path(folder, "bi.yaml"), PortalIdentity("local")), values())
            with counting_requests() as applying:
                planned = await workspace.plan(setup)
                report = await workspace.apply(setup, planned.plan.checksum)
            with counting_requests() as planning:
                again = await workspace.plan(setup)
    assert report.complete, report.summary()
    assert again.plan.changes == ()
    return WorkspaceCost(apply=applying.requests, plan=planning.requests)


def values() -> SettingValues:
    return SettingValues(
        variable=lambda _: Secret(sample.DEMO_PASSWORD), folder=None, allow_literal_secrets=False
    )


def setup_of(connectors: int, sources: int, datasets: int, *, columns: int = COLUMNS) -> Setup:
    """A setup of so many objects, evenly spread; every write of it can travel in a batch."""
    return Setup(
        version=1,
        connectors={f"system_{number}": _connector(number) for number in range(connectors)},
        sources={f"source_{number}": _source(number, connectors) for number in range(sources)},
        datasets={f"table_{number}": _dataset(number, sources, columns) for number in range(datasets)},
    )


def _connector(number: int) -> ConnectorEntry:
    parameters = [
        Parameter(code="login", name="Login", type="STRING"),
        Parameter(code="password", name="Password", type="STRING"),
    ]
    return ConnectorEntry(
        title=f"System {number}",
        logo="https://shop.example/logo.png",
        url_check=sample.ORIGIN + sample.ENDPOINTS["urlCheck"],
        url_table_list=sample.ORIGIN + sample.ENDPOINTS["urlTableList"],
        url_table_description=sample.ORIGIN + sample.ENDPOINTS["urlTableDescription"],
        url_data=sample.ORIGIN + sample.ENDPOINTS["urlData"],
        settings=parameters,
    )


def _source(number: int, connectors: int) -> SourceEntry:
    return SourceEntry(
        connector=f"system_{number % connectors}",
        title=f"Source {number}",
        settings={"login": "demo", "password": EnvReference(env="BI_MCP_SECRET_SAMPLE")},
    )


def _dataset(number: int, sources: int, columns: int) -> DatasetEntry:
    entries = [
        ColumnEntry(name=f"COLUMN_{column}", external_code=f"column_{column}", type="string")
        for column in range(columns)
    ]
    return DatasetEntry(
        source=f"source_{number % sources}",
        external_code=f"table_{number}",
        external_name=f"Table {number}",
        columns=entries,
    )
