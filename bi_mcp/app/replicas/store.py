"""The store of the state that replicas share. The stores are py-key-value's; this module only chooses one and sets its options."""

from __future__ import annotations

import warnings
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import anyio
from anyio import to_thread

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.vault.private_file import make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from key_value.aio.protocols import AsyncKeyValue

    from bi_mcp.base.secret import Secret
    from bi_mcp.config import HttpSettings

TABLE = "bi_mcp_shared"
TIMEOUT_S = 5.0
_START_LIMIT_S = 15.0
# The same on every replica. The key is long and random, so the salt has nothing to hide.
_SALT = "bi-mcp shared store"
_ENCRYPTED = "__encrypted_data__"


@asynccontextmanager
async def open_shared_store(settings: HttpSettings) -> AsyncIterator[AsyncKeyValue | None]:
    """Open the configured store, None where none is. Raises `ConfigError` when it is missing, mute or has another key."""
    if settings.shared_store is None:
        yield None
        return
    async with AsyncExitStack() as opened:
        try:
            plain = await opened.enter_async_context(_choose(settings.shared_store.reveal()))
        except ImportError:
            raise _missing_extra(settings.shared_store) from None
        store = plain if settings.shared_key is None else _encrypt(plain, settings.shared_key)
        await _probe(store, settings.shared_store)
        yield store


def _choose(address: str) -> AbstractAsyncContextManager[AsyncKeyValue]:
    kind = urlsplit(address).scheme
    if kind == "memory":
        return _memory()
    if kind == "file":
        return _folder(unquote(urlsplit(address).path))
    if kind == "postgresql":
        return _postgresql(address)
    return _redis(address)


@asynccontextmanager
async def _memory() -> AsyncIterator[AsyncKeyValue]:
    from key_value.aio.stores.memory import MemoryStore

    yield MemoryStore()


@asynccontextmanager
async def _folder(folder: str) -> AsyncIterator[AsyncKeyValue]:
    from key_value.aio.stores.filetree import (
        FileTreeStore,
        FileTreeV1CollectionSanitizationStrategy,
        FileTreeV1KeySanitizationStrategy,
    )

    path = anyio.Path(folder)
    try:
        # The library makes its files for their owner only, its folder for everybody.
        await to_thread.run_sync(make_private_folder, Path(folder))
    except OSError as error:
        raise ConfigError(
            say(
                "BI_MCP_SHARED_STORE names a folder that cannot be made: {strerror}. Name one that this user can make.",
                strerror=error.strerror,
            )
        ) from None
    yield FileTreeStore(
        data_directory=folder,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(path),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(path),
    )


@asynccontextmanager
async def _redis(address: str) -> AsyncIterator[AsyncKeyValue]:
    from key_value.aio.stores.redis import RedisStore
    from redis.asyncio import Redis

    # Made here: the library sets no time-outs, and takes a password literally as it is written in the address.
    client = Redis.from_url(
        address, decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    try:
        yield RedisStore(client=client)
    finally:
        await client.aclose()


@asynccontextmanager
async def _postgresql(address: str) -> AsyncIterator[AsyncKeyValue]:
    from asyncpg import create_pool  # type: ignore[import-untyped]  # it ships no types
    from key_value.aio.stores.postgresql import PostgreSQLStore

    try:
        pool = await create_pool(address, timeout=TIMEOUT_S, command_timeout=TIMEOUT_S, min_size=1)
    except Exception as error:  # noqa: BLE001  its errors are many, and their texts may hold the address
        raise _mute(address, error) from None
    try:
        with warnings.catch_warnings():
            # It says that the library's interface to PostgreSQL may change; which version is ours to pin.
            warnings.simplefilter("ignore", UserWarning)
            store = PostgreSQLStore(pool=pool, table_name=TABLE)
        yield store
    finally:
        await pool.close()


def _encrypt(plain: AsyncKeyValue, key: Secret) -> AsyncKeyValue:
    from key_value.aio.errors import CorruptedDataError
    from key_value.aio.wrappers.base import BaseWrapper
    from key_value.aio.wrappers.encryption import FernetEncryptionWrapper

    class OnlyEncrypted(BaseWrapper):
        """Refuse values that are not encrypted. The library would pass them on, so anyone who can write to the store could put a key of their own there."""

        def __init__(self, key_value: AsyncKeyValue) -> None:
            self.key_value = key_value

        async def get(self, key: str, *, collection: str | None = None) -> dict[str, Any] | None:
            return self._check(await self.key_value.get(key, collection=collection))

        async def get_many(
            self, keys: Sequence[str], *, collection: str | None = None
        ) -> list[dict[str, Any] | None]:
            values = await self.key_value.get_many(keys, collection=collection)
            return [self._check(value) for value in values]

        def _check(self, value: dict[str, Any] | None) -> dict[str, Any] | None:
            if value is not None and _ENCRYPTED not in value:
                raise CorruptedDataError("a value that is not encrypted")
            return value

    return FernetEncryptionWrapper(OnlyEncrypted(plain), source_material=key.reveal(), salt=_SALT)


async def _probe(store: AsyncKeyValue, address: Secret) -> None:
    from key_value.aio.errors import EncryptionError

    try:
        with anyio.fail_after(_START_LIMIT_S):
            if await store.get("probe", collection=TABLE) is None:
                await store.put("probe", {"made_by": "bi-mcp"}, collection=TABLE)
    except EncryptionError:
        raise ConfigError(
            say(
                "BI_MCP_SHARED_KEY does not open what the shared store holds. Set the key that the other replicas have, or begin with an empty store."
            )
        ) from None
    except Exception as error:  # noqa: BLE001  every store has its own errors, whose texts may hold its address and password
        raise _mute(address.reveal(), error) from None


def _mute(address: str, error: Exception) -> ConfigError:
    parts = urlsplit(address)
    where = f"{parts.scheme}://{parts.hostname or ''}"
    return ConfigError(
        say(
            "The shared store {where} does not answer as it must ({name}). Check BI_MCP_SHARED_STORE: host, port, password, database.",
            where=where,
            name=type(error).__name__,
        )
    )


def _missing_extra(address: Secret) -> ConfigError:
    extra = "postgresql" if urlsplit(address.reveal()).scheme == "postgresql" else "hosting"
    return ConfigError(
        say(
            'BI_MCP_SHARED_STORE needs packages that are not installed. Run: pip install "bitrix24-bi-mcp[{extra}]"',
            extra=extra,
        )
    )
