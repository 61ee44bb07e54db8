"""The state that a running server shares between its tools."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from anyio import Lock

from bi_mcp.app.seal import Seal
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.language import Language, say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.guarded_writes import GuardedWrites
from bi_mcp.history.settled_addresses import settle_addresses
from bi_mcp.rest.read_only import ReadOnlyTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from anyio.abc import TaskGroup

    from bi_mcp.config import Culture
    from bi_mcp.diagnostics.dataset.outside import Outside
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.history.column_replacement import ColumnReplacer
    from bi_mcp.history.entries import History
    from bi_mcp.history.recording import Recorder
    from bi_mcp.history.seen_history import SeenHistory
    from bi_mcp.history.undo_run import Undo
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.rate_limit import Limiter
    from bi_mcp.rest.request import Layer
    from bi_mcp.setup.state_file import StateKeeper
    from bi_mcp.setup.workspace import Planned, Workspace
    from bi_mcp.vault.asking import AskingPages
    from bi_mcp.vault.secret_page import SecretPages
    from bi_mcp.vault.setting_values import SettingValues

MOST_PLANS = 20

EMBEDDED_IDENTITY = PortalIdentity("embedded")

_chosen: ContextVar[str | None] = ContextVar("chosen portal", default=None)


def build_caller(
    culture: Culture = "ru", *, allow_private: bool = False, portal: str | None = None
) -> EndpointCaller:
    """Build the caller of the endpoints of connectors, which `portal` calls as well."""
    # Imported here: httpx is not needed until the first call.
    from bi_mcp.endpoints.caller import EndpointCaller

    return EndpointCaller(allow_private=allow_private, culture=culture, portal=portal)


@dataclass
class PortalAccess:
    """One portal that the server works with.

    `title` is its name for people, `about` its description in the server's instructions. `connect` opens the client when
    the first call needs it: a server is started for every chat, and most chats never call. `notice` goes with every
    answer that could be mistaken for another portal's. `read_only` is the user's lock, kept by the client, too. `limiter`
    knows how much the portal still allows; the practice portal has no limits. `identity` is what the ids in a state file and in
    a history belong to. `call_endpoints` builds the caller of the endpoints of its connectors. `user` is who logged in, where that is known; `recorder` writes down every write before it is sent;
    `locks` is the folder with the locks that other processes on the same portal hold, too; `one_at_a_time` is held by all of this process.
    """

    title: str
    about: str
    connect: Callable[[], BIConnector]
    notice: str | None = None
    read_only: bool = False
    limiter: Limiter | None = None
    call_endpoints: Callable[[], EndpointCaller] = build_caller
    identity: PortalIdentity = EMBEDDED_IDENTITY
    user: Callable[[], int | None] = lambda: None
    recorder: Recorder | None = None
    locks: Path | None = None
    one_at_a_time: Lock = field(default_factory=Lock)
    _client: BIConnector | None = field(default=None, init=False)

    @property
    def caller(self) -> EndpointCaller:
        """The caller of the endpoints of the portal's connectors, which calls them as Bitrix24 does."""
        return self.call_endpoints()

    @property
    def addresses_settled(self) -> AbstractAsyncContextManager[None]:
        """The lock on the addresses of the portal's connectors. A task that sends secrets after a look at them holds it, and a task that changes them."""
        return settle_addresses(self.locks, self.identity, self.one_at_a_time)

    @property
    def bi(self) -> BIConnector:
        """The client of the portal."""
        if self._client is None:
            self._client = self.connect().through(*self._layers())
        return self._client

    def _layers(self) -> Iterator[Layer]:
        if self.recorder is not None:
            # Imported here: most chats never call.
            from bi_mcp.history.recording import RecordingTransport

            yield partial(RecordingTransport, recorder=self.recorder)
        if self.read_only:
            yield ReadOnlyTransport

    async def aclose(self) -> None:
        """Close the client; a later call opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


@dataclass(frozen=True)
class SeenPlan:
    """A plan that was shown, on the portal of that title, with what keeps the state of its setup."""

    portal: str
    planned: Planned
    keeper: StateKeeper


@dataclass
class App:
    """The portals by name, the default one for calls that name none, the secrets, and the settings that may be shown.

    `seal` confirms destructive acts; without one they need no confirmation. `asks` lets the person be asked first,
    where the client can do that; otherwise a preview and its token do it. `workspace_folder` is where a model may read
    setup files. `plans` were shown and wait to be applied, by their tokens; `exports` are the states of setups that
    were given out as text. `hosted_pages` ask the person of this app for secrets, in place of pages on this machine. `background` runs tasks that outlive a call, while the server runs.
    """

    portals: Mapping[str, PortalAccess]
    default: str
    setting_values: SettingValues
    shown_settings: frozenset[str] = frozenset()
    seal: Seal | None = field(default_factory=Seal)
    asks: bool = True
    workspace_folder: Path | None = None
    language: Language = "en"
    plans: dict[str, SeenPlan] = field(default_factory=dict)
    exports: dict[str, StateKeeper] = field(default_factory=dict)
    background: TaskGroup | None = None
    hosted_pages: AskingPages | None = None
    _pages: SecretPages | None = field(default=None, init=False)

    @property
    def pages(self) -> AskingPages | None:
        """The pages that ask the person for secrets; None where secrets cannot be stored or no server runs."""
        if self.hosted_pages is not None:
            return self.hosted_pages
        named = self.setting_values.named
        if self._pages is None and self.background is not None and named is not None:
            # Imported here: few calls ask for a secret.
            from bi_mcp.vault.secret_page import SecretPages

            self._pages = SecretPages(named, self.background)
        return self._pages

    @property
    def portal(self) -> PortalAccess:
        """The portal of this call."""
        return self.portals[_chosen.get() or self.default]

    @property
    def bi(self) -> BIConnector:
        """The client of this call's portal."""
        return self.portal.bi

    async def open_outside(self, source: int) -> Outside:
        """Open the external system behind a source of this call's portal."""
        # Imported here: most calls do not need it.
        from bi_mcp.diagnostics.dataset.outside import open_outside

        return await open_outside(self.bi, self.portal.caller, source)

    def workspace(self, keeper: StateKeeper) -> Workspace:
        """Build the workspace of this call's portal for a setup, whose state `keeper` holds."""
        # Imported here: most calls do not need it.
        from bi_mcp.setup.workspace import Workspace

        return Workspace(self.bi, keeper, self.setting_values, self.portal.caller, history=self._history)

    @property
    def writes(self) -> GuardedWrites:
        """The writes that send stored secrets to this call's portal or move its connectors."""
        return GuardedWrites(self.bi, self.setting_values.named, self._history)

    def column_replacer(self, datasets: Datasets) -> ColumnReplacer:
        """Build what replaces columns of this call's portal, by one of its families of methods."""
        # Imported here: few calls replace columns.
        from bi_mcp.history.column_replacement import ColumnReplacer

        return ColumnReplacer(datasets, self._history)

    @property
    def _history(self) -> History | None:
        return self.portal.recorder.history if self.portal.recorder else None

    @property
    def keeps_history(self) -> bool:
        """True if the writes to this call's portal are recorded, so that they can be undone."""
        return self._history is not None

    @property
    def history(self) -> History:
        """The history of the writes to this call's portal. Raises `InvalidRequestError` where no history is kept."""
        history = self._history
        if history is None:
            raise InvalidRequestError(
                say(
                    "No history is kept of this portal: BI_MCP_HISTORY is off, or there is no configuration folder. Nothing can be undone. To keep one from now on, set BI_MCP_HISTORY=on and BI_MCP_CONFIG_DIR."
                )
            )
        return history

    @property
    def seen_history(self) -> SeenHistory:
        """The history of this call's portal as the caller may see it. Raises `InvalidRequestError` where no history is kept."""
        # Imported here: few calls read it.
        from bi_mcp.history.reader import current_reader
        from bi_mcp.history.seen_history import SeenHistory
        from bi_mcp.history.visible import look_for

        # Only a person's reading asks the portal; others read without a client.
        return SeenHistory(
            self.history,
            current_reader(),
            lambda keys: look_for(self.bi, keys),
            lambda: self.bi.portal.user(),  # noqa: PLW0108  `bi` builds the client
        )

    @property
    def undo(self) -> Undo:
        """The undo of writes to this call's portal."""
        # Imported here: few calls undo something.
        from bi_mcp.history.reader import current_reader
        from bi_mcp.history.undo_run import Undo

        reader = current_reader(self.portal.user)
        return Undo(self.bi, self.history, self.setting_values.named, reader)

    def remember(self, token: str, plan: SeenPlan) -> None:
        """Keep a plan that was shown, and of the others only the latest."""
        for oldest in list(self.plans)[: -MOST_PLANS + 1]:
            self.forget(oldest)
        self.plans[token] = plan

    def remember_export(self, keeper: StateKeeper) -> str:
        """Keep the state of a setup that is given out as text; returns by what the text is known again."""
        mark = secrets.token_urlsafe(8)
        for oldest in list(self.exports)[: -MOST_PLANS + 1]:
            del self.exports[oldest]
        self.exports[mark] = keeper
        return mark

    def forget(self, token: str) -> None:
        """A plan is applied once."""
        self.plans.pop(token, None)

    @contextmanager
    def choosing(self, name: object) -> Iterator[None]:
        """Direct calls to the named portal while it is open; None means the default. Raises `InvalidRequestError` for an unknown one."""
        if name is not None and name not in self.portals:
            raise InvalidRequestError(
                say(
                    "portal: there is no such portal. Choose from: {portals}.",
                    portals=", ".join(self.portals),
                )
            )
        token = _chosen.set(str(name) if name is not None else None)
        try:
            yield
        finally:
            _chosen.reset(token)

    async def aclose(self) -> None:
        """Close all clients."""
        for portal in self.portals.values():
            await portal.aclose()
