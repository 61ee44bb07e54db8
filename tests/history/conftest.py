from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bi_mcp.config import Generation
from tests.history.recorded import Recorded, a_recorded_portal


@pytest.fixture(params=["classic", "tables"])
def generation(request: pytest.FixtureRequest) -> Generation:
    chosen: Generation = request.param
    return chosen


@pytest.fixture
async def recorded(generation: Generation, tmp_path: Path) -> AsyncIterator[Recorded]:
    async with a_recorded_portal(generation, tmp_path / "config") as made:
        yield made
