"""What the model sees: one small typed function per tool, one file per group."""

from __future__ import annotations

from bi_mcp.tools import connector, dataset, diagnosis, portal, source
from bi_mcp.tools import map as portal_map

TOOLS = (*connector.TOOLS, *source.TOOLS, *dataset.TOOLS, *portal.TOOLS, *diagnosis.TOOLS, *portal_map.TOOLS)
