"""An application that is cancelled ends between two requests and says what it did."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from bi_mcp.config import Generation
from bi_mcp.setup.setup import ColumnEntry, ConnectorEntry, DatasetEntry, Setup, SourceEntry
from tests.rest.calling import CHECK
from tests.setup.setups import a_bench

pytestmark = pytest.mark.anyio

SETUP = Setup(
    version=1,
    connectors={
        "shop": ConnectorEntry(
            title="Shop",
            logo="data:,",
            url_check=f"{CHECK}/x",
            url_table_list=f"{CHECK}/x",
            url_table_description=f"{CHECK}/x",
            url_data=f"{CHECK}/x",
        )
    },
    sources={"shop": SourceEntry(connector="shop", title="Shop")},
    datasets={
        f"table_{number}": DatasetEntry(
            source="shop",
            external_code="t",
            external_name="T",
            columns=[ColumnEntry(name="ID", external_code="id", type="int")],
        )
        for number in range(30)
    },
)


@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_cancelled_after_its_first_request_it_is_taken_up_later(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        workspace = bench.workspace()
        planned = await workspace.plan(SETUP)
        with anyio.CancelScope() as scope:

            async def cancel(made: int, of: int, _: str) -> None:
                assert made < of
                scope.cancel()

            application = await workspace.prepare(SETUP, planned.plan.checksum, progress=cancel)
            await application.run()
        assert scope.cancelled_caught
        report = application.report()
        made = len(report.of("done"))
        assert 0 < made < 32
        assert len(report.of("not_done")) == 32 - made
        snapshot = await bench.snapshot()
        assert len(snapshot.connectors) + len(snapshot.sources) + len(snapshot.datasets) == made
        assert bench.workspace().keeper.read_pending() is None
        rest = await bench.workspace().plan(SETUP)
        assert rest.plan.count("create") == 32 - made
        assert (await bench.workspace().apply(SETUP, rest.plan.checksum)).complete
