"""What a running server shares between its tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp.server.mcpserver import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.rest.client import BIConnector
    from bi_mcp.setting_values import SettingValues


@dataclass
class App:
    """The portal and how it is called to people, the secrets, and what may be shown.

    `connect` opens the client when the first call needs it: a server is started for every chat, and most chats
    never call. `notice` goes with every answer that could be mistaken for a real portal's.
    """

    connect: Callable[[], BIConnector]
    setting_values: SettingValues
    portal_name: str = "the portal"
    shown_settings: frozenset[str] = frozenset()
    notice: str | None = None
    _client: BIConnector | None = field(default=None, init=False)

    @property
    def bi(self) -> BIConnector:
        """The client of the portal."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    async def aclose(self) -> None:
        """Close the client; a later call opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


BiContext = Context[App]


def app_of(ctx: BiContext) -> App:
    """The app behind a call."""
    app = ctx.request_context.lifespan_context
    assert isinstance(app, App)  # noqa: S101  the composition root's lifespan yields nothing else
    return app
