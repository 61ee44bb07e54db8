"""Several servers, as several chats start them, share one profile while its token expires again and again."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs

import anyio
from mcp import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.outcome import Outcome
from benchmarks.servers import ours
from bi_mcp.auth.login import keep
from bi_mcp.auth.profiles import Profile
from bi_mcp.auth.token import Application, Grant, parse_token
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.identity import FIXED_USER
from tests.practice.portal.serving import served

PROCESSES = 8
EXPIRIES = 50
GOAL = 1.0
# The portal's time; the servers keep the machine's, so that only the portal can tell them of an expiry.
_LIFETIME_S = 3600
_START = 1_800_000_000.0


@dataclass(frozen=True)
class SharedProfile:
    """What the OAuth server was asked while each process called the portal once after every expiry."""

    processes: int
    expiries: int
    refreshes: int
    refused: int
    calls: int
    failed: int

    def outcome(self) -> Outcome:
        """Every refusal and every call that failed counts as a refresh too many."""
        return Outcome(
            benchmark=f"refreshes per expiry, {self.processes} processes on one profile",
            measured=(self.refreshes + self.refused + self.failed) / self.expiries,
            goal=GOAL,
            unit="ratio",
            details={
                "expiries": self.expiries,
                "refreshes": self.refreshes,
                "refused (invalid_grant)": self.refused,
                "calls": self.calls,
                "calls that failed": self.failed,
            },
        )


@dataclass
class _Portal:
    """A portal whose clock we move, and how its OAuth server answered."""

    now: float = _START
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._app: ASGIApp = create_app(LocalPortalSettings(), clock=lambda: self.now)
        self.tokens = self._app.state.tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/oauth/token/"):
                grant = parse_qs(scope["query_string"].decode())["grant_type"][0]
                self.answered[grant, message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)

    async def log_in(self, folder: Path, address: str) -> None:
        card = self.tokens.register("bi-mcp", "http://127.0.0.1:8776/")
        application = Application(card.client_id, Secret(card.client_secret), address)
        token = parse_token(self.tokens.issue(card, FIXED_USER), _START)
        profile = Profile(name="shared", portal_url=address, client_id=card.client_id, oauth_server=address)
        await keep(folder, profile, Grant(application, token))


async def measure_shared_profile(processes: int = PROCESSES, expiries: int = EXPIRIES) -> SharedProfile:
    """Let every process call the portal at the same time after each expiry."""
    portal = _Portal()
    failed = 0
    with TemporaryDirectory() as folder:
        async with served(portal) as host, AsyncExitStack() as stack:
            await portal.log_in(Path(folder), f"http://{host}")
            started = ours({"BI_MCP_CONFIG_DIR": folder, "BI_MCP_PORTAL_DB": ":memory:"})
            servers = [await stack.enter_async_context(Client(started)) for _ in range(processes)]
            for _ in range(expiries):
                portal.now += _LIFETIME_S
                failed += await _call_all(servers)
    refreshes = portal.answered.pop(("refresh_token", 200), 0)
    return SharedProfile(
        processes, expiries, refreshes, portal.answered.total(), processes * expiries, failed
    )


async def _call_all(servers: list[Client]) -> int:
    """Call the portal through all servers at once; return how many calls failed."""
    failures: list[str] = []

    async def call(server: Client) -> None:
        result = await server.call_tool("connector_list", {})
        if result.is_error:
            failures.append(str(result.content))

    async with anyio.create_task_group() as group:
        for server in servers:
            group.start_soon(call, server)
    return len(failures)
