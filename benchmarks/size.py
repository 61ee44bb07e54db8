"""What every chat pays for the tools being there: `tools/list` as a client reads it, in compact JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp import Client

from benchmarks.outcome import Outcome
from benchmarks.servers import NOTHING_CONFIGURED, ours
from bi_mcp.rest.methods import METHODS

GOAL = 18_000
DEFAULT_GOAL = 28_000
READ_ONLY_GOAL = 10_000
COMPACT_GOAL = 14_000


@dataclass(frozen=True)
class ToolSizes:
    """Characters of each tool, of the array that holds them all, and of the whole answer around the array."""

    tools: Mapping[str, int]
    array: int
    answer: int

    def outcome(self) -> Outcome:
        """Compare the array with the goal. What surrounds it is the protocol's, with one tool as with nineteen."""
        return Outcome(
            benchmark=f"size of tools/list, the {len(self.tools)} tools of the REST methods",
            measured=self.array,
            goal=GOAL,
            unit="characters",
            details={
                **self.tools,
                "(commas and brackets)": self.array - sum(self.tools.values()),
                "(around the array, not counted)": self.answer - self.array,
            },
        )


async def measure_size() -> ToolSizes:
    """Ask our server for its tools over stdio."""
    # The goal was set for these; what goes beyond the REST methods pays for itself.
    rest = {method.tool for method in METHODS}
    answer = await _list_tools({})
    answer["tools"] = [tool for tool in answer["tools"] if tool["name"] in rest]
    return ToolSizes(
        tools={tool["name"]: _size(tool) for tool in answer["tools"]},
        array=_size(answer["tools"]),
        answer=_size(answer),
    )


async def measure_default_size() -> Outcome:
    """All that a server offers which is told nothing."""
    return await _whole_list("as it is by default", DEFAULT_GOAL, {})


async def measure_read_only_size() -> Outcome:
    """All that a read-only server offers."""
    return await _whole_list("with --read-only", READ_ONLY_GOAL, {"BI_MCP_READ_ONLY": "on"})


async def measure_compact_size() -> Outcome:
    """The set for clients with room for few tools."""
    return await _whole_list("of the compact set", COMPACT_GOAL, {"BI_MCP_TOOLSETS": "compact"})


async def _whole_list(which: str, goal: int, environment: dict[str, str]) -> Outcome:
    tools = (await _list_tools(environment))["tools"]
    return Outcome(
        benchmark=f"size of tools/list {which}, {len(tools)} tools",
        measured=_size(tools),
        goal=goal,
        unit="characters",
        details={tool["name"]: _size(tool) for tool in tools},
    )


async def _list_tools(environment: dict[str, str]) -> dict[str, Any]:
    async with Client(ours({**NOTHING_CONFIGURED, **environment})) as client:
        listed = await client.list_tools()
    return listed.model_dump(mode="json", by_alias=True, exclude_none=True)


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
