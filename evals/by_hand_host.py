"""The process behind a session by hand: it keeps the world and the server, and answers on a Unix socket."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.types import ElicitResult

from evals.grading import Objects, grade, read_objects
from evals.session import Session, Transport, open_session
from evals.task import Call, Task
from evals.world import World, open_world

# Holds the path of the socket: such a path may have about a hundred characters, a folder's more.
SOCKET = "socket"
_LONGEST_REQUEST = 1_000_000
_MARK = "-" * 20


@dataclass
class Host:
    """A session that a person drives."""

    task: Task
    world: World
    session: Session
    before: Objects
    stopped: anyio.Event

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request."""
        async with stream:
            line = await BufferedByteReceiveStream(stream).receive_until(b"\n", _LONGEST_REQUEST)
            text, status = await self._answer_safely(json.loads(line))
            await stream.send(json.dumps({"text": text, "status": status}).encode() + b"\n")

    async def _answer_safely(self, request: dict[str, Any]) -> tuple[str, int]:
        try:
            return await self._answer(request)
        except Exception as error:  # noqa: BLE001 - a client tells the model what the protocol refused, too
            return f"{type(error).__name__}: {error}", 1

    async def _answer(self, request: dict[str, Any]) -> tuple[str, int]:
        match request["command"]:
            case "begin":
                return self._begin(), 0
            case "tools":
                return self._show_tools(request["name"]), 0
            case "call":
                call = Call(request["tool"], json.loads(request["arguments"]))
                return (await self.session.call(call)).text, 0
            case "resource":
                return (await self.session.read(request["uri"])).text, 0
            case "answer":
                return await self._judge(request["text"])
            case _:
                self.stopped.set()
                return f"Stopped. {self._count()}", 0

    def _begin(self) -> str:
        return "\n".join(
            [
                f"The user says ({self.task.language}):",
                self.task.message(self.world),
                _MARK,
                "The server says of itself:",
                self.session.surface.instructions,
                _MARK,
                f"{len(self.session.surface.tools)} tools: {', '.join(self.session.surface.tools)}.",
                "python -m evals.by_hand tools [NAME]; call TOOL '{JSON}'; resource URI; answer TEXT; stop",
            ]
        )

    def _show_tools(self, name: str) -> str:
        if not name:
            return "\n\n".join(
                f"{tool}: {shown.get('description', '')}"
                for tool, shown in self.session.surface.tools.items()
            )
        shown = {key: self.session.surface.tools[name].get(key) for key in ("description", "inputSchema")}
        return json.dumps(shown, ensure_ascii=False, indent=1)

    async def _judge(self, answer: str) -> tuple[str, int]:
        found = await grade(self.task, self.world, self.before, answer)
        verdict = "Solved." if found.is_solved else "Not solved:"
        return "\n".join([verdict, *found.faults, self._count()]), 0 if found.is_solved else 1

    def _count(self) -> str:
        tools = [call.tool for call in self.session.calls]
        return (
            f"{len(tools)} calls ({self.task.calls} of a well-informed person), {self.session.characters} characters of answers, "
            f"{self.session.surface.characters} of tools and instructions. Calls: {', '.join(tools)}."
        )


async def _agree(_context: object, parameters: Any) -> ElicitResult:
    schema = getattr(parameters, "requested_schema", None) or {}
    return ElicitResult(action="accept", content=dict.fromkeys(schema.get("properties", {}), True))


async def _run(task: Task, folder: Path, transport: Transport, toolsets: str, *, forms: bool) -> None:
    options = {"elicitation_callback": _agree} if forms else {}
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(task.build, task.language, task.settings))
        if toolsets:
            world.environment["BI_MCP_TOOLSETS"] = toolsets
        before = await read_objects(world)
        session = await stack.enter_async_context(open_session(world, transport, **options))
        here = Host(task, world, session, before, anyio.Event())
        place = f"{stack.enter_context(TemporaryDirectory(prefix='evals-'))}/s"
        listener = await stack.enter_async_context(await anyio.create_unix_listener(place))
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, here.serve)
            (folder / SOCKET).write_text(place)
            await here.stopped.wait()
            # The answer to `stop` is on its way.
            await anyio.sleep(0.2)
            group.cancel_scope.cancel()


def host(task: Task, folder: Path, *, transport: Transport, forms: bool, toolsets: str) -> None:
    """Keep a session until it is stopped."""
    try:
        anyio.run(lambda: _run(task, folder, transport, toolsets, forms=forms))
    finally:
        (folder / SOCKET).unlink(missing_ok=True)
