"""What the model sees of each tool is committed, one file per tool; a change of it must be meant."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.server import MCPServer
from mcp.types import Tool

from bi_mcp.config import Settings
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import TOOLS, TOOLSETS, schemas
from bi_mcp.server.tools.reading import READING
from bi_mcp.server.tools.tool import ToolDeclaration, make_schemas

pytestmark = pytest.mark.anyio

CONTRACT = Path(__file__).with_name("contract")
# For the 19 tools of the REST methods.
SIZE_LIMIT = 18_000
EVERY_TOOL = [declaration for declarations in TOOLSETS.values() for declaration in declarations]
NAMES = [declaration.name for declaration in EVERY_TOOL]


@pytest.fixture
def server(settings: Settings) -> MCPServer:
    """With the tools that must be asked for, too."""
    return build_server(replace(settings, toolsets=tuple(TOOLSETS)))


async def listed(server: MCPServer) -> dict[str, Tool]:
    async with Client(server) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


def as_json(tool: Tool) -> dict[str, Any]:
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_the_shipped_schemas_are_those_of_the_signatures(request: pytest.FixtureRequest) -> None:
    made = {tool.key: asdict(make_schemas(tool)) for tool in (*EVERY_TOOL, *READING.values())}
    shipped = Path(schemas.__file__).with_name(schemas.FILE)
    if request.config.getoption("--update-contract"):
        shipped.write_text(
            json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
        )
    assert made == json.loads(shipped.read_text(encoding="utf-8")), (
        "meant? then run `make snapshots` and commit"
    )


async def test_each_rest_method_is_exactly_one_tool_in_the_order_of_the_table(
    server: MCPServer, settings: Settings
) -> None:
    assert list(await listed(server)) == NAMES
    tools = list(await listed(build_server(settings)))
    assert tools == [declaration.name for declaration in TOOLS]
    methods = [method.tool for method in METHODS]
    assert [name for name in tools if name in methods] == methods
    of_tables = [method.tool for method in TABLE_METHODS]
    assert [name for name in NAMES if name in of_tables] == of_tables


@pytest.mark.parametrize("name", NAMES)
async def test_the_contract_is_the_committed_one(
    name: str, server: MCPServer, request: pytest.FixtureRequest
) -> None:
    tool = as_json((await listed(server))[name])
    committed = CONTRACT / f"{name}.json"
    if request.config.getoption("--update-contract"):
        CONTRACT.mkdir(exist_ok=True)
        committed.write_text(json.dumps(tool, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert tool == json.loads(committed.read_text(encoding="utf-8")), (
        "meant? then run `make snapshots` and commit"
    )


def test_no_contract_is_left_of_a_tool_that_is_gone() -> None:
    assert {path.stem for path in CONTRACT.glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("declaration", EVERY_TOOL, ids=lambda declaration: declaration.name)
async def test_every_tool_is_complete_and_its_hints_are_honest(
    declaration: ToolDeclaration, server: MCPServer
) -> None:
    tool = (await listed(server))[declaration.name]
    assert tool.title
    assert tool.description
    assert tool.input_schema["additionalProperties"] is False
    assert tool.output_schema is not None
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is (declaration.effect is Effect.READ)
    assert tool.annotations.destructive_hint is (declaration.effect in {Effect.UPDATE, Effect.DELETE})
    if declaration.effect is not Effect.READ:
        assert tool.annotations.idempotent_hint is declaration.repeatable


async def test_every_schema_stands_alone(server: MCPServer) -> None:
    for tool in (await listed(server)).values():
        assert "$ref" not in json.dumps(as_json(tool)), tool.name


async def test_what_the_hints_say_of_the_rest_tools_is_what_the_method_table_says(server: MCPServer) -> None:
    tools = await listed(server)
    for method in METHODS + TABLE_METHODS:
        hints = tools[method.tool].annotations
        assert hints is not None
        assert hints.read_only_hint is (method.effect is Effect.READ)
        assert hints.idempotent_hint is (None if method.effect is Effect.READ else method.repeatable)


async def test_the_list_of_tools_stays_small_enough_for_every_chat(server: MCPServer) -> None:
    tools = await listed(server)
    rest = [as_json(tools[method.tool]) for method in METHODS]
    assert len(json.dumps(rest, ensure_ascii=False, separators=(",", ":"))) <= SIZE_LIMIT
