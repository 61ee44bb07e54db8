"""The state that this replica shares with the others."""

from __future__ import annotations

import hmac
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bi_mcp.app.replicas.budget import SharedBudget
from bi_mcp.app.replicas.store import SharedStore, UnreadableValueError
from bi_mcp.app.replicas.tokens import LocalLogin, SharedTokenStore
from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bi_mcp.base.secret import Secret

TIMEOUT_S = 5.0
SEALING_KEY = "sealing_key"


@dataclass(frozen=True)
class Shared:
    """The state that this replica shares with the others. `key` seals the data that clients carry between requests."""

    store: SharedStore
    budget: SharedBudget
    key: str = field(repr=False)

    @property
    def confirmation_key(self) -> bytes:
        """The key that seals the tokens for confirming destructive acts; derived from the other key."""
        return hmac.digest(self.key.encode(), b"confirmation tokens", "sha256")

    def tokens(self, local: LocalLogin | None = None) -> SharedTokenStore:
        """The logins of all replicas; `local` is where `bi-mcp login` put one on this machine."""
        return SharedTokenStore(self.store, local)


@asynccontextmanager
async def connect_shared(address: Secret, key: Secret) -> AsyncIterator[Shared]:
    """Connect to Redis. Raises `ConfigError` when it does not answer or holds values of another key."""
    try:
        # One retry: Redis may have closed an idle connection.
        redis = Redis.from_url(
            address.reveal(),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
    except Exception as error:  # noqa: BLE001  options in the address make the client fail in many ways
        raise _no_answer(address, error) from None
    async with redis:
        store = SharedStore(redis, key)
        try:
            sealing_key = await load_or_make_sealing_key(store)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001  as above, and broken answers have their own errors
            raise _no_answer(address, error) from None
        yield Shared(store, SharedBudget(redis), sealing_key)


async def load_or_make_sealing_key(store: SharedStore) -> str:
    """Return the key that all replicas seal with. The first one makes it."""
    await store.put(SEALING_KEY, {"key": secrets.token_hex(32)}, replace=False)
    try:
        document = await store.get(SEALING_KEY)
    except UnreadableValueError:
        raise ConfigError(
            say(
                "BI_MCP_SHARED_KEY does not decrypt the values in the shared store. Set the key of the other replicas, or use an empty Redis database."
            )
        ) from None
    assert document is not None  # noqa: S101  it has just been put there
    return str(document["key"])


def _no_answer(address: Secret, error: Exception) -> ConfigError:
    # The error's own text may hold the address and its password.
    parts = urlsplit(address.reveal())
    return ConfigError(
        say(
            "The shared store {where} did not answer as expected ({name}). Check BI_MCP_SHARED_STORE: host, port, password, database.",
            where=f"{parts.scheme}://{parts.hostname}",
            name=type(error).__name__,
        )
    )
