"""Tools of a read-only server that replace tools which do more than read."""

from __future__ import annotations

from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.connector_check import Checked, CheckedTable, Quick, Repeat
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import SourceOf
from bi_mcp.server.tools.tool import ToolDeclaration


async def check_source(
    ctx: BiContext,
    source: SourceOf,
    table: CheckedTable = None,
    quick: Quick = False,
    repeat: Repeat = None,
) -> Checked:
    """Call the endpoints behind a source as Bitrix24 and its charts do and name what fails. Changes nothing."""
    report = await (await app_of(ctx).open_outside(source)).check(table, quick=quick, repeat=repeat or 0)
    return Checked(**report.model_dump())


# The portal holds the addresses and values of a source, so the model chooses neither.
_CHECK = ToolDeclaration(
    check_source, "Check a connector", own_name="connector_check", own_effect=Effect.READ
)
READING = {_CHECK.name: _CHECK}
