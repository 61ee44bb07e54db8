"""The client of FastMCP. It rebuilds structured content as typed objects; `data` is None where it could not."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp.shared.auth import AuthorizationCodeResult
from mcp.types import PromptReference, ResourceTemplateReference
from player import given_task, play, tell
from signing_in import NAME, RETURN, Browsing


class FastMcp:
    def __init__(self, client: Client[Any]) -> None:
        self.client = client

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self.client.list_tools()]

    async def resources(self) -> list[str]:
        return [str(resource.uri) for resource in await self.client.list_resources()]

    async def templates(self) -> list[str]:
        return [found.uri_template for found in await self.client.list_resource_templates()]

    async def prompts(self) -> dict[str, list[str]]:
        listed = await self.client.list_prompts()
        return {prompt.name: [taken.name for taken in prompt.arguments or []] for prompt in listed}

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        if result.data is None or not result.content:
            raise SystemExit(f"{tool}: no typed data of {result.structured_content}")
        return result.structured_content

    async def read(self, uri: str) -> list[str]:
        return [content.text for content in await self.client.read_resource(uri)]

    async def prompt(self, name: str, arguments: dict[str, str]) -> list[Any]:
        return (await self.client.get_prompt(name, arguments)).messages

    async def complete(self, ref: dict[str, str], argument: dict[str, str]) -> list[str]:
        kind = ResourceTemplateReference if "uri" in ref else PromptReference
        return (await self.client.complete(kind.model_validate(ref), argument)).values


class SigningIn(OAuth):
    """FastMCP's own sign-in, with the test's browser in place of the person's."""

    def __init__(self, browser: str) -> None:
        super().__init__(client_name=NAME, callback_host="127.0.0.1", callback_port=urlsplit(RETURN).port)
        self.browsing = Browsing(browser)

    async def redirect_handler(self, authorization_url: str) -> None:
        await self.browsing.open(authorization_url)

    async def callback_handler(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self.browsing.returned)


def transport(server: dict[str, Any]) -> StdioTransport | StreamableHttpTransport:
    if "url" in server:
        auth = SigningIn(server["browser"]) if "browser" in server else None
        return StreamableHttpTransport(server["url"], auth=auth)
    return StdioTransport(server["command"], server["args"], env=server["env"], keep_alive=False)


async def main() -> None:
    task = given_task()
    async with Client(transport(task["server"]), mode=task["era"]) as client:
        report = await play(FastMcp(client), task)
        protocol = client.protocol_version
    tell({"protocol": protocol, **report})


asyncio.run(main())
