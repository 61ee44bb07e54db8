"""A short way to say what a test says to the server, through a real MCP client."""

from __future__ import annotations

from typing import Any

from mcp import Client
from mcp.types import CallToolResult, TextContent, TextResourceContents

from bi_mcp.practice import sample

LOGIN = "demo"
PARAMETERS = [
    {"code": "login", "name": "Login", "type": "STRING"},
    {"code": "password", "name": "Password", "type": "STRING"},
]
COLUMNS = [
    {"name": "CARRIER", "externalCode": "CARRIER", "type": "string"},
    {"name": "DISTANCE", "externalCode": "DISTANCE", "type": "int"},
]


class Talk:
    """Calls tools; `done` expects success and `refused` expects an error."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def done(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured content of a call that must succeed."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        content: dict[str, Any] = result.structured_content
        return content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Return the text of a call that must fail, which may hold text only."""
        result = await self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        assert result.structured_content is None
        return text_of(result)

    async def confirmed(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured content of a call that must answer with a preview first and then succeed."""
        return await self.done(tool, **arguments, confirm=await self.preview(tool, **arguments))

    async def preview(self, tool: str, **arguments: Any) -> str:
        """Return the token of the preview that a call must answer with."""
        return str((await self.done(tool, **arguments))["preview"]["confirm"])

    async def read(self, uri: str) -> str:
        contents = (await self.client.read_resource(uri)).contents
        assert len(contents) == 1
        assert isinstance(contents[0], TextResourceContents)
        assert contents[0].mime_type == "application/json"
        return contents[0].text

    async def last_entry(self) -> str:
        """The id of the latest change in the history."""
        return str((await self.done("history_list"))["entries"][0]["id"])

    async def add_connector(self, title: str = "Sample") -> int:
        return int((await self.done("connector_add", fields=connector_fields(title)))["id"])

    async def add_source(self, connector_id: int, title: str = "Flights") -> int:
        settings = {"login": LOGIN, "password": {"env": "BI_MCP_SECRET_SAMPLE"}}
        fields = {"title": title, "connectorId": connector_id, "settings": settings}
        return int((await self.done("source_add", fields=fields))["id"])

    async def add_dataset(self, source_id: int, name: str = "flights") -> int:
        return int((await self.done("dataset_add", fields=dataset_fields(source_id, name)))["id"])


def connector_fields(title: str = "Sample") -> dict[str, Any]:
    addresses = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}
    return {"title": title, "logo": "https://example.com/logo.png", "settings": PARAMETERS, **addresses}


def dataset_fields(source_id: int, name: str = "flights") -> dict[str, Any]:
    return {
        "name": name,
        "sourceId": source_id,
        "externalCode": "flights",
        "externalName": "Flights",
        "fields": COLUMNS,
    }


def text_of(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))
