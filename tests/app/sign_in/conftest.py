from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bi_mcp.app.sign_in.peoples_apps import PeoplesApps
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.config import Settings
from tests.app.replicas.conftest import redis, redis_server
from tests.app.sign_in.people import PeoplesPortal, peoples_portal, sign_ins_to
from tests.app.sign_in.stores import Clock, FolderStore, RedisStore, Store

__all__ = ["redis", "redis_server"]

STORES = ["folder", pytest.param("redis", marks=pytest.mark.needs("redis-server"))]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, anyio_backend: str
) -> AsyncIterator[Store]:
    """An empty store. The folder reads the clock of the test; Redis has its own."""
    if request.param == "folder":
        yield FolderStore(tmp_path / "sign-in", clock)
        return
    async with Redis.from_url(request.getfixturevalue("redis")) as client:
        yield RedisStore(client)


@pytest.fixture
async def portal() -> AsyncIterator[PeoplesPortal]:
    async with peoples_portal() as portal:
        yield portal


@pytest.fixture
def sign_ins(portal: PeoplesPortal) -> SignIns:
    return sign_ins_to(portal)


@pytest.fixture
async def apps(sign_ins: SignIns) -> AsyncIterator[PeoplesApps]:
    apps = PeoplesApps(Settings(), sign_ins)
    yield apps
    await apps.aclose()
