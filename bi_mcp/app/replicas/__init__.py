"""State that replicas of a server over HTTP share in Redis: logins, the budget of requests, keys."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.config import HttpSettings


@asynccontextmanager
async def open_shared(settings: HttpSettings) -> AsyncIterator[Shared | None]:
    """Open the configured Redis, None where none is: a single server shares nothing.

    Raises `ConfigError` when Redis does not answer, holds values of another key, or its client is not installed.
    """
    if settings.shared_store is None:
        yield None
        return
    try:
        # Imported here: the client of Redis is an extra, and a single server does without it.
        from bi_mcp.app.replicas.shared import connect_shared
    except ImportError:
        raise ConfigError(
            say(
                'BI_MCP_SHARED_STORE needs packages that are not installed. Run: pip install "bitrix24-bi-mcp[hosting]"'
            )
        ) from None
    assert settings.shared_key is not None  # noqa: S101  `require_servable` asks for it
    async with connect_shared(settings.shared_store, settings.shared_key) as shared:
        yield shared
