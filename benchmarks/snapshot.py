"""`bi.snapshot()` of a large portal with the cloud's limits on, against a client that asks for one thing after the other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
from starlette.responses import PlainTextResponse

from benchmarks.local_portal import running_portal
from benchmarks.outcome import Outcome
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.errors import BiMcpError
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorFields, DatasetFields, NewColumn, Parameter, SourceFields
from bi_mcp.rest.query import PAGE_SIZE
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.rest.transport import HttpTransport

CONNECTORS = 20
SOURCES = 100
DATASETS = 1_000
COLUMNS = 20

GOAL_REQUESTS = 23
GOAL_PERCENT = 100 / 50
NAIVE_REQUESTS_PER_S = 2

_FILLING = Secret("token of the filling")
_CHECK = "http://check.localhost"


@dataclass(frozen=True)
class SnapshotCost:
    """HTTP requests as the client's HTTP library counts them, and seconds from the first to the last."""

    requests: int
    seconds: float

    def requests_outcome(self) -> Outcome:
        """Compare the number of requests."""
        return Outcome(
            benchmark=f"snapshot of {DATASETS:,} datasets, HTTP requests",
            measured=self.requests,
            goal=GOAL_REQUESTS,
            unit="requests",
            details={"ours": self.requests, "one after the other": naive_requests()},
        )

    def time_outcome(self) -> Outcome:
        """Compare the time with that of a client which the limit holds to two requests a second."""
        naive = naive_requests() / NAIVE_REQUESTS_PER_S
        return Outcome(
            benchmark=f"snapshot of {DATASETS:,} datasets, % of the time of a naive client",
            measured=100 * self.seconds / naive,
            goal=GOAL_PERCENT,
            unit="percent",
            details={
                "ours, s": self.seconds,
                "naive at 2 requests a second, s": naive,
                "times faster": naive / self.seconds,
            },
        )


def naive_requests() -> int:
    """Every page of the three lists up to the first that is not full, and each source and dataset by itself."""
    pages = sum(count // PAGE_SIZE + 1 for count in (CONNECTORS, SOURCES, DATASETS))
    return pages + SOURCES + DATASETS


@cache
def snapshot_cost() -> SnapshotCost:
    """Measure once, for both lines of the report."""
    return anyio.run(measure_snapshot)


async def measure_snapshot() -> SnapshotCost:
    """Fill a portal's file, serve it in a process of its own with the limits on, and read everything once."""
    with TemporaryDirectory() as folder:
        database = str(Path(folder, "portal.sqlite3"))
        await _fill(database)
        environment = {"BI_MCP_PORTAL_DB": database, "BI_MCP_PORTAL_LIMITS": "standard"}
        async with (
            running_portal(environment) as portal,
            BIConnector(portal.address, AccessToken(Secret(portal.token))) as bi,
        ):
            with counting_requests() as count:
                started = perf_counter()
                taken = await bi.snapshot()
                seconds = perf_counter() - started
    _check(taken)
    return SnapshotCost(requests=count.requests, seconds=seconds)


async def _fill(database: str) -> None:
    app = create_app(
        LocalPortalSettings(database=database, access_token=_FILLING),
        connectors={_CHECK: PlainTextResponse("ok")},
    )
    async with BIConnector(HttpTransport("http://localhost", AccessToken(_FILLING), app=app)) as bi:
        added = [
            *await bi.batch([bi.connectors.commands.add(_connector(number)) for number in range(CONNECTORS)]),
            *await bi.batch([bi.sources.commands.add(_source(number)) for number in range(SOURCES)]),
            *await bi.batch([bi.datasets.commands.add(_dataset(number)) for number in range(DATASETS)]),
        ]
    app.state.database.close()
    assert not [outcome for outcome in added if isinstance(outcome, BiMcpError)]


def _connector(number: int) -> ConnectorFields:
    return ConnectorFields(
        title=f"System {number}",
        logo="https://shop.example/logo.png",
        url_check=f"{_CHECK}/check",
        url_table_list=f"{_CHECK}/tables",
        url_table_description=f"{_CHECK}/table",
        url_data=f"{_CHECK}/data",
        settings=[Parameter(code="token", name="Token", type="STRING")],
    )


def _source(number: int) -> SourceFields:
    return SourceFields(
        title=f"Source {number}", connector_id=1 + number % CONNECTORS, settings={"token": Secret("a secret")}
    )


def _dataset(number: int) -> DatasetFields:
    columns = [
        NewColumn(name=f"COLUMN_{column}", external_code=f"column_{column}", type="string")
        for column in range(COLUMNS)
    ]
    return DatasetFields(
        name=f"table_{number}",
        source_id=1 + number % SOURCES,
        external_code=f"table_{number}",
        external_name=f"Table {number}",
        fields=columns,
    )


class RequestCount(logging.Handler):
    """httpx logs every request that it has sent."""

    requests = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.requests += record.getMessage().startswith("HTTP Request:")


@contextmanager
def counting_requests() -> Iterator[RequestCount]:
    logger, count = logging.getLogger("httpx"), RequestCount()
    level = logger.level
    logger.addHandler(count)
    logger.setLevel(logging.INFO)
    try:
        yield count
    finally:
        logger.removeHandler(count)
        logger.setLevel(level)


def _check(taken: Snapshot) -> None:
    assert (len(taken.connectors), len(taken.sources), len(taken.datasets)) == (CONNECTORS, SOURCES, DATASETS)
    assert all(source.settings for source in taken.sources.values())
    for dataset in taken.datasets.values():
        assert dataset.source_id in taken.sources
        assert len(dataset.fields or []) == COLUMNS
