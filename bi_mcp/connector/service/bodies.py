"""Bodies of requests, with bounds on each and on all that are being read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from bi_mcp.connector.refusal import RefusalError

_FORM = "application/x-www-form-urlencoded"


class Bodies:
    """Reader of bodies."""

    def __init__(self, largest: int, all_together: int) -> None:
        self._largest = largest
        self._all_together = all_together
        self._held = 0

    async def read(self, request: Request) -> bytes:
        """Read a form body. Raises RefusalError for another kind of body, and for one that is too large."""
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
            raise RefusalError(415, f"Send the parameters as {_FORM}.")
        body = bytearray()
        with self._holding(body):
            async for part in request.stream():
                body += part
                self._held += len(part)
                if len(body) > self._largest:
                    raise RefusalError(413, f"A request may hold {self._largest} bytes at most.")
                if self._held > self._all_together:
                    raise RefusalError(503, "Too many large requests arrive at once. Ask again later.")
        return bytes(body)

    @contextmanager
    def _holding(self, body: bytearray) -> Iterator[None]:
        try:
            yield
        finally:
            self._held -= len(body)
