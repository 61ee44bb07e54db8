"""`workspace_undo`: reverts a change in the history, once the person has seen the effect."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from bi_mcp.base.language import say
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius, Thing, find_dependents
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answers import NOT_YET, Answer, Preview, PreviewField, address
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.tool import ToolDeclaration


class Undone(Answer):
    """The outcome of each step, or the steps to come."""

    undone: bool
    steps: list[dict[str, Any]]
    preview: PreviewField = None

    def headline(self) -> str:
        if self.preview:
            return NOT_YET
        if not self.steps:
            return "there was nothing to do."
        failed = [f"{step['step']}: {step['error']}" for step in self.steps if "error" in step]
        return " ".join(["not everything was undone.", *failed]) if failed else "undone."

    def changed_objects(self, group: str) -> list[str]:  # noqa: ARG002  an undo is about objects of all groups
        """A step that failed may have changed something."""
        return list(dict.fromkeys(address(step["group"], step["id"]) for step in self.steps))


async def _reversal(entry: str, ctx: BiContext) -> Gated:
    app = app_of(ctx)

    async def look() -> BlastRadius | None:
        plan = await app.undo.plan([entry])
        if plan.obstacles:
            raise plan.refusal()
        if not plan.steps:
            return None
        touched = [
            await find_dependents(app.bi, step.entry.group, step.id)
            for step in plan.steps
            if step.affects_dependents
        ]
        return BlastRadius(
            act=say(
                "The portal would be changed back: {steps}.",
                steps="; ".join(str(step) for step in plan.steps),
            ),
            target=Thing("history", 0, ", ".join(step.entry.id for step in plan.steps)),
            dependents=[thing for things in touched for thing in things],
            consequences=[say("Note: {note}.", note=note) for step in plan.steps for note in step.notes],
        )

    return Gated("workspace_undo", {"entry": entry}, look)


UndoPreview = Annotated[Preview | None, gate(_reversal)]


async def workspace_undo(
    ctx: BiContext,
    preview: UndoPreview,
    entry: Annotated[str, Field(description="Id from history_list")],
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Undone:
    """Revert a recorded change. Deleted objects are recreated with new ids."""
    if preview:
        return Undone(undone=False, steps=[], preview=preview)
    app = app_of(ctx)
    async with app.portal.addresses_settled:
        plan = await app.undo.plan([entry])
        results = await app.undo.run(plan)
    steps = [result.as_json() for result in results]
    done = len(steps) == len(plan.steps) and not any("error" in step for step in steps)
    return Undone(undone=done, steps=steps, notice=" ".join(plan.remarks) or None)


TOOLS = (ToolDeclaration(workspace_undo, title="Undo a change", own_effect=Effect.UPDATE),)
