"""Undoes two writes in processes that are killed around each call of the portal. Started as a script: killed_undoing.py FOLDER

Prints `killed` for each that died, and at the end what there is still: connectors and sources.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.history.entries import Stamp, open_history
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.history.undo_run import Undo
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.models import ConnectorFields, SourceFields
from bi_mcp.rest.request import Request, Transport, build_stack
from bi_mcp.rest.transport import HttpTransport

FOLDER = Path(sys.argv[1])
TOKEN = Secret("token")
PORTAL = PortalIdentity("portal")
CONNECTOR = {
    "title": "Shop",
    "logo": "data:,",
    "url_check": "http://shop.localhost/check",
    "url_table_list": "http://shop.localhost/tables",
    "url_table_description": "http://shop.localhost/table",
    "url_data": "http://shop.localhost/data",
    "settings": [],
}


async def shop(_: object, __: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"ok"})


@dataclass
class Deadly:
    """Carries so many calls, and ends the process before the next one or after it."""

    inner: Transport
    left: int
    after: bool

    async def send(self, request: Request) -> Envelope:
        self.left -= 1
        if self.left < 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await self.inner.send(request)
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


def portal(calls: int = 10**6, *, after: bool = False) -> tuple[BIConnector, Undo]:
    settings = LocalPortalSettings(database=str(FOLDER / "portal.sqlite"), access_token=TOKEN)
    app = create_app(settings, connectors={"http://shop.localhost": shop})
    history = open_history(FOLDER, PORTAL)
    recorder = Recorder(Stamp("acme", PORTAL), history)
    inner = Deadly(HttpTransport("http://localhost", AccessToken(TOKEN), app=app), calls, after)
    bi = BIConnector(build_stack(inner, [partial(RecordingTransport, recorder=recorder)]))
    return bi, Undo(bi, history)


async def write() -> None:
    bi, _ = portal()
    connector = await bi.connectors.add(ConnectorFields.model_validate(CONNECTOR))
    await bi.sources.add(SourceFields(title="One", connector_id=connector, settings={}))


async def undo(ids: list[str], calls: int, *, after: bool) -> None:
    _, undo = portal(calls, after=after)
    results = await undo.run(await undo.plan(ids))
    assert not any(result.error for result in results), results


async def look() -> None:
    snapshot = await portal()[0].snapshot()
    print(len(snapshot.connectors), len(snapshot.sources))  # noqa: T201  read by the test


def lived(act: Callable[[], Awaitable[None]]) -> bool:
    """Whether a process of its own got to the end. What else than a kill ends it is an error."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        anyio.run(act)
        sys.stdout.flush()
        os._exit(0)
    ended = os.waitpid(process, 0)[1]
    if ended not in {0, signal.SIGKILL}:
        sys.exit(1)
    return ended == 0


def main() -> None:
    # Here, so that what it imports is there in all processes.
    anyio.run(write)
    ids = [entry.id for entry in open_history(FOLDER, PORTAL).entries()]
    for number in itertools.count():
        if lived(partial(undo, ids, number // 2, after=bool(number % 2))):
            break
        print("killed")  # noqa: T201  read by the test
    lived(look)


main()
