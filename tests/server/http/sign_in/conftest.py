from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.http.sign_in.site import Site, opened


@pytest.fixture
async def site(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Site]:
    """A server to which people sign in, of one portal that nobody reaches."""
    async with opened(tmp_path) as site:
        yield site
