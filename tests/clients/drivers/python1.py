"""The client of the Python SDK 1.x. It checks structured content against the schema itself, and raises where it does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import PromptReference, ResourceTemplateReference
from player import given_task, play, tell
from pydantic import AnyUrl


class Python1:
    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def resources(self) -> list[str]:
        return [str(resource.uri) for resource in (await self.session.list_resources()).resources]

    async def templates(self) -> list[str]:
        return [
            found.uriTemplate for found in (await self.session.list_resource_templates()).resourceTemplates
        ]

    async def prompts(self) -> dict[str, list[str]]:
        listed = (await self.session.list_prompts()).prompts
        return {prompt.name: [taken.name for taken in prompt.arguments or []] for prompt in listed}

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await self.session.call_tool(tool, arguments)
        if result.isError or not result.content:
            raise SystemExit(f"{tool}: {result.content}")
        return result.structuredContent

    async def read(self, uri: str) -> list[str]:
        return [content.text for content in (await self.session.read_resource(AnyUrl(uri))).contents]

    async def prompt(self, name: str, arguments: dict[str, str]) -> list[Any]:
        return (await self.session.get_prompt(name, arguments)).messages

    async def complete(self, ref: dict[str, str], argument: dict[str, str]) -> list[str]:
        kind = ResourceTemplateReference if "uri" in ref else PromptReference
        return (await self.session.complete(kind.model_validate(ref), argument)).completion.values


@asynccontextmanager
async def streams(server: dict[str, Any]) -> AsyncIterator[tuple[Any, Any]]:
    if "url" in server:
        async with streamable_http_client(server["url"]) as (reading, writing, _):
            yield reading, writing
        return
    async with stdio_client(StdioServerParameters(**server)) as pair:
        yield pair


async def main() -> None:
    task = given_task()
    async with streams(task["server"]) as (reading, writing), ClientSession(reading, writing) as session:
        greeting = await session.initialize()
        report = await play(Python1(session), task)
    tell({"protocol": greeting.protocolVersion, **report})


asyncio.run(main())
