"""Bodies of requests, with bounds on each and on all of the requests that run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from bi_mcp.connector.refusal import RefusalError

_FORM = "application/x-www-form-urlencoded"


class Bodies:
    """Reader of bodies."""

    def __init__(self, largest: int, all_together: int) -> None:
        self._largest = largest
        self._all_together = all_together
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """Read a form body, which counts until the caller is done with it.

        Raises RefusalError for another kind of body, and for one that is too large.
        """
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
            raise RefusalError(415, f"Send the parameters as {_FORM}.")
        parts = list[bytes]()
        size = 0
        try:
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                self._held += len(part)
                if size > self._largest:
                    raise RefusalError(413, f"A request may hold {self._largest} bytes at most.")
                if self._held > self._all_together:
                    raise RefusalError(503, "Too many large requests arrive at once. Ask again later.")
            body = b"".join(parts)
            parts.clear()
            yield body
        finally:
            self._held -= size
