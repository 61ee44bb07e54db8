"""A connector whose endpoints take 50 ms each, and which counts its calls; started as a script."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import Counter

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TAKES_S = 0.05
COLUMNS = ["id", "city", "amount"]
ROWS = [[number, f"City {number}", number + 0.5] for number in range(1, 21)]
_DESCRIPTION = [
    {"code": code, "name": code, "type": type}
    for code, type in zip(COLUMNS, ("int", "string", "double"), strict=True)
]
_ANSWERS = {
    "/check": json.dumps({"ok": True}),
    "/table": json.dumps(_DESCRIPTION),
    "/data": json.dumps([COLUMNS, *ROWS]),
}


class SlowConnector:
    """Answers after 50 ms. `GET /counts` tells the calls by path and how many were in at once, and begins anew."""

    def __init__(self) -> None:
        self._calls = Counter[str]()
        self._inside = self._most = 0

    def app(self) -> Starlette:
        routes = [Route(path, self._answer, methods=["POST"]) for path in _ANSWERS]
        return Starlette(routes=[*routes, Route("/counts", self._counts)])

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self._calls[path] += 1
        self._inside += 1
        self._most = max(self._most, self._inside)
        try:
            await asyncio.sleep(TAKES_S)
        finally:
            self._inside -= 1
        return Response(_ANSWERS[path], media_type="application/json")

    async def _counts(self, _: Request) -> Response:
        counts = {"calls": dict(self._calls), "most": self._most}
        self._calls, self._most = Counter(), 0
        return JSONResponse(counts)


async def serve() -> None:
    """Serve on a port that is free; the address is the first line of the output."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(SlowConnector().app(), log_level="warning")
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(anyio.run(serve))
