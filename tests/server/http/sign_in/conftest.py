from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.http.sign_in.hosting import Hosted, hosting


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    """One server with one portal, which keeps everything in its configuration folder."""
    async with hosting(tmp_path) as running:
        yield running
