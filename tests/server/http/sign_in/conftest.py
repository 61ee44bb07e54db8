from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.http.sign_in.hosting import Hosted, hosting
from tests.server.http.sign_in.site import Site, opened


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Site]:
    """A server to which people sign in, of one portal that nobody reaches. Each test brings clients and browsers of its own."""
    async with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    """One server with one portal, which keeps everything in its configuration folder."""
    async with hosting(tmp_path) as running:
        yield running
