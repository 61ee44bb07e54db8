"""The apps of a server: one for all calls, or one for each person who signed in."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from anyio.abc import TaskGroup

    from bi_mcp.app.app import App


class Apps(Protocol):
    """Finds the app that serves the call of this task."""

    @property
    def secrets_page(self) -> str | None:
        """The page of this server where the caller stores secrets of their own, None where there is none."""
        ...

    def current(self) -> App:
        """Return the caller's app. Raises `AuthorisationError` where the caller must sign in first."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Keep the caller's app while this is open, however long the call takes."""
        ...

    def begin(self, background: TaskGroup) -> None:
        """Let apps run tasks that outlive a call."""
        ...

    async def aclose(self) -> None:
        """Close all apps."""
        ...


@dataclass(frozen=True)
class OneApp:
    """The same app for every call."""

    app: App

    @property
    def secrets_page(self) -> str | None:
        """Return None: secrets are stored on the machine of the server."""
        return None

    def current(self) -> App:
        """Return it."""
        return self.app

    def held(self) -> AbstractContextManager[None]:
        """Do nothing: it is kept in any case."""
        return nullcontext()

    def begin(self, background: TaskGroup) -> None:
        """Let it run tasks that outlive a call."""
        self.app.background = background

    async def aclose(self) -> None:
        """Close it."""
        await self.app.aclose()
