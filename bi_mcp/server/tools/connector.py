"""`biconnector.connector.*` as tools."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.portal import blast_radius
from bi_mcp.endpoints.guard import check_addresses
from bi_mcp.rest.models import Connector, ConnectorChanges, ConnectorFields
from bi_mcp.server.tools.answers import (
    Created,
    Deleted,
    Fields,
    Found,
    Listed,
    Preview,
    UpdatedOrPreview,
)
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import FilterArgument, Id, OrderArgument, PageNumber, Select
from bi_mcp.server.tools.read_back import ReadBack, read_back
from bi_mcp.server.tools.revival import note_revival, tell_revival
from bi_mcp.server.tools.shown_objects import view_connector
from bi_mcp.server.tools.tool import ToolDeclaration


async def _deletion(id: int, ctx: BiContext) -> Gated:
    look = partial(blast_radius.of_connector_deletion, app_of(ctx).bi, id)
    return Gated("connector_delete", {"id": id}, look, tell_revival(ctx))


async def _update(id: int, fields: ConnectorChanges, ctx: BiContext) -> Gated:
    check_addresses(_addresses(fields))
    app = app_of(ctx)
    look = partial(blast_radius.of_connector_changes, app.bi, id, fields, app.setting_values.named)
    return Gated("connector_update", {"id": id, "fields": fields.to_wire()}, look)


DeletionPreview = Annotated[Preview | None, gate(_deletion)]
UpdatePreview = Annotated[Preview | None, gate(_update)]


async def connector_add(fields: ConnectorFields, ctx: BiContext) -> Created:
    """Create a connector, the first of three layers: four endpoints of an external system and the parameters it asks for.
    Holds no credentials and calls no endpoint; a source does.
    """
    check_addresses(_addresses(fields))
    id = await app_of(ctx).bi.connectors.add(fields)
    return Created(id=id, **await _read_back(ctx, id))


async def connector_update(
    id: Id,
    fields: ConnectorChanges,
    ctx: BiContext,
    preview: UpdatePreview,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> UpdatedOrPreview:
    """Change the passed fields of a connector, for all its sources. settings replaces the whole list."""
    if preview:
        return UpdatedOrPreview.not_yet(id, preview)
    check_addresses(_addresses(fields))
    app = app_of(ctx)
    # Whatever was confirmed, and where nothing has to be: a stored secret goes only where the user bound it to.
    async with app.portal.addresses_settled:
        await app.writes.change_connector(id, fields)
    back = await _read_back(ctx, id)
    if fields.settings is not None or any(_addresses(fields).values()):
        untried = say(
            "The endpoints were not called: portal_map with diagnose asks them for every dataset, connector_check for one table."
        )
        back["notice"] = " ".join(filter(None, [back.get("notice"), untried]))
    return UpdatedOrPreview(id=id, **back)


async def connector_get(id: Id, ctx: BiContext) -> Found[Connector]:
    """Read one connector with its endpoints and parameters."""
    return Found(item=view_connector(await app_of(ctx).bi.connectors.get(id)))


async def connector_list(
    ctx: BiContext,
    select: Select = None,
    filter: FilterArgument = None,
    order: OrderArgument = None,
    page: PageNumber = 1,
) -> Listed[Connector]:
    """List the connectors that this application created."""
    found = await app_of(ctx).bi.connectors.list_page(
        select=select or (), filter=filter, order=order, page=page
    )
    return Listed(items=[view_connector(item) for item in found.items], page=found.number, more=found.more)


async def connector_delete(
    id: Id,
    ctx: BiContext,
    preview: DeletionPreview,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Deleted:
    """Delete a connector. Refused while sources use it."""
    if preview:
        return Deleted.not_yet(id, preview)
    await app_of(ctx).bi.connectors.delete(id)
    return Deleted(id=id, notice=note_revival(ctx))


async def connector_fields(ctx: BiContext, full: bool = False) -> Fields:
    """The fields of a connector on this portal."""
    return Fields.describe(await app_of(ctx).bi.connectors.fields(), full=full)


async def _read_back(ctx: BiContext, id: int) -> ReadBack:
    return await read_back(lambda: connector_get(id, ctx))


def _addresses(fields: ConnectorFields | ConnectorChanges) -> dict[str, str | None]:
    return {f"fields.{name}": fields.model_dump(by_alias=True)[name] for name in ENDPOINTS}


TOOLS = (
    ToolDeclaration(connector_add, title="Create a connector"),
    ToolDeclaration(connector_update, title="Change a connector"),
    ToolDeclaration(connector_get, title="Read a connector"),
    ToolDeclaration(connector_list, title="List connectors"),
    ToolDeclaration(connector_delete, title="Delete a connector"),
    ToolDeclaration(connector_fields, title="Fields of a connector"),
)
