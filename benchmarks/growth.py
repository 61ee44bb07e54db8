"""How the cost grows with a portal: HTTP requests for 10 to 10,000 datasets, counted and drawn. Nothing is timed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import anyio
from starlette.responses import PlainTextResponse

from benchmarks.snapshot import counting_requests
from benchmarks.workspace import setup_of, values
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.batch import MAX_COMMANDS
from bi_mcp.rest.query import PAGE_SIZE
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.setup.state import State
from bi_mcp.setup.state_file import StateInMemory
from bi_mcp.setup.workspace import Workspace

SIZES = (10, 100, 1_000, 10_000)
CONNECTORS = 2
SOURCES = 10

_TOKEN = Secret("token of the growth")


@dataclass(frozen=True)
class Cost:
    """Requests for a portal of so many datasets: reading everything, a plan, a first application and the least it could take."""

    datasets: int
    snapshot: int
    plan: int
    apply: int
    apply_floor: int
    one_by_one: int


def measure_growth() -> list[Cost]:
    """Count on a portal in the same process, a new one for each size."""
    return [anyio.run(_measure, size) for size in SIZES]


def draw(costs: list[Cost], file: Path) -> None:
    """Write the chart as SVG; both axes are logarithmic."""
    import pygal  # type: ignore[import-untyped]  # it ships no types

    chart = pygal.Line(
        title="HTTP requests to the portal, by number of datasets",
        logarithmic=True,
        x_title="datasets",
        legend_at_bottom=True,
        # Without it the picture would load a script from elsewhere.
        js=[],
    )
    chart.x_labels = [f"{cost.datasets:,}" for cost in costs]
    chart.add("reading one by one", [cost.one_by_one for cost in costs])
    chart.add("first application", [cost.apply for cost in costs])
    chart.add("its floor", [cost.apply_floor for cost in costs])
    chart.add("plan, as a snapshot", [cost.plan for cost in costs])
    chart.render_to_file(str(file))


def as_json(costs: list[Cost]) -> list[dict[str, Any]]:
    """The numbers, ready for `json.dumps`."""
    return [asdict(cost) for cost in costs]


async def _measure(size: int) -> Cost:
    app = create_app(
        LocalPortalSettings(access_token=_TOKEN), connectors={sample.ORIGIN: PlainTextResponse("ok")}
    )
    setup = setup_of(CONNECTORS, SOURCES, size, columns=3)
    async with BIConnector(HttpTransport("http://localhost", AccessToken(_TOKEN), app=app)) as bi:
        workspace = Workspace(bi, StateInMemory(State(portal="local")), values())
        with counting_requests() as applying:
            planned = await workspace.plan(setup)
            report = await workspace.apply(setup, planned.plan.checksum)
        with counting_requests() as planning:
            again = await workspace.plan(setup)
        with counting_requests() as reading:
            await bi.snapshot()
    app.state.database.close()
    assert report.complete, report.summary()
    assert again.plan.changes == ()
    pages = sum(count // PAGE_SIZE + 1 for count in (CONNECTORS, SOURCES, size))
    return Cost(
        datasets=size,
        snapshot=reading.requests,
        plan=planning.requests,
        apply=applying.requests,
        apply_floor=ceil((CONNECTORS + SOURCES + size) / MAX_COMMANDS),
        one_by_one=pages + SOURCES + size,
    )
