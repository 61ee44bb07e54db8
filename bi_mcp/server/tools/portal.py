"""The portal itself, as tools."""

from __future__ import annotations

from bi_mcp.diagnostics.portal.status import PortalStatus, read_portal_status
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answer_size import compact
from bi_mcp.server.tools.answers import Answer
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.finding_lines import describe_findings
from bi_mcp.server.tools.tool import ToolDeclaration


class Status(Answer, PortalStatus):
    """The status of the portal."""

    def headline(self) -> str:
        """The verdict."""
        return f"{self.portal}: {self.verdict}."

    def text(self, tool: str) -> str:
        """The findings as lines, and below them the facts."""
        content = self.structured_content()
        findings = content.pop("findings")
        told = [content.pop("notice", None), *describe_findings(findings)]
        for said in ("verdict", "portal"):
            content.pop(said)
        return self.in_lines(tool, [*told, compact(content)])


async def portal_status(ctx: BiContext) -> Status:
    """Report the portal, the user and scopes of the credential, the generation, and problems. Call it when Bitrix24 itself
    refuses or its answers look odd. Changes nothing.
    """
    app = app_of(ctx)
    status = await read_portal_status(app.bi, app.portal.title, limiter=app.portal.limiter)
    return Status(**status.model_dump())


TOOLS = (ToolDeclaration(portal_status, title="Status of the portal", own_effect=Effect.READ),)
