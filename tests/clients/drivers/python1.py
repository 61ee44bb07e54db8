"""The client of the Python SDK 1.x. It checks structured content against the schema itself, and raises where it does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mcp import ClientSession, StdioServerParameters
from mcp.client.auth import OAuthClientProvider
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp.types import PromptReference, ResourceTemplateReference
from player import given_task, play, tell
from pydantic import AnyUrl
from signing_in import NAME, RETURN, Browsing


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


class Memory:
    """What the client remembers of its sign-in."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def signing_in(url: str, browser: str) -> OAuthClientProvider:
    browsing = Browsing(browser)

    async def returned() -> tuple[str, str | None]:
        return browsing.returned["code"], browsing.returned.get("state")

    wanted = OAuthClientMetadata(
        client_name=NAME, redirect_uris=[AnyUrl(RETURN)], token_endpoint_auth_method="none"
    )
    return OAuthClientProvider(url, wanted, Memory(), browsing.open, returned)


@asynccontextmanager
async def streams(server: dict[str, Any]) -> AsyncIterator[tuple[Any, Any]]:
    if "url" in server:
        auth = signing_in(server["url"], server["browser"]) if "browser" in server else None
        # Generous: a browser is in between.
        async with (
            httpx.AsyncClient(auth=auth, timeout=60, follow_redirects=True) as http,
            streamable_http_client(server["url"], http_client=http) as (reading, writing, _),
        ):
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
