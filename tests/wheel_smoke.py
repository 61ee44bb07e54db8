"""Run by `make wheel-check` with the Python of an environment that holds nothing but the built wheel."""

from __future__ import annotations

import os
import sys
import tempfile

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from bi_mcp.server.tools import TOOLS

PROMPTS = {"debug_dataset", "move_connector", "onboard", "replace_credentials", "review_portal"}


async def check() -> None:
    """Start the server as a client does; use a tool, a resource and every prompt in both languages."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "bi_mcp"], env={"BI_MCP_PORTAL_DB": ":memory:"}
    )
    async with Client(server) as client:
        assert len((await client.list_tools()).tools) == len(TOOLS)
        assert not (await client.call_tool("connector_list", {})).is_error
        assert (await client.read_resource("bi://dataset/fields")).contents
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == PROMPTS
        for name in sorted(PROMPTS):
            texts = set()
            for language in ("en", "ru"):
                content = (await client.get_prompt(name, {"language": language})).messages[0].content
                assert isinstance(content, TextContent)
                texts.add(content.text)
            assert len(texts) == 2


if __name__ == "__main__":
    # Away from the checkout, so that only the installed package can be found.
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        anyio.run(check)
    print(f"The wheel alone serves {len(TOOLS)} tools, resources and prompts.")  # noqa: T201  a script's one line
