"""A process that kills itself, as `kill -9` would, at one step of a renewal or of a login. Started as a script.

killed.py STEP renewal FOLDER
killed.py STEP login FOLDER < the grant as JSON
"""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx

from bi_mcp.auth.login import keep
from bi_mcp.auth.profiles import load_profiles
from bi_mcp.auth.session import open_session
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import grant_from_json

# What happens while one document is replaced.
WRITE = ("made", "half written", "written", "synced", "replaced", "folder synced")


class Steps:
    """Counts the documents that are written, and ends the process at the step that was asked for."""

    def __init__(self, last: str) -> None:
        self._last = last
        self._writes = 0

    def reach(self, step: str) -> None:
        if step == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def in_write(self, event: str) -> None:
        if event == "made":
            self._writes += 1
        self.reach(f"write {self._writes}: {event}")


def watch(steps: Steps) -> None:
    """Put the steps into the functions of the operating system and of httpx through which everything goes."""
    os_open, os_fsync, os_replace = os.open, os.fsync, os.replace
    recover, ask = FileTokenStore._recover, httpx.AsyncHTTPTransport.handle_async_request

    class HalfFirst(io.BufferedWriter):
        def write(self, data: Any) -> int:
            half = len(data) // 2
            super().write(data[:half])
            self.flush()
            steps.in_write("half written")
            return half + super().write(data[half:])

    def open_(path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = os_open(path, *arguments, **options)
        if str(path).endswith(".new"):
            steps.in_write("made")
        return descriptor

    def fsync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not folder:
            steps.in_write("written")
        os_fsync(descriptor)
        steps.in_write("folder synced" if folder else "synced")

    def replace(*paths: Any) -> None:
        os_replace(*paths)
        steps.in_write("replaced")

    def recovered(store: FileTokenStore, profile: str) -> None:
        recover(store, profile)
        steps.reach("locked")

    async def asked(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        steps.reach("request")
        answer = await ask(transport, request)
        steps.reach("answer")
        return answer

    hooks: list[tuple[Any, str, Any]] = [
        (os, "open", open_),
        (os, "fsync", fsync),
        (os, "replace", replace),
        (os, "fdopen", lambda descriptor, *_: HalfFirst(io.FileIO(descriptor, "wb"))),
        (FileTokenStore, "_recover", recovered),
        (httpx.AsyncHTTPTransport, "handle_async_request", asked),
    ]
    for owner, name, hook in hooks:
        setattr(owner, name, hook)


async def renewal(folder: Path) -> None:
    await open_session(load_profiles(folder).choose(), folder).current()


async def login(folder: Path) -> None:
    from tests.auth.portal import profile

    grant = grant_from_json(json.load(sys.stdin))
    await keep(folder, profile(grant.application.oauth_server), grant)


if __name__ == "__main__":
    watch(Steps(sys.argv[1]))
    anyio.run({"renewal": renewal, "login": login}[sys.argv[2]], Path(sys.argv[3]))
