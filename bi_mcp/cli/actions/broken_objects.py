"""The broken objects of a portal as a table."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bi_mcp.base.language import say
from bi_mcp.cli.actions.findings import VERDICTS, describe_finding
from bi_mcp.cli.actions.repairs import commands_of, how_to_change
from bi_mcp.cli.actions.rows import open_console
from bi_mcp.diagnostics.portal.portal_map import MARKS as STATE_MARKS
from bi_mcp.diagnostics.portal.portal_map import STATES, PortalMap


def print_broken_objects(found: PortalMap, profile: str | None) -> None:
    """Print the worst objects first; of the healthy ones only the number."""
    table = Table("", say("object"), say("title"), say("found"), box=SIMPLE_HEAD, show_edge=False)
    troubled = [node for node in found.nodes if node.findings]
    for node in sorted(troubled, key=lambda node: STATES.index(node.level), reverse=True):
        lines = [
            line
            for finding in node.findings
            for line in (*describe_finding(finding), *(f"→ {each}" for each in commands_of(finding, profile)))
        ]
        # Text, because titles come from outside and must not be read as markup.
        table.add_row(STATE_MARKS[node.level], Text(node.key), Text(node.title), Text("\n".join(lines)))
    console = open_console()
    if troubled:
        console.print(table)
    if advice := how_to_change(finding for node in troubled for finding in node.findings):
        console.print(Text(advice))
    console.print(Text(f"{say(VERDICTS[found.verdict])}: {found.summary()}"))
