"""`biconnector.dataset.*` as tools."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bi_mcp.diagnostics.portal import blast_radius
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
from bi_mcp.server.tools.column_pages import ColumnPage, show_columns
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import FilterArgument, Id, OrderArgument, PageNumber, Select
from bi_mcp.server.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from bi_mcp.rest.datasets import DatasetDeletion, Datasets

TableOnly = Annotated[bool, Field(description="Without a BI Builder dataset; newer portals only")]


async def _deletion(id: int, ctx: BiContext) -> Gated:
    look = partial(blast_radius.of_dataset_deletion, app_of(ctx).bi.datasets, id)
    return Gated("dataset_delete", {"id": id}, look)


async def _column_changes(
    id: int,
    add: list[NewColumn] | None,
    update: list[ColumnVisibility] | None,
    delete: list[int] | None,
    ctx: BiContext,
) -> Gated:
    changes = ColumnChanges(add=add, update=update, delete=delete)
    return gate_columns("dataset_fields_update", app_of(ctx).bi.datasets, id, changes)


def gate_columns(tool: str, datasets: Datasets, id: int, changes: ColumnChanges) -> Gated:
    """Gate the changes of columns. Only deletions destroy something."""

    async def look() -> blast_radius.BlastRadius | None:
        deleted = changes.delete
        # Before anyone is asked: what would be confirmed must be what would happen.
        await datasets.check_columns(id, changes)
        return await blast_radius.of_column_deletion(datasets, id, deleted) if deleted else None

    return Gated(tool, {"id": id, **changes.to_wire()}, look)


DeletionPreview = Annotated[Preview | None, gate(_deletion)]
ColumnsPreview = Annotated[Preview | None, gate(_column_changes)]


async def dataset_add(fields: DatasetFields, ctx: BiContext, table_only: TableOnly = False) -> Created:
    """Create a dataset, the third layer: a table of a source with typed columns. All but the description is set once. Nobody
    checks that table and columns exist.
    """
    return Created(id=await app_of(ctx).bi.datasets.add(fields, builder_dataset=not table_only))


async def dataset_update(id: Id, fields: DatasetChanges, ctx: BiContext) -> Updated:
    """Change a dataset's description. For columns use dataset_fields_update."""
    await app_of(ctx).bi.datasets.update(id, fields)
    return Updated(id=id)


async def dataset_get(id: Id, ctx: BiContext, page: ColumnPage = 1) -> Found[Dataset]:
    """Read one dataset with its columns, 200 a page. sourceId: see dataset_list."""
    return show_columns(await app_of(ctx).bi.datasets.get(id), page)


async def dataset_list(
    ctx: BiContext,
    select: Select = None,
    filter: FilterArgument = None,
    order: OrderArgument = None,
    page: PageNumber = 1,
) -> Listed[Dataset]:
    """List datasets without columns, of one source with filter {"sourceId": id}."""
    found = await app_of(ctx).bi.datasets.list_page(
        select=select or (), filter=filter, order=order, page=page
    )
    return Listed(items=list(found.items), page=found.number, more=found.more)


async def dataset_delete(
    id: Id,
    ctx: BiContext,
    preview: DeletionPreview,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Deleted:
    """Delete a dataset for good; its charts break."""
    if preview:
        return Deleted.not_yet(id, preview)
    return tell_deletion(await app_of(ctx).bi.datasets.delete_reporting(id))


async def dataset_fields(ctx: BiContext) -> Fields:
    """The fields of a dataset on this portal: type, required, read only, immutable."""
    return Fields(fields=await app_of(ctx).bi.datasets.fields())


async def dataset_fields_update(
    id: Id,
    ctx: BiContext,
    preview: ColumnsPreview,
    add: list[NewColumn] | None = None,
    update: list[ColumnVisibility] | None = None,
    delete: list[Id] | None = None,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> UpdatedOrPreview:
    """Add, show, hide or delete columns. To change a type, name or code: delete and
    add it again; charts that use it break.
    """
    if preview:
        return UpdatedOrPreview.not_yet(id, preview)
    await app_of(ctx).bi.datasets.update_columns(id, ColumnChanges(add=add, update=update, delete=delete))
    return UpdatedOrPreview(id=id)


def tell_deletion(deletion: DatasetDeletion) -> Deleted:
    """The answer of a deletion, with what the user has to remove by hand."""
    if deletion.orphaned_builder_dataset is None:
        return Deleted(id=deletion.id)
    left = f"The BI Builder dataset {deletion.orphaned_builder_dataset} of {deletion.name} stays behind; remove it by hand in BI Builder."
    return Deleted(id=deletion.id, notice=left)


TOOLS = (
    ToolDeclaration(dataset_add, title="Create a dataset"),
    ToolDeclaration(dataset_update, title="Change a dataset"),
    ToolDeclaration(dataset_get, title="Read a dataset"),
    ToolDeclaration(dataset_list, title="List datasets"),
    ToolDeclaration(dataset_delete, title="Delete a dataset"),
    ToolDeclaration(dataset_fields, title="Fields of a dataset"),
    ToolDeclaration(dataset_fields_update, title="Change a dataset's columns"),
)
