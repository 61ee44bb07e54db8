"""The tools that the model sees: one small typed function per tool, one file per group."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools import connector, dataset, diagnosis, history, portal, source, table, undo, workspace
from bi_mcp.server.tools import map as portal_map
from bi_mcp.server.tools.reading import READING
from bi_mcp.server.tools.tool import ToolDeclaration

# The groups that a user can choose, in the order in which clients see their tools.
TOOLSETS: Mapping[str, tuple[ToolDeclaration, ...]] = {
    "connectors": connector.TOOLS,
    "sources": source.TOOLS,
    "datasets": dataset.TOOLS,
    "diagnostics": (*portal.TOOLS, *diagnosis.TOOLS, *portal_map.TOOLS),
    "workspace": (*workspace.TOOLS, *history.TOOLS, *undo.TOOLS),
    "tables": table.TOOLS,
}

# Offered only where they are asked for: they do what the tools of `datasets` do.
ON_DEMAND = frozenset({"tables"})


def choose_tools(toolsets: Collection[str] = (), *, read_only: bool = False) -> tuple[ToolDeclaration, ...]:
    """The tools of the named groups, or without names of all but `ON_DEMAND`. `read_only` leaves out all that write.

    Raises `ConfigError` for a name that is not a group.
    """
    # No map() in this file: the module of that name is an attribute of the package.
    unknown = [repr(name) for name in toolsets if name not in TOOLSETS]
    if unknown:
        raise ConfigError(
            say(
                "--toolsets (BI_MCP_TOOLSETS): there is no group of tools {unknown}. Choose from: {toolsets}.",
                unknown=", ".join(unknown),
                toolsets=", ".join(TOOLSETS),
            )
        )
    names = toolsets or set(TOOLSETS) - ON_DEMAND
    chosen = tuple(tool for name, tools in TOOLSETS.items() if name in names for tool in tools)
    if not read_only:
        return chosen
    reading = (READING.get(tool.name, tool) for tool in chosen)
    return tuple(tool for tool in reading if tool.effect is Effect.READ)


TOOLS = choose_tools()
