"""The tool table of the reference is generated from the tools and the method table."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from mcp import Client
from mcp.types import Tool

from bi_mcp.config import Settings
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import TOOLSETS

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs/reference/tool-table.md"
TABLE = re.compile(r"(<!-- tools: [^>]*-->\n)(.*?)(<!-- /tools -->)", re.DOTALL)


def effect_by_hints(tool: Tool) -> str:
    """For a tool that is no REST method; what neither reads nor destroys sends values to a connector."""
    assert tool.annotations is not None
    if tool.annotations.read_only_hint:
        return "read"
    return "**delete**" if tool.annotations.destructive_hint else "send"


async def build_table(settings: Settings) -> str:
    every = replace(settings, toolsets=tuple(TOOLSETS))
    async with Client(build_server(every)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    rows = ["| tool | effect | what it does | REST method |", "|---|---|---|---|"]
    methods = METHODS + TABLE_METHODS
    for method in methods:
        effect = "**delete**" if method.effect is Effect.DELETE else method.effect.value
        what = (tools[method.tool].description or "").split(". ")[0].rstrip(".")
        rows.append(f"| `{method.tool}` | {effect} | {what} | [`{method.name}`]({method.documentation}) |")
    for name in [name for name in tools if name not in {method.tool for method in methods}]:
        what = (tools[name].description or "").split(". ")[0].rstrip(".")
        rows.append(f"| `{name}` | {effect_by_hints(tools[name])} | {what} | |")
    return "\n".join(rows) + "\n"


async def test_the_tool_table_is_the_generated_one(
    settings: Settings, request: pytest.FixtureRequest
) -> None:
    table = await build_table(settings)
    text = PAGE.read_text(encoding="utf-8")
    if request.config.getoption("--update-contract"):
        text = TABLE.sub(lambda found: found[1] + table + found[3], text)
        PAGE.write_text(text, encoding="utf-8")
    found = TABLE.search(text)
    assert found is not None
    assert found[2] == table, "meant? then run `make snapshots` and commit"
