"""Tools of a read-only server that replace tools which do more than read."""

from __future__ import annotations

from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.diagnosis import Checked
from bi_mcp.server.tools.parameters import Id
from bi_mcp.server.tools.tool import ToolDeclaration


async def connector_check(
    ctx: BiContext, source: Id, table: str | None = None, quick: bool = False
) -> Checked:
    """Call the endpoints behind a source as Bitrix24 and its charts do (quick: without charts) and name what fails. Changes
    nothing.
    """
    report = await (await app_of(ctx).open_outside(source)).check(table, quick=quick)
    return Checked(**report.model_dump())


# Of a source the portal holds addresses and values, as for source_tables: the model chooses neither.
READING = {
    declaration.name: declaration
    for declaration in (ToolDeclaration(connector_check, title="Check a connector", own_effect=Effect.READ),)
}
