"""`workspace_undo`: reverts a change in the history, once the person has seen the effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, WithJsonSchema

from bi_mcp.base.language import say
from bi_mcp.diagnostics.portal.blast_radius import UNSEEN, BlastRadius, Thing, find_dependents
from bi_mcp.errors import BiMcpError
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.models import Column
from bi_mcp.server.tools.answers import NOT_YET, Answer, Preview, PreviewField, address
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from bi_mcp.app.app import App
    from bi_mcp.history.undo_plan import UndoPlan
    from bi_mcp.history.undo_run import Reverted


class Undone(Answer):
    """The outcome of each step, the columns that are there again with their new ids, or the steps to come."""

    cut_lists: ClassVar[tuple[str, ...]] = ("columns",)
    advice_if_cut: ClassVar[str] = "Read the dataset for the others."

    undone: bool
    steps: list[dict[str, Any]]
    columns: Annotated[list[Column] | None, WithJsonSchema({"type": "array"})] = None
    preview: PreviewField = None

    def headline(self) -> str:
        if self.preview:
            return NOT_YET
        if not self.steps:
            return "there was nothing to do."
        failed = [f"{step['step']}: {step['error']}" for step in self.steps if "error" in step]
        return " ".join(["not everything was undone.", *failed]) if failed else "undone."

    def links(self, group: str) -> list[str]:  # noqa: ARG002  an undo is about objects of all groups
        there = [step for step in self.steps if "error" not in step and step["action"] != "delete"]
        return list(dict.fromkeys(address(step["group"], step["id"]) for step in there))

    def changed_objects(self, group: str) -> list[str]:  # noqa: ARG002  as in `links`
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
        notes = [say("Note: {note}.", note=note) for step in plan.steps for note in step.notes]
        unseen = [say(UNSEEN)] if any(step.entry.group == "dataset" for step in plan.steps) else []
        return BlastRadius(
            act=_tell_act(plan),
            target=Thing("history", 0, ", ".join(step.entry.id for step in plan.steps)),
            dependents=[thing for things in touched for thing in things] or None,
            consequences=[*notes, *unseen],
        )

    return Gated("workspace_undo", {"entry": entry}, look)


def _tell_act(plan: UndoPlan) -> str:
    steps = "; ".join(str(step) for step in plan.steps)
    if plan.authors:
        authors = "; ".join(plan.authors)
        return say("This change by {author} would be undone: {steps}.", author=authors, steps=steps)
    return say("This change would be undone: {steps}.", steps=steps)


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
    remarks = [*plan.remarks, *(remark for result in results for remark in result.remarks)]
    columns = await _read_columns(app, results)
    return Undone(undone=done, steps=steps, columns=columns or None, notice=" ".join(remarks) or None)


async def _read_columns(app: App, results: Sequence[Reverted]) -> list[Column]:
    """The columns that were added again, as they are now. The undo is done, so a failure costs only their ids."""
    done = [result for result in results if result.step.action == "columns" and result.error is None]
    codes: dict[int, set[str]] = {}
    for result in done:
        added = {column["externalCode"] for column in result.step.values["add"]}
        codes[result.id] = codes.get(result.id, set()) | added
    columns: list[Column] = []
    for id in (id for id, added in codes.items() if added):
        try:
            dataset = await app.bi.datasets.get(id)
        except BiMcpError:
            continue
        columns += [column for column in dataset.fields or () if column.external_code in codes[id]]
    return columns


TOOLS = (ToolDeclaration(workspace_undo, title="Undo a change", own_effect=Effect.UPDATE),)
