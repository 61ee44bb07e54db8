"""`biconnector.table.*` as tools, on demand: what the dataset tools do, by the newer family and by nothing else.

The storage is the same. A table has no BI Builder dataset of its own making, and a portal without the family says so.
"""

from __future__ import annotations

from bi_mcp.server.tools.answers import Created
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.dataset import Family, NewDataset, build_family, read_dataset_back
from bi_mcp.server.tools.tool import ToolDeclaration


async def table_add(fields: NewDataset, ctx: BiContext) -> Created:
    """Create a table of a source with typed columns, as dataset_add does, but without a BI Builder dataset. Everything
    but the description is set once. Table and columns are not checked.
    """
    tables = app_of(ctx).bi.tables
    id = await tables.add(fields)
    return Created(id=id, **await read_dataset_back(tables, id))


_TABLES = Family(
    "table",
    lambda ctx: app_of(ctx).bi.tables,
    in_list=" Datasets are among them.",
    on_deletion=" A BI Builder dataset made with it stays behind.",
)
TOOLS = (ToolDeclaration(table_add, title="Create a table"), *build_family(_TABLES))
