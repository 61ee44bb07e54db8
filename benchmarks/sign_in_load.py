"""Two hundred people who signed in, 32 of whom call at once, against a bare server; and what a person weighs who does nothing.

As in `benchmarks.hosting` the portal sets no limits. Each person has a client, a token and a portal login of their own, so
reads of several never travel together, while the bare server knows nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from benchmarks.hosting import (
    BARE,
    ROUNDS,
    HostingTimes,
    client_of,
    compare,
    fill,
    read,
    resident_kilobytes,
    running,
)
from benchmarks.local_portal import LocalPortal, free_port, running_portal
from benchmarks.outcome import Outcome
from benchmarks.people import CLIENT_ID, CLIENT_SECRET, Arrivals, registered_portal
from benchmarks.servers import OUR_COMMAND
from bi_mcp.app.sign_in.sign_ins import open_sign_ins
from bi_mcp.base.secret import Secret

PEOPLE = 200
AT_ONCE = 32
CALLS = 2_000
GOAL_KILOBYTES = 100
# The first people bring with them what all share.
_WARM_UP = 50


class NextPerson(httpx2.Auth):
    """Makes each request the next person's. The newest protocol has no session that would belong to one of them."""

    def __init__(self, tokens: Iterator[str]) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Put the next token into the request."""
        request.headers["Authorization"] = f"Bearer {next(self._tokens)}"
        yield request


async def measure_sign_in_load(calls: int = CALLS, rounds: int = ROUNDS) -> HostingTimes:
    """Let all people's clients call one server, then the other."""
    async with _hosted() as (ids, arrivals, _, environment, stack):
        _, bare = await stack.enter_async_context(running(BARE, environment))
        tokens = [await arrivals.sign_in(user) for user in range(1, PEOPLE + 1)]
        callers = cycle(tokens)
        clients = {
            "ours": [
                await stack.enter_async_context(client_of(arrivals.resource, auth=NextPerson(callers)))
                for _ in range(AT_ONCE)
            ],
            "bare": [await stack.enter_async_context(client_of(bare)) for _ in range(AT_ONCE)],
        }
        return await compare(f"of {PEOPLE} people, {AT_ONCE} at once", clients, ids, calls, rounds)


async def measure_sign_in_memory(*, older: bool = False) -> Outcome:
    """Let people come, call once and stay away, and see what the server grew by. `older`: by a protocol that has sessions.

    The list of tools comes last: a session keeps its last message, and that is the longest.
    """
    async with _hosted() as (ids, arrivals, pid, _, _stack):

        async def come(users: range) -> int:
            for user in users:
                token = await arrivals.sign_in(user)
                async with client_of(arrivals.resource, token, older=older) as client:
                    await read(client, ids[0])
                    await client.list_tools(cache_mode="refresh")
            return await resident_kilobytes(pid)

        before = await come(range(1, _WARM_UP + 1))
        after = await come(range(_WARM_UP + 1, _WARM_UP + PEOPLE + 1))
    protocol = "an older protocol" if older else "the newest protocol"
    return Outcome(
        benchmark=f"memory of a person who signed in, called once by {protocol} and is idle, of {PEOPLE}",
        measured=(after - before) / PEOPLE,
        goal=GOAL_KILOBYTES,
        unit="kilobytes",
        details={"before, MB": before / 1024, "after, MB": after / 1024},
    )


@asynccontextmanager
async def _hosted() -> AsyncIterator[tuple[Sequence[int], Arrivals, int, dict[str, str], AsyncExitStack]]:
    """Start a portal and a server that people sign in to. Gives ids of datasets, the way in, the server's process id, and the environment of a bare server."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        database = str(folder / "portal.sqlite3")
        ids = await fill(database)
        portal = await stack.enter_async_context(running_portal({"BI_MCP_PORTAL_DB": database}))
        port = free_port()
        pid, address = await stack.enter_async_context(running(_command(portal, port), _environment(folder)))
        sign_ins = open_sign_ins([registered_portal(portal.address)], folder, None)
        arrivals = Arrivals(sign_ins, address, portal.address, Secret(portal.token))
        yield ids, arrivals, pid, portal.server_environment(), stack


def _command(portal: LocalPortal, port: int) -> tuple[str, ...]:
    # The tokens are for an address that must be known before.
    return (*OUR_COMMAND, "serve", "--http", "--port", str(port), "--sign-in", "--portal", portal.address)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "BI_MCP_CONFIG_DIR": str(folder),
        "BI_MCP_LIMITS": "off",
        "BI_MCP_SIGN_IN_CLIENT_ID": CLIENT_ID,
        "BI_MCP_SIGN_IN_CLIENT_SECRET": CLIENT_SECRET.reveal(),
    }
