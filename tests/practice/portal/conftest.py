from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.practice.portal.calling import Portal, a_portal


@pytest.fixture
async def tables() -> AsyncIterator[Portal]:
    async with a_portal("tables") as portal:
        yield portal


@pytest.fixture
async def classic() -> AsyncIterator[Portal]:
    async with a_portal("classic") as portal:
        yield portal
