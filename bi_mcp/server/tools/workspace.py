"""Tools for a portal's setup as a file: export, plan, apply. A plan is shown before it is applied."""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Annotated

from anyio import to_thread
from pydantic import BeforeValidator, Field

from bi_mcp.app.app import App, SeenPlan
from bi_mcp.base.language import say
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius, Thing
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answers import Preview
from bi_mcp.server.tools.confirmation import Gated, ask
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.setup_answers import Applied, PlannedSetup, SetupText
from bi_mcp.server.tools.tool import ToolDeclaration

# Imported at the first call, beside the event loop: it takes a quarter of a second.
_CALLS = "bi_mcp.server.tools.setup_calls"

File = Annotated[str | None, Field(description="File in the workspace folder")]


async def _application(token: str, ctx: BiContext) -> Gated:
    seen = _find_plan(app_of(ctx), token)

    async def look() -> BlastRadius | None:
        plan = seen.planned.plan
        # An address that moves takes the sources' values along: that has consequences and deletes nothing.
        serious = [change for change in plan.changes if change.deletes or change.consequences]
        if not serious:
            return None
        touched = [Thing(change.group, change.id or 0, change.label) for change in serious]
        return BlastRadius(
            act=say(
                "The plan {checksum} would be applied: {summary}",
                checksum=plan.checksum,
                summary=plan.summary(),
            ),
            target=Thing("plan", 0, plan.checksum),
            dependents=touched,
            consequences=list(dict.fromkeys(text for change in plan.changes for text in change.consequences)),
        )

    return Gated("workspace_apply", {"token": token}, look)


Consent = Annotated[Preview | None, ask(_application)]


async def workspace_export(ctx: BiContext, file: File = None) -> SetupText:
    """Write the whole portal as a setup file (YAML): objects by key, secrets as references. With file, an existing one keeps its
    comments and keys. Returns the text; changes nothing.
    """
    await to_thread.run_sync(import_module, _CALLS)
    from bi_mcp.server.tools.setup_calls import export_portal

    return await export_portal(app_of(ctx), file)


def _as_text(setup: object) -> object:
    """A model may send the setup itself instead of its text, or the text as it shows one in a chat."""
    if isinstance(setup, dict):
        return json.dumps(setup, ensure_ascii=False)
    fenced = re.fullmatch(r"\s*```\w*\n(.*)```\s*", setup, re.DOTALL) if isinstance(setup, str) else None
    return fenced[1] if fenced else setup


async def workspace_plan(
    ctx: BiContext,
    setup: Annotated[
        str | None,
        BeforeValidator(_as_text),
        Field(description="As workspace_export writes it"),
    ] = None,
    file: File = None,
    prune: Annotated[bool, Field(description="Delete what is not in the setup")] = False,
    from_portal: Annotated[str | None, Field(description="Copy that portal's setup instead")] = None,
    replacements: Annotated[
        dict[str, str] | None, Field(description="Old: new text in addresses, titles, names of secrets")
    ] = None,
) -> PlannedSetup:
    """Compare a setup with the portal: what would be created, updated, replaced and deleted, and why. Changes nothing; its token
    is for workspace_apply.
    """
    await to_thread.run_sync(import_module, _CALLS)
    from bi_mcp.server.tools.setup_calls import Wanted, plan_setup

    return await plan_setup(app_of(ctx), Wanted(setup, file, from_portal, replacements or {}), prune=prune)


async def workspace_apply(ctx: BiContext, token: str, consent: Consent) -> Applied:  # noqa: ARG001  the question was asked
    """Carry out the plan that workspace_plan gave this token for. Refused when the portal has changed since. Checks the
    connectors first; can be called again after a new plan where something was left undone.
    """
    from bi_mcp.server.tools.setup_calls import apply_plan

    app = app_of(ctx)
    return await apply_plan(app, token, _find_plan(app, token))


def _find_plan(app: App, token: str) -> SeenPlan:
    seen = app.plans.get(token)
    if seen is None or seen.portal != app.portal.title:
        raise InvalidRequestError(
            say(
                "workspace_apply: there is no plan with this token here; it was applied, or the server was restarted. Call workspace_plan again and show its plan."
            )
        )
    return seen


TOOLS = (
    ToolDeclaration(workspace_export, title="Export the portal's setup", own_effect=Effect.READ),
    ToolDeclaration(workspace_plan, title="Plan a setup", own_effect=Effect.READ),
    ToolDeclaration(workspace_apply, title="Apply a plan", own_effect=Effect.DELETE),
)
