"""What replicas share in Redis, and who can read it."""

from __future__ import annotations

import sys

import anyio
import pytest
from redis.asyncio import Redis

from bi_mcp.app.replicas import open_shared
from bi_mcp.app.replicas.shared import SEALING_KEY
from bi_mcp.app.replicas.store import PREFIX, UnreadableValueError
from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings
from bi_mcp.errors import ConfigError
from tests.app.replicas.redis import PASSWORD, broken_redis

pytestmark = pytest.mark.anyio

KEY = "a-shared-key-of-the-two-replicas"


def settings(address: str, key: str = KEY) -> HttpSettings:
    return HttpSettings(shared_store=Secret(address), shared_key=Secret(key))


async def test_without_an_address_nothing_is_shared() -> None:
    async with open_shared(HttpSettings()) as shared:
        assert shared is None


@pytest.mark.needs("redis-server")
async def test_what_one_replica_puts_there_the_other_reads_and_redis_does_not(redis: str) -> None:
    async with open_shared(settings(redis)) as one, open_shared(settings(redis)) as other:
        assert one
        assert other
        await one.store.put("token:prod", {"access": "hunter2"})
        assert await other.store.get("token:prod") == {"access": "hunter2"}
        assert await other.store.get("token:test") is None
    async with Redis.from_url(redis) as client:
        value = await client.get(f"{PREFIX}token:prod")
    assert value
    assert b"hunter2" not in value


@pytest.mark.needs("redis-server")
async def test_replicas_that_start_together_seal_with_one_key(redis: str) -> None:
    keys: list[str] = []

    async def start() -> None:
        async with open_shared(settings(redis)) as shared:
            assert shared
            keys.append(shared.key)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(start)
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert len(keys[0]) == 64


@pytest.mark.needs("redis-server")
async def test_another_key_is_noticed_at_the_start(redis: str) -> None:
    async with open_shared(settings(redis)):
        pass
    with pytest.raises(ConfigError, match="BI_MCP_SHARED_KEY"):
        async with open_shared(settings(redis, KEY[::-1])):
            pass


@pytest.mark.needs("redis-server")
async def test_a_value_that_somebody_put_into_redis_unencrypted_is_refused(redis: str) -> None:
    async with Redis.from_url(redis) as client, open_shared(settings(redis)) as shared:
        assert shared
        await client.set(PREFIX + SEALING_KEY, '{"key": "' + "0" * 64 + '"}')
        with pytest.raises(UnreadableValueError):
            await shared.store.get(SEALING_KEY)
        with pytest.raises(ConfigError, match="BI_MCP_SHARED_KEY"):
            async with open_shared(settings(redis)):
                pass


@pytest.mark.needs("redis-server")
async def test_a_wrong_password_is_named_and_not_shown(redis: str) -> None:
    with pytest.raises(ConfigError) as raised:
        async with open_shared(settings(redis.replace("password-of", "hunter2-of"))):
            pass
    assert "BI_MCP_SHARED_STORE" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("option", ["nonsense=1", "socket_timeout=soon", "retry=1", "event_dispatcher=1"])
async def test_an_option_that_the_client_does_not_take_is_an_error_that_names_the_variable(
    option: str,
) -> None:
    with pytest.raises(ConfigError, match="BI_MCP_SHARED_STORE") as raised:
        async with open_shared(settings(f"redis://:hunter2@127.0.0.1:1/0?{option}")):
            pass
    assert "hunter2" not in str(raised.value)


@pytest.mark.needs("redis-server")
async def test_an_encoding_that_python_does_not_have_is_an_error_that_names_the_variable(redis: str) -> None:
    with pytest.raises(ConfigError, match="BI_MCP_SHARED_STORE") as raised:
        async with open_shared(settings(f"{redis}?encoding=nonsense")):
            pass
    assert PASSWORD not in str(raised.value)


async def test_a_server_that_is_not_redis_is_an_error_that_names_the_variable() -> None:
    async with broken_redis() as address:
        with pytest.raises(ConfigError, match="BI_MCP_SHARED_STORE") as raised:
            async with open_shared(settings(address)):
                pass
    assert PASSWORD not in str(raised.value)


async def test_a_missing_package_is_named_as_one_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("bi_mcp.app.replicas.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigError) as raised:
        async with open_shared(settings("redis://127.0.0.1:1")):
            pass
    assert 'pip install "bitrix24-bi-mcp[hosting]"' in str(raised.value)
