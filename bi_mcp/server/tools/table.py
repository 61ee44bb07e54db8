"""`biconnector.table.*` as tools, on demand: what the dataset tools do, by the newer family and by nothing else.

The storage is the same. A table has no BI Builder dataset of its own making, and a portal without the family says so.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

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
from bi_mcp.server.tools.dataset import gate_columns, tell_deletion
from bi_mcp.server.tools.parameters import FilterArgument, Id, OrderArgument, PageNumber, Select
from bi_mcp.server.tools.tool import ToolDeclaration


async def _deletion(id: int, ctx: BiContext) -> Gated:
    look = partial(blast_radius.of_dataset_deletion, app_of(ctx).bi.tables, id)
    return Gated("table_delete", {"id": id}, look)


async def _column_changes(
    id: int,
    add: list[NewColumn] | None,
    update: list[ColumnVisibility] | None,
    delete: list[int] | None,
    ctx: BiContext,
) -> Gated:
    changes = ColumnChanges(add=add, update=update, delete=delete)
    return gate_columns("table_fields_update", app_of(ctx).bi.tables, id, changes)


DeletionPreview = Annotated[Preview | None, gate(_deletion)]
ColumnsPreview = Annotated[Preview | None, gate(_column_changes)]


async def table_add(fields: DatasetFields, ctx: BiContext) -> Created:
    """Create a table of a source with typed columns, as dataset_add does, but without a BI Builder dataset. All but the
    description is set once. Nobody checks that table and columns exist in the external system.
    """
    return Created(id=await app_of(ctx).bi.tables.add(fields))


async def table_update(id: Id, fields: DatasetChanges, ctx: BiContext) -> Updated:
    """Change a table's description. For columns use table_fields_update."""
    await app_of(ctx).bi.tables.update(id, fields)
    return Updated(id=id)


async def table_get(id: Id, ctx: BiContext, page: ColumnPage = 1) -> Found[Dataset]:
    """Read one table with its columns, 200 a page. Its sourceId comes with table_list only."""
    return show_columns(await app_of(ctx).bi.tables.get(id), page)


async def table_list(
    ctx: BiContext,
    select: Select = None,
    filter: FilterArgument = None,
    order: OrderArgument = None,
    page: PageNumber = 1,
) -> Listed[Dataset]:
    """List tables without columns, of one source with filter {"sourceId": id}. Datasets are among them."""
    found = await app_of(ctx).bi.tables.list_page(select=select or (), filter=filter, order=order, page=page)
    return Listed(items=list(found.items), page=found.number, more=found.more)


async def table_delete(
    id: Id,
    ctx: BiContext,
    preview: DeletionPreview,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Deleted:
    """Delete a table for good; its charts break. A BI Builder dataset made with it stays behind."""
    if preview:
        return Deleted.not_yet(id, preview)
    return tell_deletion(await app_of(ctx).bi.tables.delete_reporting(id))


async def table_fields(ctx: BiContext) -> Fields:
    """The fields of a table on this portal: type, required, read only, immutable."""
    return Fields(fields=await app_of(ctx).bi.tables.fields())


async def table_fields_update(
    id: Id,
    ctx: BiContext,
    preview: ColumnsPreview,
    add: list[NewColumn] | None = None,
    update: list[ColumnVisibility] | None = None,
    delete: list[Id] | None = None,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> UpdatedOrPreview:
    """Add, show, hide or delete columns of a table. To change a type, name or code: delete and
    add it again; charts that use it break.
    """
    if preview:
        return UpdatedOrPreview.not_yet(id, preview)
    await app_of(ctx).bi.tables.update_columns(id, ColumnChanges(add=add, update=update, delete=delete))
    return UpdatedOrPreview(id=id)


TOOLS = (
    ToolDeclaration(table_add, title="Create a table"),
    ToolDeclaration(table_update, title="Change a table"),
    ToolDeclaration(table_get, title="Read a table"),
    ToolDeclaration(table_list, title="List tables"),
    ToolDeclaration(table_delete, title="Delete a table"),
    ToolDeclaration(table_fields, title="Fields of a table"),
    ToolDeclaration(table_fields_update, title="Change a table's columns"),
)
