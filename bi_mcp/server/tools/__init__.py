"""The tools that the model sees: one small typed function per tool, one file per group."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools import (
    connector,
    connector_check,
    dataset,
    diagnosis,
    history,
    portal,
    profile,
    source,
    table,
    undo,
    workspace,
)
from bi_mcp.server.tools import map as portal_map
from bi_mcp.server.tools.reading import READING
from bi_mcp.server.tools.tool import ToolDeclaration

# The groups that a user can choose, in the order in which clients see their tools.
TOOLSETS: Mapping[str, tuple[ToolDeclaration, ...]] = {
    "connectors": connector.TOOLS,
    "sources": source.TOOLS,
    "datasets": dataset.TOOLS,
    "diagnostics": (
        *portal.TOOLS,
        *connector_check.TOOLS,
        *diagnosis.TOOLS,
        *profile.TOOLS,
        *portal_map.TOOLS,
    ),
    "workspace": (*workspace.TOOLS, *history.TOOLS, *undo.TOOLS),
    "tables": table.TOOLS,
}

# Offered only where they are asked for: they do what the tools of `datasets` do.
ON_DEMAND = frozenset({"tables"})

# Of all groups, for clients with room for few tools: enough to onboard, diagnose, repair, move, rotate a secret and undo.
COMPACT = "compact"
_IN_COMPACT = frozenset(
    {
        "connector_add",
        "connector_update",
        "source_add",
        "source_update",
        "dataset_add",
        "dataset_fields_update",
        "portal_map",
        "connector_check",
        "source_tables",
        "dataset_propose",
        "dataset_diagnose",
        "dataset_preview",
        "dataset_columns_replace",
        "history_list",
        "workspace_undo",
    }
)


def choose_tools(toolsets: Collection[str] = (), *, read_only: bool = False) -> tuple[ToolDeclaration, ...]:
    """The tools of the named groups, or without names of all but `ON_DEMAND`. `COMPACT` is a choice from all groups.
    `read_only` leaves out all that write.

    Raises `ConfigError` for a name that is not a group.
    """
    # No map() in this file: the module of that name is an attribute of the package.
    known = (*TOOLSETS, COMPACT)
    unknown = [repr(name) for name in toolsets if name not in known]
    if unknown:
        raise ConfigError(
            say(
                "--toolsets (BI_MCP_TOOLSETS): there is no group of tools {unknown}. Choose from: {toolsets}.",
                unknown=", ".join(unknown),
                toolsets=", ".join(known),
            )
        )
    names = toolsets or set(TOOLSETS) - ON_DEMAND
    extra = _IN_COMPACT if COMPACT in names else frozenset()
    every = [(group, tool) for group, tools in TOOLSETS.items() for tool in tools]
    chosen = tuple(tool for group, tool in every if group in names or tool.name in extra)
    if not read_only:
        return chosen
    reading = (READING.get(tool.name, tool) for tool in chosen)
    return tuple(tool for tool in reading if tool.effect is Effect.READ)


TOOLS = choose_tools()
