"""The tool that replaces columns of a dataset or a table, for both families of methods."""

# Annotations are evaluated at once: those within the factory name what it closes over.

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import WithJsonSchema

from bi_mcp.diagnostics.portal.replaced_columns import of_column_replacement
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.models import Column, ColumnReplacement
from bi_mcp.server.tools.answers import Preview, UpdatedOrPreview
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import Id
from bi_mcp.server.tools.schema import OBJECT_ID
from bi_mcp.server.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from bi_mcp.diagnostics.portal.blast_radius import BlastRadius
    from bi_mcp.server.tools.dataset import Family

_COLUMN = {"id": OBJECT_ID, **{name: {"type": "string"} for name in ("name", "externalCode", "type")}}
Wanted = Annotated[
    list[ColumnReplacement],
    # The rules of names and types are spelled out where columns are created; what breaks them is refused by the model.
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 1,
            "description": "By id or name; what is left out stays",
            "items": {"type": "object", "additionalProperties": False, "properties": _COLUMN},
        }
    ),
]


class Replaced(UpdatedOrPreview):
    """The columns that took the others' places, with their new ids."""

    cut_lists: ClassVar[tuple[str, ...]] = ("columns",)
    advice_if_cut: ClassVar[str] = "Read the dataset for the others."

    columns: Annotated[list[Column] | None, WithJsonSchema({"type": "array"})] = None


def build_replacement(family: "Family") -> ToolDeclaration:
    """Build `KIND_columns_replace`."""
    kind = family.kind
    name = f"{kind}_columns_replace"

    async def gate_replacement(id: int, columns: list[ColumnReplacement], ctx: BiContext) -> Gated:
        objects = family.objects(ctx)

        async def look() -> "BlastRadius":
            # Before anyone is asked: nothing is offered that would be refused later.
            plan = await app_of(ctx).column_replacer(objects).plan(id, columns)
            return await of_column_replacement(objects, plan)

        wanted = [column.to_wire() for column in columns]
        return Gated(name, {"id": id, "columns": wanted}, look)

    async def replace_columns(
        id: Id,
        columns: Wanted,
        ctx: BiContext,
        preview: Annotated[Preview | None, gate(gate_replacement)],
        confirm: Confirm = None,  # noqa: ARG001  the gate reads it
    ) -> Replaced:
        if preview:
            return Replaced.not_yet(id, preview)
        replacer = app_of(ctx).column_replacer(family.objects(ctx))
        replaced = await replacer.run(await replacer.plan(id, columns))
        return Replaced(id=id, columns=list(replaced.columns), notice=" ".join(replaced.remarks) or None)

    about = f"Give columns of a {kind} another externalCode, type or name: deletes them and adds them again, in one confirmed change. Charts find them by name, which stays unless given; look at charts and filters afterwards."
    return ToolDeclaration(replace_columns, f"Replace a {kind}'s columns", name, about, Effect.UPDATE)
