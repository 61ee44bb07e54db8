"""All datasets of a portal diagnosed, against one dataset after the other, with endpoints that take 50 ms."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

import anyio
import httpx
from anyio.streams.buffered import BufferedByteReceiveStream
from starlette.responses import PlainTextResponse

from benchmarks.outcome import Outcome
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset
from bi_mcp.diagnostics.dataset.table_answers import CALLS_PER_HOST
from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import BiMcpError
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import (
    ConnectorChanges,
    ConnectorFields,
    DatasetFields,
    NewColumn,
    Parameter,
    SourceFields,
)
from bi_mcp.rest.transport import HttpTransport
from tests.charts.connector import CONNECTION, PATHS
from tests.charts.tables import shop

SOURCES = 10
DATASETS = 1_000
# One after the other, 1,000 datasets would take two minutes: both ways are timed over this many, full and in this run.
TIMED = 200

GOAL_TIMES_FASTER = 6
_TOKEN = Secret("token of the benchmark")
_CHECK = "http://check.localhost"


@dataclass(frozen=True)
class DiagnosisCost:
    """Calls of endpoints and seconds. `whole` is over 1,000 datasets, the other two over 200."""

    calls: int
    most_at_once: int
    whole: float
    together: float
    one_by_one: float

    def calls_outcome(self) -> Outcome:
        """Three calls for each table and one for each source; each dataset here has a table of its own."""
        return Outcome(
            benchmark=f"diagnosis of {DATASETS:,} datasets, calls of endpoints",
            measured=self.calls,
            goal=3 * DATASETS + SOURCES,
            unit="calls",
            details={"calls": self.calls, "seconds": self.whole},
        )

    def bound_outcome(self) -> Outcome:
        """No host is asked more at once than is allowed."""
        return Outcome(
            benchmark="diagnosis, calls at one host at once",
            measured=self.most_at_once,
            goal=CALLS_PER_HOST,
            unit="calls",
        )

    def time_outcome(self) -> Outcome:
        """Compare with one dataset after the other in the same run."""
        return Outcome(
            benchmark=f"diagnosis of {TIMED} datasets, % of the time of one after the other",
            measured=100 * self.together / self.one_by_one,
            goal=100 / GOAL_TIMES_FASTER,
            unit="percent",
            details={
                "together, s": self.together,
                "one after the other, s": self.one_by_one,
                "times faster": self.one_by_one / self.together,
            },
        )


@cache
def diagnosis_cost() -> DiagnosisCost:
    """Measure once, for all lines of the report."""
    return anyio.run(measure_diagnosis)


async def measure_diagnosis() -> DiagnosisCost:
    """The connector runs in a process of its own; the portal is in this one, so that its own limits are not measured."""
    caller = EndpointCaller(allow_private=True)
    async with _slow_connector() as address, httpx.AsyncClient(base_url=address, trust_env=False) as http:
        async with _portal(address, TIMED) as (bi, datasets):
            # Certificates and modules are loaded by whoever comes first.
            await diagnose_dataset(bi, caller, datasets[0])
            started = perf_counter()
            await diagnose_portal(bi, caller)
            together = perf_counter() - started
            started = perf_counter()
            for dataset in datasets:
                await diagnose_dataset(bi, caller, dataset)
            one_by_one = perf_counter() - started
        async with _portal(address, DATASETS) as (bi, _):
            await http.get("/counts")
            started = perf_counter()
            found = await diagnose_portal(bi, caller)
            whole = perf_counter() - started
            counts: dict[str, Any] = (await http.get("/counts")).json()
    assert found.verdict == "ok", [node.findings for node in found.nodes if node.findings][:3]
    assert sum(node.kind == "dataset" for node in found.nodes) == DATASETS
    return DiagnosisCost(sum(counts["calls"].values()), counts["most"], whole, together, one_by_one)


@asynccontextmanager
async def _slow_connector() -> AsyncIterator[str]:
    command = [sys.executable, "-m", "benchmarks.slow_connector", str(DATASETS)]
    async with await anyio.open_process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 200)
            yield line.decode().strip()
        finally:
            process.terminate()


@asynccontextmanager
async def _portal(address: str, datasets: int) -> AsyncIterator[tuple[BIConnector, list[int]]]:
    app = create_app(
        LocalPortalSettings(database=":memory:", access_token=_TOKEN),
        connectors={_CHECK: PlainTextResponse("ok")},
    )
    async with BIConnector(HttpTransport("http://localhost", AccessToken(_TOKEN), app=app)) as bi:
        connector = await bi.connectors.add(_connector())
        source = bi.sources.commands.add(
            SourceFields(
                title="Shop",
                connector_id=connector,
                settings={code: Secret(value) for code, value in CONNECTION.items()},
            )
        )
        sources = [added for added in await bi.batch([source] * SOURCES) if isinstance(added, int)]
        commands = [
            bi.datasets.commands.add(_dataset(number, sources[number % SOURCES]))
            for number in range(datasets)
        ]
        added = await bi.batch(commands)
        assert not [outcome for outcome in added if isinstance(outcome, BiMcpError)]
        urls = {name: address + path for name, path in PATHS.items()}
        await bi.connectors.update(connector, ConnectorChanges.model_validate(urls))
        yield bi, [id for id in added if isinstance(id, int)]
    app.state.database.close()


def _connector() -> ConnectorFields:
    return ConnectorFields(
        title="Shop",
        logo="https://shop.example/logo.png",
        url_check=f"{_CHECK}/check",
        url_table_list=f"{_CHECK}/tables",
        url_table_description=f"{_CHECK}/table",
        url_data=f"{_CHECK}/data",
        settings=[Parameter(code=code, name=code, type="STRING") for code in CONNECTION],
    )


def _dataset(number: int, source: int) -> DatasetFields:
    columns = [
        NewColumn.model_validate({"name": column.name, "externalCode": column.code, "type": column.type})
        for column in shop().columns
    ]
    return DatasetFields(
        name=f"table_{number}",
        source_id=source,
        external_code=f"table_{number}",
        external_name=f"Table {number}",
        fields=columns,
    )
