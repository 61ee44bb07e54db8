from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.app.replicas.redis import running_redis


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture
def redis(redis_server: str) -> str:
    """The address of an empty Redis, password included."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server
