"""A connector over tables alike whose endpoints take 50 ms each, and which counts its calls; started as a module."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from dataclasses import replace

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.charts.connector import PATHS, HonestConnector
from tests.charts.tables import shop

TAKES_S = 0.05


class SlowConnector:
    """Answers after 50 ms. `GET /counts` tells the calls by path and how many were in at once, and begins anew."""

    def __init__(self, tables: int) -> None:
        self._connector = HonestConnector(
            *(replace(shop(), code=f"table_{number}") for number in range(tables))
        )
        self._calls = Counter[str]()
        self._inside = self._most = 0

    def app(self) -> Starlette:
        routes = [Route(path, self._answer, methods=["POST"]) for path in PATHS.values()]
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
        status, value = self._connector.answer(path, await request.body())
        return JSONResponse(value, status)

    async def _counts(self, _: Request) -> Response:
        counts = {"calls": dict(self._calls), "most": self._most}
        self._calls, self._most = Counter(), 0
        return JSONResponse(counts)


async def serve() -> None:
    """Serve on a port that is free; the address is the first line of the output."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(SlowConnector(int(sys.argv[1])).app(), log_level="warning")
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(anyio.run(serve))
