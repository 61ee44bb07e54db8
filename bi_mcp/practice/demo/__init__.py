"""The main job from end to end, as a story: a real MCP client starts the server over stdio and onboards real data.

It ends with charts that are compared with the data, and with status 0 only if every step succeeded.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from rich.console import Console

from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice import sample
from bi_mcp.practice.demo.charts import open_charts
from bi_mcp.practice.demo.job import (
    PASSWORD_VARIABLE,
    change_columns,
    look_around,
    make_connector,
    make_dataset,
    make_source,
    provoke_refusals,
)
from bi_mcp.practice.demo.result import show_result
from bi_mcp.practice.demo.story import StepError, Story


async def tell(story: Story, portal: LocalPortalSettings) -> None:
    """Run the whole job on the practice portal."""
    await look_around(story)
    connector = await make_connector(story)
    source = await make_source(story, connector)
    dataset = await make_dataset(story, source)
    await change_columns(story, dataset)
    await provoke_refusals(story, connector, source)
    await show_result(story, connector, source, dataset)
    await open_charts(story, portal, dataset)


async def run(console: Console) -> int:
    """Start the server as a client does, on a portal of its own, tell the story, return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "portal.sqlite3")
        environment = {
            # The demo must not touch the user's profiles and history.
            "BI_MCP_CONFIG_DIR": folder,
            "BI_MCP_PORTAL_DB": database,
            PASSWORD_VARIABLE: sample.DEMO_PASSWORD,
        }
        server = StdioServerParameters(command=sys.executable, args=["-m", "bi_mcp"], env=environment)
        async with Client(server) as client:
            console.print(
                "[bold]bi-mcp demo[/bold]: an MCP client, the server over stdio, the practice portal"
            )
            try:
                await tell(Story(client, console), LocalPortalSettings(database=database))
            except StepError as error:
                console.print(f"\n[red]{error}[/red]")
                return 1
    console.print("\n[green]Every step did what it should.[/green] Nothing of this reached a real Bitrix24.")
    return 0


def run_demo() -> None:
    """End with the story's exit status."""
    sys.exit(anyio.run(run, Console()))
