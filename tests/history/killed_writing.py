"""A process that kills itself, as `kill -9` would, while a write is under way. Started as a script: killed_writing.py FOLDER"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.history.entries import Stamp, open_history
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.rest import BIConnector
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.request import Request


class Deadly:
    """Answers one connector, and ends the process at a write."""

    async def send(self, request: Request) -> Envelope:
        if request.method.effect is Effect.READ:
            return Envelope({"item": {"id": request.parameters["id"], "title": "Shop"}})
        os.kill(os.getpid(), signal.SIGKILL)
        return Envelope(None)

    async def aclose(self) -> None:
        """Nothing is open."""


PORTAL = PortalIdentity("portal")
recorder = Recorder(Stamp("acme", PORTAL), open_history(Path(sys.argv[1]), PORTAL))
bi = BIConnector(RecordingTransport(Deadly(), recorder))
anyio.run(bi.connectors.delete, 7)
