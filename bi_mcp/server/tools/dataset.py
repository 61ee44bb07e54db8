"""`biconnector.dataset.*` as tools, and the factory of the tools that `biconnector.table.*` has as well."""

# Annotations are evaluated at once: those within the factory name what it closes over.

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pydantic import Field

from bi_mcp.diagnostics.portal import blast_radius
from bi_mcp.rest.datasets import Datasets
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    Dataset,
    DatasetChanges,
    DatasetFields,
    NewColumn,
)
from bi_mcp.server.tools.answers import (
    Created,
    Deleted,
    Fields,
    Found,
    Listed,
    Preview,
    Updated,
    UpdatedOrPreview,
)
from bi_mcp.server.tools.column_pages import ColumnPage, show_dataset
from bi_mcp.server.tools.column_replacement import build_replacement
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import FilterArgument, Id, OrderArgument, PageNumber, Select
from bi_mcp.server.tools.read_back import ReadBack, read_back
from bi_mcp.server.tools.revival import note_revival, tell_revival
from bi_mcp.server.tools.tool import ToolDeclaration


class NewDataset(DatasetFields):
    """`fields` of dataset_add: the source by its id or title."""

    source_id: Id


class ShownColumn(ColumnVisibility):
    """A column to show or hide, by its id or name."""

    id: Id


TableOnly = Annotated[bool, Field(description="Without a BI Builder dataset; newer portals only")]


@dataclass(frozen=True)
class Family:
    """A family of methods for datasets. `kind` is its name for one; `objects` finds the client of its methods."""

    kind: str
    objects: Callable[[BiContext], Datasets]
    # Added to the descriptions of two tools.
    in_list: str = ""
    on_deletion: str = ""


def build_family(family: Family) -> tuple[ToolDeclaration, ...]:
    """Build the tools that both families have: all but the one that creates."""
    factories = (
        build_update,
        build_get,
        build_list,
        build_delete,
        build_fields,
        build_update_of_columns,
        build_replacement,
    )
    return tuple(factory(family) for factory in factories)


def build_update(family: Family) -> ToolDeclaration:
    """Build `KIND_update`."""

    async def update(id: Id, fields: DatasetChanges, ctx: BiContext) -> Updated:
        await family.objects(ctx).update(id, fields)
        return Updated(id=id, **await read_dataset_back(family.objects(ctx), id))

    kind = family.kind
    about = f"Change a {kind}'s description. Columns: {kind}_fields_update. Another source or table needs a new {kind}: dataset_propose with like."
    return ToolDeclaration(update, f"Change a {kind}", f"{kind}_update", about)


def build_get(family: Family) -> ToolDeclaration:
    """Build `KIND_get`."""

    async def get(id: Id, ctx: BiContext, page: ColumnPage = 1) -> Found[Dataset]:
        return await show_dataset(family.objects(ctx), id, page)

    kind = family.kind
    about = f"Read one {kind} with its columns, 200 a page."
    return ToolDeclaration(get, f"Read a {kind}", f"{kind}_get", about)


def build_list(family: Family) -> ToolDeclaration:
    """Build `KIND_list`."""

    async def list_page(
        ctx: BiContext,
        select: Select = None,
        filter: FilterArgument = None,
        order: OrderArgument = None,
        page: PageNumber = 1,
    ) -> Listed[Dataset]:
        objects = family.objects(ctx)
        found = await objects.list_page(select=select or (), filter=filter, order=order, page=page)
        return Listed(items=list(found.items), page=found.number, more=found.more)

    kind = family.kind
    about = f'List {kind}s without columns, of one source with filter {{"sourceId": id}}.{family.in_list}'
    return ToolDeclaration(list_page, f"List {kind}s", f"{kind}_list", about)


def build_delete(family: Family) -> ToolDeclaration:
    """Build `KIND_delete`."""
    name = f"{family.kind}_delete"

    async def gate_deletion(id: int, ctx: BiContext) -> Gated:
        look = partial(blast_radius.of_dataset_deletion, family.objects(ctx), id)
        return Gated(name, {"id": id}, look, tell_revival(ctx, "dataset"))

    async def delete(
        id: Id,
        ctx: BiContext,
        preview: Annotated[Preview | None, gate(gate_deletion)],
        confirm: Confirm = None,  # noqa: ARG001  the gate reads it
    ) -> Deleted:
        if preview:
            return Deleted.not_yet(id, preview)
        deletion = await family.objects(ctx).delete_reporting(id)
        if deletion.orphaned_builder_dataset is None:
            return Deleted(id=id, notice=note_revival(ctx, "dataset"))
        left = f"The BI Builder dataset {deletion.orphaned_builder_dataset} of {deletion.name} stays behind; remove it by hand in BI Builder."
        return Deleted(id=id, notice=" ".join(filter(None, [left, note_revival(ctx, "dataset")])))

    about = f"Delete a {family.kind}; its charts break.{family.on_deletion}"
    return ToolDeclaration(delete, f"Delete a {family.kind}", name, about)


def build_fields(family: Family) -> ToolDeclaration:
    """Build `KIND_fields`."""

    async def fields(ctx: BiContext, full: bool = False) -> Fields:
        return Fields.describe(await family.objects(ctx).fields(), full=full)

    kind = family.kind
    about = f"The fields of a {kind} on this portal."
    return ToolDeclaration(fields, f"Fields of a {kind}", f"{kind}_fields", about)


def build_update_of_columns(family: Family) -> ToolDeclaration:
    """Build `KIND_fields_update`."""
    kind = family.kind
    name = f"{kind}_fields_update"

    async def gate_columns(
        id: int,
        add: list[NewColumn] | None,
        update: list[ShownColumn] | None,
        delete: list[int] | None,
        ctx: BiContext,
    ) -> Gated:
        changes = build_changes(add, update, delete)
        objects = family.objects(ctx)

        async def look() -> blast_radius.BlastRadius | None:
            # Before anyone is asked: what would be confirmed must be what would happen.
            await objects.check_columns(id, changes)
            return await blast_radius.of_column_deletion(objects, id, delete) if delete else None

        last = tell_revival(ctx, "columns")
        return Gated(name, {"id": id, **changes.to_wire()}, look, last)

    async def update_columns(
        id: Id,
        ctx: BiContext,
        preview: Annotated[Preview | None, gate(gate_columns)],
        add: list[NewColumn] | None = None,
        update: list[ShownColumn] | None = None,
        delete: list[Id] | None = None,
        confirm: Confirm = None,  # noqa: ARG001  the gate reads it
    ) -> UpdatedOrPreview:
        if preview:
            return UpdatedOrPreview.not_yet(id, preview)
        await family.objects(ctx).update_columns(id, build_changes(add, update, delete))
        return UpdatedOrPreview(id=id, **await read_dataset_back(family.objects(ctx), id))

    about = f"Add, show, hide or delete columns. Charts that use a deleted or a hidden column break; only deleting asks first. Another type, name or code: {kind}_columns_replace."
    return ToolDeclaration(update_columns, f"Change a {kind}'s columns", name, about)


def build_changes(
    add: list[NewColumn] | None, update: list[ShownColumn] | None, delete: list[int] | None
) -> ColumnChanges:
    """Build the changes of `fields.update`."""
    return ColumnChanges(add=add, update=None if update is None else [*update], delete=delete)


async def read_dataset_back(datasets: Datasets, id: int) -> ReadBack:
    """Read a dataset with its columns after a write."""
    return await read_back(lambda: show_dataset(datasets, id))


async def dataset_add(fields: NewDataset, ctx: BiContext, table_only: TableOnly = False) -> Created:
    """Create a dataset, the third layer: a table of a source with typed columns. Everything but the description is set once. Table
    and columns are not checked.
    """
    datasets = app_of(ctx).bi.datasets
    id = await datasets.add(fields, builder_dataset=not table_only)
    return Created(id=id, **await read_dataset_back(datasets, id))


TOOLS = (
    ToolDeclaration(dataset_add, title="Create a dataset"),
    *build_family(
        Family(
            "dataset",
            lambda ctx: app_of(ctx).bi.datasets,
        )
    ),
)
