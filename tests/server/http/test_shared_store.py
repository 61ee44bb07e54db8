"""Where replicas keep what they share: which store an address means, and who can read it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from key_value.aio.errors import CorruptedDataError
from key_value.aio.stores.redis import RedisStore
from redis.asyncio import Redis

from bi_mcp.app.replicas.store import open_shared_store
from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings
from bi_mcp.errors import ConfigError
from tests.server.http.redis import running_redis

pytestmark = pytest.mark.anyio

KEY = "a-shared-key-of-the-two-replicas"


def settings(address: str, key: str | None = None) -> HttpSettings:
    return HttpSettings(shared_store=Secret(address), shared_key=Secret(key) if key else None)


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[str]:
    async with running_redis(tmp_path) as address:
        yield address


async def test_without_an_address_nothing_is_shared() -> None:
    async with open_shared_store(HttpSettings()) as store:
        assert store is None


async def test_memory_lasts_as_long_as_the_process() -> None:
    async with open_shared_store(settings("memory:")) as store:
        assert store is not None
        await store.put("a", {"b": 1})
        assert await store.get("a") == {"b": 1}


async def test_a_folder_is_shared_by_processes_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "shared things"
    address = f"file://{folder.as_posix().replace(' ', '%20')}"
    async with open_shared_store(settings(address)) as one, open_shared_store(settings(address)) as other:
        assert one is not None
        assert other is not None
        await one.put("key with / and ..", {"b": 1}, collection="tokens")
        assert await other.get("key with / and ..", collection="tokens") == {"b": 1}
    assert folder.stat().st_mode & 0o077 == 0
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_with_a_key_a_folder_holds_nothing_readable(tmp_path: Path) -> None:
    async with open_shared_store(settings(f"file://{tmp_path}", KEY)) as store:
        assert store is not None
        await store.put("token", {"access": "hunter2"}, collection="tokens")
        assert await store.get("token", collection="tokens") == {"access": "hunter2"}
    files = [path async for path in anyio.Path(tmp_path).rglob("*.json")]
    assert files
    assert "hunter2" not in "".join([await path.read_text() for path in files])


async def test_another_key_is_noticed_at_the_start(tmp_path: Path) -> None:
    async with open_shared_store(settings(f"file://{tmp_path}", KEY)):
        pass
    with pytest.raises(ConfigError, match="BI_MCP_SHARED_KEY"):
        async with open_shared_store(settings(f"file://{tmp_path}", KEY[::-1])):
            pass


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="BI_MCP_SHARED_STORE"):
        async with open_shared_store(settings(f"file://{tmp_path}/file/folder")):
            pass


@pytest.mark.needs("redis-server")
async def test_a_value_that_somebody_put_into_redis_unencrypted_is_not_believed(redis: str) -> None:
    async with (
        open_shared_store(settings(redis, KEY)) as store,
        Redis.from_url(redis, decode_responses=True) as client,
    ):
        assert store is not None
        await RedisStore(client=client).put("request_state", {"key": "0" * 64}, collection="keys")
        with pytest.raises(CorruptedDataError):
            await store.get("request_state", collection="keys")
        with pytest.raises(CorruptedDataError):
            await store.get_many(["request_state"], collection="keys")


@pytest.mark.needs("redis-server")
async def test_a_wrong_password_is_named_and_not_shown(redis: str) -> None:
    with pytest.raises(ConfigError) as raised:
        async with open_shared_store(settings(redis.replace("password-of", "hunter2-of"), KEY)):
            pass
    assert "BI_MCP_SHARED_STORE" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "module", "extra"),
    [
        ("redis://127.0.0.1:1", "redis.asyncio", "bitrix24-bi-mcp[hosting]"),
        ("memory:", "key_value.aio.stores.memory", "bitrix24-bi-mcp[hosting]"),
        ("postgresql://127.0.0.1:1/x", "asyncpg", "bitrix24-bi-mcp[postgresql]"),
    ],
)
async def test_a_missing_package_is_named_as_one_installs_it(
    monkeypatch: pytest.MonkeyPatch, address: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as raised:
        async with open_shared_store(settings(address, KEY)):
            pass
    assert f'pip install "{extra}"' in str(raised.value)
