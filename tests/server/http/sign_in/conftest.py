from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.http.sign_in.hosting import Hosted, hosting
from tests.server.http.sign_in.site import Site, opened


@pytest.fixture
async def site(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Site]:
    """A server to which people sign in, of one portal that nobody reaches."""
    async with opened(tmp_path) as site:
        yield site


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    """One server with one portal, which keeps everything in its configuration folder."""
    async with hosting(tmp_path) as running:
        yield running
