"""`kill -9` of the real command, by the portal itself, around each request that it gets."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bi_mcp.config import Generation
from tests.practice.portal.serving import served
from tests.rest.calling import CHECK, TOKEN, a_portal
from tests.server.forked import finished, forked
from tests.setup.setups import Bench, shown

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("kills at every step")]

ID = "{name: ID, externalCode: id, type: int}"
HIDDEN = "{name: T, externalCode: t, type: string, visible: false}"
ENDPOINTS = "".join(
    f"    {name}: {CHECK}/x\n" for name in ("urlCheck", "urlTableList", "urlTableDescription", "urlData")
)
# Two of everything that look alike, so that one of them could be taken for the other.
SETUP = "version: 1\nconnectors:\n"
for key in ("one", "two"):
    SETUP += f"  {key}:\n    title: Same\n    logo: data:,\n{ENDPOINTS}"
SETUP += "sources:\n"
for key in ("one", "two"):
    SETUP += f"  {key}: {{connector: one, title: Same}}\n"
SETUP += "datasets:\n"
for number in range(12):
    columns = f"[{ID}, {HIDDEN}]" if number == 0 else f"[{ID}]"
    SETUP += f"  table_{number}: {{source: two, externalCode: t, externalName: T, columns: {columns}}}\n"


@dataclass
class Deadly:
    """A portal that kills who calls it: at the n-th request, before or after it answered it."""

    app: ASGIApp
    requests: int
    after: bool
    victim: ForkServerProcess | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests -= 1
        if self.requests >= 0:
            await self.app(scope, receive, send)
            return
        if self.after:
            await self.app(scope, receive, _swallow)
        assert self.victim is not None
        self.victim.kill()
        await finished(self.victim)


async def _swallow(_: Message) -> None:
    """Nobody hears the answer any more."""


# At least what an application on an empty portal takes: two looks, and the writes.
KILLS_OF_AN_APPLICATION = 6
# Before and after each of five calls: the looks at what is to be undone, and the two writes.
KILLS_OF_AN_UNDO = 10
UNDOING = str(Path(__file__).parents[1] / "history" / "killed_undoing.py")


async def apply(folder: Path, address: str, deadly: Deadly) -> int:
    variables = {
        "BI_MCP_PORTAL_URL": f"http://{address}",
        "BI_MCP_ACCESS_TOKEN": TOKEN,
        "BI_MCP_LIMITS": "off",
    }
    command = ["apply", "bi.yaml", "--yes", "--no-check", "--settle", "0"]
    async with forked(folder, *command, **variables) as process:
        deadly.victim = process
        return await finished(process)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_killed_at_every_request_in_turn(
    tmp_path: Path, generation: Generation, *, after: bool
) -> None:
    (tmp_path / "bi.yaml").write_text(SETUP, encoding="utf-8")
    async with a_portal(generation) as portal, a_portal(generation) as reference:
        deadly = Deadly(portal.app, 10**6, after)
        async with served(deadly) as address:
            killed = 0
            deadly.requests = 0
            # The first request kills, then the second, and so on until one application gets through.
            while (ended := await apply(tmp_path, address, deadly)) == -signal.SIGKILL:
                killed += 1
                deadly.requests = killed
        assert ended == 0
        assert killed >= KILLS_OF_AN_APPLICATION
        snapshot = await portal.bi.snapshot()
        async with served(reference.app) as address:
            clean = tmp_path / "clean"
            clean.mkdir()
            (clean / "bi.yaml").write_text(SETUP, encoding="utf-8")
            assert await apply(clean, address, Deadly(reference.app, 10**6, after)) == 0
        assert shown(snapshot) == shown(await Bench(reference, clean).snapshot())
        assert (len(snapshot.connectors), len(snapshot.sources), len(snapshot.datasets)) == (2, 2, 12)


def test_an_undo_that_is_killed_around_every_call_in_turn_is_finished_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  our own script
        [sys.executable, UNDOING, str(tmp_path)], capture_output=True, text=True, check=True
    )
    *killed, left = done.stdout.splitlines()
    assert killed == ["killed"] * KILLS_OF_AN_UNDO
    assert left == "0 0"
