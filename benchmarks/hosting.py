"""Many clients of a server over HTTP, against a bare one whose tool makes the same POST by httpx; and what both weigh idle.

The portal sets no limits here and our server keeps to none: otherwise two requests a second would be all there is to measure.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import httpx2
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client
from mcp.client.stdio import get_default_environment
from mcp.client.streamable_http import streamable_http_client
from starlette.responses import PlainTextResponse

from benchmarks.local_portal import running_portal
from benchmarks.outcome import Outcome
from benchmarks.servers import OUR_COMMAND
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorFields, DatasetFields, NewColumn, Parameter, SourceFields
from bi_mcp.rest.transport import HttpTransport

CLIENTS = 32
CALLS = 2_000
ROUNDS = 5
DATASETS = 40
COLUMNS = 20
# At least 0.8 of the bare server's throughput is at most 1.25 of its time.
GOAL = 1.25


def python(script: str) -> tuple[str, str]:
    """Return the command that runs a script of this package."""
    return sys.executable, str(Path(__file__).with_name(script))


_HOSTED = python("hosted_server.py")
BARE = python("bare_http_server.py")
HTTP_COMMAND = (*OUR_COMMAND, "serve", "--http", "--port", "0")
_ADDRESS = re.compile(rb"http://\S+")
_LIMIT_S = 300
_FILLING = Secret("token of the filling")
_SHOP = "http://shop.localhost"


@dataclass(frozen=True)
class HostingTimes:
    """Seconds of each round; the two of one index were measured one after the other. `calls` are those of all rounds, `callers` who made them."""

    callers: str
    calls: int
    ours: Sequence[float]
    bare: Sequence[float]

    def outcome(self) -> Outcome:
        """Compare the time of all calls."""
        ours, bare = sum(self.ours), sum(self.bare)
        return Outcome(
            benchmark=f"{self.calls:,} dataset_get {self.callers}, time ours / bare",
            measured=ours / bare,
            goal=GOAL,
            unit="ratio",
            details={
                "ours, calls a second": self.calls / ours,
                "bare, calls a second": self.calls / bare,
                "throughput, ours / bare": bare / ours,
                "ours, slowest round / fastest": max(self.ours) / min(self.ours),
                "bare, slowest round / fastest": max(self.bare) / min(self.bare),
            },
        )


@dataclass(frozen=True)
class HostingMemory:
    """Kilobytes in memory of servers that listen and have done nothing yet."""

    ours: int
    bare: int

    def outcome(self) -> Outcome:
        """Compare them."""
        return Outcome(
            benchmark="memory of an idle server over HTTP, ours / bare",
            measured=self.ours / self.bare,
            goal=GOAL,
            unit="ratio",
            details={"ours, MB": self.ours / 1024, "bare, MB": self.bare / 1024},
        )


async def measure_hosting(calls: int = CALLS, rounds: int = ROUNDS) -> HostingTimes:
    """Let all clients call one server, then the other. Ours asks for a token, as a server for a team does."""
    token = secrets.token_urlsafe(32)
    async with AsyncExitStack() as stack:
        database = str(Path(stack.enter_context(TemporaryDirectory()), "portal.sqlite3"))
        ids = await fill(database)
        portal = await stack.enter_async_context(running_portal({"BI_MCP_PORTAL_DB": database}))
        environment = portal.server_environment()
        _, ours = await stack.enter_async_context(
            running(_HOSTED, environment | {"BI_MCP_HTTP_TOKEN": token})
        )
        _, bare = await stack.enter_async_context(running(BARE, environment))
        clients = {
            "ours": [await stack.enter_async_context(client_of(ours, token)) for _ in range(CLIENTS)],
            "bare": [await stack.enter_async_context(client_of(bare)) for _ in range(CLIENTS)],
        }
        return await compare(f"by {CLIENTS} clients over HTTP", clients, ids, calls, rounds)


async def compare(
    callers: str, clients: Mapping[str, Sequence[Client]], ids: Sequence[int], calls: int, rounds: int
) -> HostingTimes:
    """Let all clients call their server: those of `ours` and `bare` in turn, who begins alternately."""
    times: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(-1, rounds):
        for name in sorted(clients, reverse=number % 2 == 0):
            seconds = await call(clients[name], ids, calls // rounds)
            # The first round warms up.
            if number >= 0:
                times[name].append(seconds)
    return HostingTimes(
        callers=callers, calls=calls // rounds * rounds, ours=times["ours"], bare=times["bare"]
    )


async def measure_hosting_memory() -> HostingMemory:
    """Start both for the same portal."""
    async with running_portal() as portal:
        environment = portal.server_environment()
        async with running(HTTP_COMMAND, environment) as (ours, _), running(BARE, environment) as (bare, _):
            return HostingMemory(ours=await resident_kilobytes(ours), bare=await resident_kilobytes(bare))


async def call(clients: Sequence[Client], ids: Sequence[int], calls: int) -> float:
    """Seconds until all calls are answered; each client calls again as soon as it has its answer."""
    left = iter(range(calls))

    async def work(client: Client) -> None:
        for number in left:
            await read(client, ids[number % len(ids)])

    started = perf_counter()
    with anyio.fail_after(_LIMIT_S):
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(work, client)
    return perf_counter() - started


async def read(client: Client, id: int) -> None:
    """Read a dataset, by the tool that both servers have."""
    result = await client.call_tool("dataset_get", {"id": id})
    assert not result.is_error, result


@asynccontextmanager
async def client_of(
    address: str, token: str = "", *, auth: httpx2.Auth | None = None, older: bool = False
) -> AsyncIterator[Client]:
    """Connect a client that brings a token, or what `auth` puts into its requests, by the newest protocol or an `older` one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, auth=auth, trust_env=False, timeout=_LIMIT_S) as http,
        Client(
            # Most programs with a session just go away.
            streamable_http_client(address, http_client=http, terminate_on_close=not older),
            mode="legacy" if older else "auto",
        ) as client,
    ):
        # It asks for the schemas of answers once; not while the time runs.
        await client.list_tools()
        yield client


@asynccontextmanager
async def running(command: Sequence[str], environment: dict[str, str]) -> AsyncIterator[tuple[int, str]]:
    """Start a server and give its process id and its address, which it tells in the first line."""
    root = str(Path(__file__).parents[1])
    # The package of this checkout, whichever one is installed.
    variables = get_default_environment() | {"PYTHONPATH": root} | environment
    async with await anyio.open_process(
        command, stdout=subprocess.DEVNULL, env=variables, cwd=root
    ) as process:
        try:
            assert process.stderr is not None
            with anyio.fail_after(60):
                line = await BufferedByteReceiveStream(process.stderr).receive_until(b"\n", 10_000)
            address = _ADDRESS.search(line)
            assert address is not None, line
            yield process.pid, address[0].decode()
        finally:
            if process.returncode is None:
                process.terminate()


async def resident_kilobytes(pid: int) -> int:
    shown = await anyio.run_process(["ps", "-o", "rss=", "-p", str(pid)])
    return int(shown.stdout)


async def fill(database: str) -> list[int]:
    """Put into a portal's file what is read afterwards, and return the ids of the datasets."""
    app = create_app(
        LocalPortalSettings(database=database, access_token=_FILLING),
        connectors={_SHOP: PlainTextResponse("ok")},
    )
    async with BIConnector(HttpTransport("http://localhost", AccessToken(_FILLING), app=app)) as bi:
        connector = await bi.connectors.add(
            ConnectorFields(
                title="Shop",
                logo="https://shop.example/logo.png",
                url_check=f"{_SHOP}/check",
                url_table_list=f"{_SHOP}/tables",
                url_table_description=f"{_SHOP}/table",
                url_data=f"{_SHOP}/data",
                settings=[Parameter(code="token", name="Token", type="STRING")],
            )
        )
        source = await bi.sources.add(
            SourceFields(title="Shop", connector_id=connector, settings={"token": Secret("a secret")})
        )
        ids = [await bi.datasets.add(_dataset(source, number)) for number in range(DATASETS)]
    app.state.database.close()
    return ids


def _dataset(source: int, number: int) -> DatasetFields:
    columns = [
        NewColumn(name=f"COLUMN_{column}", external_code=f"column_{column}", type="string")
        for column in range(COLUMNS)
    ]
    name = f"table_{number}"
    return DatasetFields(name=name, source_id=source, external_code=name, external_name=name, fields=columns)
