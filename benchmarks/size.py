"""What every chat pays for the tools being there: `tools/list` as a client reads it, in compact JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mcp import Client

from benchmarks.outcome import Outcome
from benchmarks.servers import ours
from bi_mcp.rest.methods import METHODS

GOAL = 18_000


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
    async with Client(ours()) as client:
        listed = await client.list_tools()
    answer = listed.model_dump(mode="json", by_alias=True, exclude_none=True)
    # The goal was set for these; what goes beyond the REST methods pays for itself.
    rest = {method.tool for method in METHODS}
    answer["tools"] = [tool for tool in answer["tools"] if tool["name"] in rest]
    return ToolSizes(
        tools={tool["name"]: _size(tool) for tool in answer["tools"]},
        array=_size(answer["tools"]),
        answer=_size(answer),
    )


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
