"""`biconnector.source.*` as tools. Values of settings go in as references and never come out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from anyio import to_thread
from mcp.types import InputRequiredResult
from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema

from bi_mcp.app.app import App
from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.portal import blast_radius
from bi_mcp.history.guarded_writes import Allowed
from bi_mcp.rest.models import SourceChanges, SourceFields
from bi_mcp.rest.models.connector import Title
from bi_mcp.rest.models.wire import Sent
from bi_mcp.server.tools.answers import (
    Created,
    Deleted,
    Fields,
    Found,
    Listed,
    Preview,
    Updated,
)
from bi_mcp.server.tools.arguments import read_references
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import FilterArgument, Id, OrderArgument, PageNumber, Select
from bi_mcp.server.tools.read_back import ReadBack, read_back
from bi_mcp.server.tools.revival import note_revival, tell_revival
from bi_mcp.server.tools.secret_question import ask_for_secrets
from bi_mcp.server.tools.shown_objects import SourceView, may_be_seen, view_source
from bi_mcp.server.tools.tool import ToolDeclaration
from bi_mcp.vault.known_values import NOTHING_KNOWN, known_values
from bi_mcp.vault.setting_values import SecretReference, SettingValue
from bi_mcp.vault.travel import addresses_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.models import ReceivedParameter, Source

SettingsArgument = Annotated[
    dict[str, SettingValue],
    BeforeValidator(read_references),
    Field(description='{code: value}; a secret as {"secret"|"file":"name"} or {"env":"BI_MCP_SECRET_…"}'),
    # The references' own schemas would say in four hundred characters what the description says in one line.
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "object"}]},
        }
    ),
]


class NewSource(Sent):
    """`fields` of source_add, with references in `settings`."""

    title: Title
    connector_id: Id
    settings: SettingsArgument
    description: str | None = None
    active: StrictBool | None = None


class SourceUpdate(Sent):
    """`fields` of source_update, with references in `settings`."""

    title: Title | None = None
    settings: SettingsArgument | None = None
    description: str | None = None
    active: StrictBool | None = None


async def _deletion(id: int, ctx: BiContext) -> Gated:
    look = partial(blast_radius.of_source_deletion, app_of(ctx).bi, id)
    return Gated("source_delete", {"id": id}, look, tell_revival(ctx))


DeletionPreview = Annotated[Preview | None, gate(_deletion)]


async def source_add(fields: NewSource, ctx: BiContext) -> Created | InputRequiredResult:
    """Create a source, the second layer: a connector plus values for its parameters. The portal calls urlCheck and creates
    nothing when that fails.
    """
    app = app_of(ctx)
    passed = fields.model_dump(exclude={"settings"}, exclude_none=True)
    question = await _ask(ctx, fields.connector_id, fields.settings)
    if question:
        return question
    async with app.portal.addresses_settled:
        settings, allowed = await _resolve(app, fields.connector_id, fields.settings)
        id = await app.writes.add_source(SourceFields(**passed, settings=settings), allowed)
    return Created(id=id, **await _read_back(app, id, fields.active))


async def source_update(id: Id, fields: SourceUpdate, ctx: BiContext) -> Updated | InputRequiredResult:
    """Change the passed fields of a source; settings are merged by code. The portal calls urlCheck and refuses the change when that fails."""
    app = app_of(ctx)
    passed = fields.model_dump(exclude={"settings"}, exclude_none=True)
    if fields.settings and app.setting_values.missing(fields.settings):
        question = await _ask(ctx, (await app.bi.sources.get(id)).connector_id, fields.settings)
        if question:
            return question
    async with app.portal.addresses_settled:
        if fields.settings is None:
            await app.bi.sources.update(id, SourceChanges(**passed))
        else:
            source = await app.bi.sources.get(id)
            settings, allowed = await _resolve(app, source.connector_id, fields.settings)
            await app.writes.change_source(source, SourceChanges(**passed, settings=settings), allowed)
    return Updated(id=id, **await _read_back(app, id, fields.active))


async def source_get(id: Id, ctx: BiContext) -> Found[SourceView]:
    """Read one source. Settings show whether they are set, and the values of harmless ones such as host and login."""
    app = app_of(ctx)
    return Found(item=await show_source(app, await app.bi.sources.get(id)))


async def source_list(
    ctx: BiContext,
    select: Select = None,
    filter: FilterArgument = None,
    order: OrderArgument = None,
    page: PageNumber = 1,
) -> Listed[SourceView]:
    """List sources, of one connector with filter {"connectorId": id}."""
    app = app_of(ctx)
    found = await app.bi.sources.list_page(select=select or (), filter=filter, order=order, page=page)
    items = await _show_sources(app, found.items)
    return Listed(items=items, page=found.number, more=found.more)


async def source_delete(
    id: Id,
    ctx: BiContext,
    preview: DeletionPreview,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Deleted:
    """Delete a source and its credentials. Refused while datasets use it."""
    if preview:
        return Deleted.not_yet(id, preview)
    await app_of(ctx).bi.sources.delete(id)
    return Deleted(id=id, notice=note_revival(ctx))


async def source_fields(ctx: BiContext, full: bool = False) -> Fields:
    """The fields of a source on this portal."""
    return Fields.describe(await app_of(ctx).bi.sources.fields(), full=full)


async def show_source(app: App, source: Source) -> SourceView:
    """The source as it may be seen: a value that came from a reference stays hidden under every code."""
    return (await _show_sources(app, [source]))[0]


async def _show_sources(app: App, sources: Sequence[Source]) -> list[SourceView]:
    shown = app.shown_settings
    known = NOTHING_KNOWN
    # A keyring may let wait: it is asked where a value is to be compared.
    if any(may_be_seen(setting, shown) for source in sources for setting in source.settings or ()):
        known = await to_thread.run_sync(known_values, app.setting_values)
    return [view_source(source, shown, known) for source in sources]


async def _ask(
    ctx: BiContext, connector_id: int | None, settings: dict[str, SettingValue]
) -> InputRequiredResult | None:
    """Ask for secrets before the addresses are locked, because a person takes their time."""
    app = app_of(ctx)
    if not app.setting_values.missing(settings):
        return None
    connector = await app.bi.connectors.get(connector_id or 0)
    # Before a person stores a value in vain.
    app.setting_values.check_places(settings, connector.settings or [])
    return await ask_for_secrets(ctx, settings, addresses_of(connector), connector.title or "")


async def _read_back(app: App, id: int, active: bool | None) -> ReadBack:
    """Read the source after a write, and report that `active` was ignored, as newer portals do, although they announce it as writable."""

    async def read() -> Found[SourceView]:
        return Found(item=await show_source(app, await app.bi.sources.get(id)))

    back = await read_back(read)
    accepted = say("urlCheck accepted the values: the portal called it.")
    back["notice"] = " ".join(filter(None, [back.get("notice"), accepted]))
    now = getattr(back.get("item"), "active", None)
    if active is None or now is None or now is active:
        return back
    template = (
        text("The portal ignored active=false: the source is on. Switch it off in BI Builder.")
        if now
        else text("The portal ignored active=true: the source is off. Switch it on in BI Builder.")
    )
    return {**back, "notice": f"{say(template)} {accepted}"}


async def _resolve(
    app: App, connector_id: int | None, settings: dict[str, SettingValue]
) -> tuple[dict[str, Secret], Allowed]:
    # Read first: the portal drops codes that the connector does not declare without a word.
    connector = await app.bi.connectors.get(connector_id or 0)
    addresses = addresses_of(connector)
    values = await resolve_settings(app, settings, connector.settings or [], addresses)
    stored = {code for code, value in settings.items() if isinstance(value, SecretReference)}
    return values, Allowed(connector.id, addresses, {code: values[code] for code in stored})


async def resolve_settings(
    app: App,
    settings: Mapping[str, SettingValue],
    parameters: Sequence[ReceivedParameter],
    addresses: Collection[str],
) -> dict[str, Secret]:
    """Resolve settings like `SettingValues.resolve`, without holding up other calls while a keyring waits for its person."""
    return await to_thread.run_sync(app.setting_values.resolve, settings, parameters, addresses)


TOOLS = (
    ToolDeclaration(source_add, title="Create a source"),
    ToolDeclaration(source_update, title="Change a source"),
    ToolDeclaration(source_get, title="Read a source"),
    ToolDeclaration(source_list, title="List sources"),
    ToolDeclaration(source_delete, title="Delete a source"),
    ToolDeclaration(source_fields, title="Fields of a source"),
)
