"""A session with the server, as a client holds it: over stdio or HTTP, with a count of calls and of characters read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
from anyio.streams.text import TextReceiveStream
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent, TextResourceContents

from evals.task import Answer, Call, Known, Script
from evals.world import World, server_command

Transport = Literal["stdio", "http"]
_ADDRESS = re.compile(r"http://\S+/mcp")


@dataclass(frozen=True)
class Surface:
    """What a client reads before the first call."""

    tools: Mapping[str, Mapping[str, Any]]
    instructions: str

    @property
    def characters(self) -> int:
        """Its length."""
        listed = json.dumps(list(self.tools.values()), ensure_ascii=False, separators=(",", ":"))
        return len(listed) + len(self.instructions)


@dataclass
class Session:
    """A client that counts."""

    client: Client
    surface: Surface
    calls: list[Call] = field(default_factory=list)
    characters: int = 0

    async def call(self, call: Call) -> Answer:
        """Call a tool and count what is read."""
        result = await self.client.call_tool(call.tool, dict(call.arguments))
        return self._count(call, text_of(result))

    async def read(self, uri: str) -> Answer:
        """Read a resource, which counts as a call."""
        contents = (await self.client.read_resource(uri)).contents
        text = "\n".join(each.text for each in contents if isinstance(each, TextResourceContents))
        return self._count(Call("resource", {"uri": uri}), text)

    async def run(self, script: Script, world: World) -> str:
        """Carry out a scripted solution and return its final answer."""
        steps = script(Known(world, self.surface.tools))
        try:
            call = next(steps)
            while True:
                call = steps.send(await self.call(call))
        except StopIteration as end:
            return str(end.value)

    def _count(self, call: Call, text: str) -> Answer:
        self.calls.append(call)
        self.characters += len(text)
        return Answer(text)


def text_of(result: CallToolResult) -> str:
    """Return what a model reads of an answer."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def read_surface(client: Client) -> Surface:
    """Read the tools and the instructions."""
    listed = (await client.list_tools()).tools
    tools = {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed}
    return Surface(tools, client.instructions or "")


@asynccontextmanager
async def open_session(
    world: World, transport: Transport = "stdio", **client_options: Any
) -> AsyncIterator[Session]:
    """Start the server in this world and open a session."""
    async with open_client(world, transport, **client_options) as client:
        yield Session(client, await read_surface(client))


@asynccontextmanager
async def open_client(world: World, transport: Transport, **options: Any) -> AsyncIterator[Client]:
    """Start the server in this world and connect to it."""
    if transport == "stdio":
        command, *arguments = server_command()
        server = StdioServerParameters(command=command, args=arguments, env=world.server_environment())
        async with Client(server, **options) as client:
            yield client
        return
    async with serving_http(world) as address, Client(address, **options) as client:
        yield client


@asynccontextmanager
async def serving_http(world: World) -> AsyncIterator[str]:
    """Run the server over HTTP on a free port and give its address."""
    process = await anyio.open_process(
        [*server_command(), "serve", "--http", "--port", "0"],
        stdout=subprocess.DEVNULL,
        env=world.server_environment(),
    )
    async with process:
        try:
            assert process.stderr is not None
            said = ""
            async for part in TextReceiveStream(process.stderr):
                said += part
                if address := _ADDRESS.search(said):
                    yield address[0]
                    break
            else:
                raise RuntimeError(f"The server did not start: {said}")
        finally:
            process.terminate()
