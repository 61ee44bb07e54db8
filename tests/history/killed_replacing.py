"""A process that kills itself, as `kill -9` would, between the two requests that replace a column. Started as a script: killed_replacing.py FOLDER"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.history.column_replacement import ColumnReplacer
from bi_mcp.history.entries import Stamp, open_history
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.rest import BIConnector
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.models import ColumnReplacement
from bi_mcp.rest.request import Request

COLUMN = {"id": 3, "name": "TITLE", "externalCode": "title", "type": "string", "visible": True}


class Deadly:
    """Answers one dataset, deletes its column, and ends the process when one is added."""

    async def send(self, request: Request) -> Envelope:
        if request.method.effect is Effect.READ:
            listed = request.method.operation == "list"
            return Envelope([] if listed else {"item": {"id": 7, "name": "shop", "fields": [COLUMN]}})
        if "add" in request.parameters:
            os.kill(os.getpid(), signal.SIGKILL)
        return Envelope(True)

    async def aclose(self) -> None:
        """Nothing is open."""


async def replace_column(folder: Path) -> None:
    identity = PortalIdentity("portal")
    history = open_history(folder, identity)
    bi = BIConnector(RecordingTransport(Deadly(), Recorder(Stamp("acme", identity), history)))
    replacer = ColumnReplacer(bi.datasets, history)
    await replacer.run(await replacer.plan(7, [ColumnReplacement(id=3, type="int")]))


if __name__ == "__main__":
    anyio.run(replace_column, Path(sys.argv[1]))
