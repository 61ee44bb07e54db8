from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bi_mcp.practice.sample import ORIGIN, create_app


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sample over the data that comes with the package."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url=ORIGIN) as client:
        yield client
