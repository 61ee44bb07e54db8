"""What every chat pays for the tools being there: `tools/list` as a client reads it, in compact JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mcp import Client

from benchmarks.outcome import Outcome
from benchmarks.servers import ours

GOAL = 18_000


@dataclass(frozen=True)
class ToolSizes:
    """Characters of each tool, in the order of the list."""

    characters: Mapping[str, int]

    def outcome(self) -> Outcome:
        """Compare the sum with the goal."""
        return Outcome(
            benchmark=f"size of tools/list, {len(self.characters)} tools",
            measured=sum(self.characters.values()),
            goal=GOAL,
            unit="characters",
            details=self.characters,
        )


async def measure_size() -> ToolSizes:
    """Ask our server for its tools over stdio."""
    async with Client(ours()) as client:
        listed = await client.list_tools()
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]
    return ToolSizes({tool["name"]: len(_compact(tool)) for tool in tools})


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
