from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bi_mcp.config import ErrorPlace, Generation
from tests.rest.calling import Portal, a_portal


@pytest.fixture(params=["result", "root"], ids=["errors-in-result", "errors-at-root"])
def errors(request: pytest.FixtureRequest) -> ErrorPlace:
    place: ErrorPlace = request.param
    return place


@pytest.fixture(params=["classic", "tables"])
def generation(request: pytest.FixtureRequest) -> Generation:
    chosen: Generation = request.param
    return chosen


@pytest.fixture
async def portal(generation: Generation, errors: ErrorPlace) -> AsyncIterator[Portal]:
    """A portal of each generation, with its errors in each place."""
    async with a_portal(generation, errors) as made:
        yield made


@pytest.fixture
async def tables() -> AsyncIterator[Portal]:
    async with a_portal("tables") as made:
        yield made


@pytest.fixture
async def classic() -> AsyncIterator[Portal]:
    async with a_portal("classic") as made:
        yield made
