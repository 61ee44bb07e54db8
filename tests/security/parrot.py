"""A server that repeats what it was sent, in any place of an answer, broken ones included: only a bare socket can write those."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

# The path of a request and its body -> a whole answer.
Answer = Callable[[str, bytes], Awaitable[bytes]]
# A text to repeat -> a whole answer.
Place = Callable[[str], bytes]


def reply(body: str = "", status: str = "200 OK", *headers: str, kind: str = "application/json") -> bytes:
    """Write an answer. Its status and headers are sent as they are."""
    content = body.encode()
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers, f"Content-Length: {len(content)}"]
    return "\r\n".join([*head, "", ""]).encode() + content


def _json(answer: object, status: str = "200 OK") -> bytes:
    return reply(json.dumps(answer, ensure_ascii=False), status)


@dataclass(frozen=True)
class Repeated:
    """A place of an answer. `quoted`: people are shown it, so that there must be a mask where the secret stood."""

    answer: Place
    quoted: bool = True


BAD = "400 Bad Request"
# What any server may do, whatever it serves.
ANYWHERE: Mapping[str, Repeated] = {
    "the reason phrase": Repeated(lambda text: reply("no", f"400 {text}"), quoted=False),
    "a header": Repeated(lambda text: reply("no", BAD, f"X-Sent: {text}"), quoted=False),
    "a broken header": Repeated(lambda text: reply("no", BAD, f"({text})"), quoted=False),
}
OF_CONNECTORS: Mapping[str, Repeated] = {
    **ANYWHERE,
    "the text of a refusal": Repeated(lambda text: reply(f"no: {text}.", BAD, kind="text/plain")),
    "a value of a refusal in JSON": Repeated(lambda text: _json({"message": f"no: {text}."}, BAD)),
    "the address of a redirect": Repeated(
        lambda text: reply("", "302 Found", f"Location: https://evil.example/({text})")
    ),
    "text in place of JSON": Repeated(lambda text: reply(f"no: {text}."), quoted=False),
    "a key in place of a list": Repeated(lambda text: _json({f"no: {text}.": 1})),
    "a value deep in a refusal": Repeated(
        lambda text: _json({"error": {"message": f"no: {text}.", "code": 7}}, BAD)
    ),
    "the name of a coding": Repeated(
        lambda text: reply("no", BAD, f"Content-Encoding: {text}"), quoted=False
    ),
}
OF_PORTALS: Mapping[str, Repeated] = {
    **ANYWHERE,
    "the text of an error": Repeated(
        lambda text: _json({"error": "X", "error_description": f"no: {text}."}, BAD)
    ),
    "the code of an error": Repeated(
        lambda text: _json({"error": f"NO ({text})", "error_description": ""}, BAD)
    ),
    "an error within a result": Repeated(
        lambda text: _json({"result": {"error": {"error": "X", "error_description": f"no: {text}."}}})
    ),
    "the address of a redirect": Repeated(
        lambda text: reply("", "302 Found", f"Location: https://evil.example/({text})"), quoted=False
    ),
    "text in place of JSON": Repeated(lambda text: reply(f"no: {text}.", BAD), quoted=False),
    "a key of a result": Repeated(lambda text: _json({"result": {f"no: {text}.": 1}}), quoted=False),
    "a value of the wrong type": Repeated(
        lambda text: _json({"result": {"id": f"no: {text}."}}), quoted=False
    ),
}


@asynccontextmanager
async def a_parrot(answer: Answer) -> AsyncIterator[str]:
    """Serve answers on a free port, one for each connection, and give its `host:port`."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            received = BufferedByteReceiveStream(stream)
            head = (await received.receive_until(b"\r\n\r\n", 65536)).decode("latin-1")
            length = next(
                (
                    int(line.split(":")[1])
                    for line in head.lower().split("\r\n")
                    if line.startswith("content-length:")
                ),
                0,
            )
            body = await received.receive_exactly(length)
            await stream.send(await answer(head.split(" ")[1], body))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - of anyio, not of Django
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"127.0.0.1:{port}"
        tasks.cancel_scope.cancel()
