"""An answer about one object links its resource, after the text, for clients that know links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult, ResourceLink, TextContent

from tests.server.processes import started
from tests.server.talking import Talk, connector_fields, dataset_fields

pytestmark = pytest.mark.anyio


def links(result: CallToolResult) -> list[str]:
    assert isinstance(result.content[0], TextContent)
    assert all(isinstance(block, ResourceLink) for block in result.content[1:])
    return [block.uri for block in result.content[1:] if isinstance(block, ResourceLink)]


async def test_what_is_added_read_or_changed_is_linked_and_the_link_can_be_read(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    added = await talk.call("dataset_add", fields=dataset_fields(source))
    [uri] = links(added)
    id = (added.structured_content or {})["id"]
    assert uri == f"bi://dataset/{id}"
    assert '"flights"' in await talk.read(uri)
    assert links(await talk.call("dataset_get", id=id)) == [uri]
    assert links(await talk.call("dataset_update", id=id, fields={"description": "new"})) == [uri]
    columns = await talk.call("dataset_fields_update", id=id, add=[_column("ORIGIN")])
    assert links(columns) == [uri]


async def test_lists_errors_and_what_is_gone_have_no_link(talk: Talk) -> None:
    connector = await talk.add_connector()
    assert links(await talk.call("connector_list")) == []
    assert links(await talk.call("connector_fields")) == []
    assert links(await talk.call("connector_get", id=connector + 1)) == []
    preview = await talk.call("connector_delete", id=connector)
    assert links(preview) == [f"bi://connector/{connector}"]
    token = (preview.structured_content or {})["preview"]["confirm"]
    assert links(await talk.call("connector_delete", id=connector, confirm=token)) == []


@pytest.mark.parametrize(
    ("version", "kinds"), [("2025-03-26", ["text"]), ("2025-06-18", ["text", "resource_link"])]
)
async def test_protocols_that_do_not_know_links_get_text_only(
    tmp_path: Path, version: str, kinds: list[str]
) -> None:
    async with started(tmp_path) as wire:
        client = {"name": "test", "version": "1"}
        await wire.ask("initialize", protocolVersion=version, capabilities={}, clientInfo=client)
        await wire.notify("notifications/initialized")
        result = await wire.ask("tools/call", name="connector_add", arguments={"fields": connector_fields()})
    assert [block["type"] for block in result["content"]] == kinds


def _column(name: str) -> dict[str, Any]:
    return {"name": name, "externalCode": name.lower(), "type": "string"}
