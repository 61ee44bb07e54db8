"""What a person's programs hear: every byte that the replicas answer, whichever of them does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import httpx2


@dataclass
class Wire(httpx2.AsyncBaseTransport):
    """A load balancer that sends each request to the next replica (`host:port`), and keeps what comes back."""

    replicas: Sequence[str]
    heard: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._next = cycle(self.replicas)
        self._network = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, _, port = next(self._next).partition(":")
        # The Host header stays: for the client there is one server.
        request.url = request.url.copy_with(host=host, port=int(port))
        response = await self._network.handle_async_request(request)
        for _, value in response.headers.raw:
            self.heard += value + b"\n"
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Overheard(response.stream, self.heard),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._network.aclose()


class _Overheard(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, heard: bytearray) -> None:
        self._stream = stream
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._heard += part
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
