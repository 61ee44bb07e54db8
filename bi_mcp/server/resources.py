"""Resources that a client can read without calling a tool: the `*.fields` answers and single objects, live from the portal."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource

from bi_mcp.base.language import say, speaking
from bi_mcp.errors import BiMcpError, NotFoundError
from bi_mcp.server.advice import use_words_for
from bi_mcp.server.tools.answers import Answer, Fields, Found
from bi_mcp.server.tools.call import HISTORY
from bi_mcp.server.tools.column_pages import show_dataset
from bi_mcp.server.tools.shown_objects import view_connector
from bi_mcp.server.tools.source import show_source

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from bi_mcp.app.app import App
    from bi_mcp.app.apps import Apps
    from bi_mcp.rest.kinds import Group

JSON = "application/json"
MOST_ENTRIES = 50
# Nineteen digits hold every id of a database, and int() would fail on thousands.
_ID = re.compile(r"[1-9][0-9]{0,18}")


async def _read_connector(app: App, id: int) -> Answer:
    return Found(item=view_connector(await app.bi.connectors.get(id)))


async def _read_source(app: App, id: int) -> Answer:
    return Found(item=await show_source(app, await app.bi.sources.get(id)))


async def _read_dataset(app: App, id: int) -> Answer:
    return await show_dataset(app.bi.datasets, id)


async def _read_fields(app: App, group: Group, *, full: bool) -> Answer:
    return Fields.describe(await app.bi.of(group).fields(), full=full)


_READERS: Mapping[Group, Callable[[App, int], Awaitable[Answer]]] = {
    "connector": _read_connector,
    "source": _read_source,
    "dataset": _read_dataset,
}


def add_resources(server: MCPServer, apps: Apps) -> None:
    """Register `bi://history`, `bi://GROUP/fields`, `bi://GROUP/fields/full` and the template `bi://GROUP/{id}` for connectors, sources and datasets."""
    server.add_resource(_history_resource(apps))
    for group in _READERS:
        server.add_resource(_fields_resource(group, apps))
        server.add_resource(_fields_resource(group, apps, full=True))
        server.resource(
            f"bi://{group}/{{id}}",
            name=group,
            title=f"One {group}",
            description=f"One {group} by its id, as {group}_get answers it.",
            mime_type=JSON,
        )(_item_function(group, apps))


class HistoryResource(Answer):
    """The latest writes to a portal, the newest first, without values."""

    entries: list[dict[str, Any]]


async def _history(app: App) -> Answer:
    # Imported here: few chats need it.
    from bi_mcp.history.description import describe_entry

    latest = await app.seen_history.page(1, MOST_ENTRIES)
    described = [describe_entry(entry, latest.reverted.get(entry.id)) for entry in latest.entries]
    return HistoryResource(entries=described)


def _history_resource(apps: Apps) -> FunctionResource:
    async def read() -> str:
        return await _as_json(apps, _history)

    return FunctionResource(
        uri=HISTORY,
        name="history",
        title="What was changed",
        description=f"The last {MOST_ENTRIES} changes that bi-mcp made on the portal, without values; workspace_undo reverts one.",
        mime_type=JSON,
        fn=read,
    )


def _fields_resource(group: Group, apps: Apps, *, full: bool = False) -> FunctionResource:
    async def read() -> str:
        return await _as_json(apps, partial(_read_fields, group=group, full=full))

    return FunctionResource(
        uri=f"bi://{group}/fields{'/full' if full else ''}",
        name=f"{group}_fields{'_full' if full else ''}",
        title=f"Fields of a {group}{', in full' if full else ''}",
        description=f"The fields of a {group} on this portal, {'with every flag' if full else 'in a few words each'}.",
        mime_type=JSON,
        fn=read,
    )


def _item_function(group: Group, apps: Apps) -> Callable[[str], Awaitable[str]]:
    async def read(id: str) -> str:
        if not _ID.fullmatch(id):
            raise ResourceNotFoundError(
                say(
                    "bi://{name}/ID: an id is a positive whole number; {name}_list shows them.",
                    name=group,
                )
            )
        return await _as_json(apps, lambda app: _READERS[group](app, int(id)))

    return read


async def _as_json(apps: Apps, read: Callable[[App], Awaitable[Answer]]) -> str:
    """Read an answer from the caller's app as JSON text. The SDK hides foreign exceptions here, too, so ours become its own."""
    with use_words_for(apps.secrets_page):
        try:
            app = apps.current()
            with speaking(app.language):
                return await _tell(read(app), app)
        except BiMcpError as error:
            raise ResourceError(str(error)) from None


async def _tell(answer: Awaitable[Answer], app: App) -> str:
    try:
        return (await answer).with_notice(app.portal.notice).json_text()
    except NotFoundError as error:
        raise ResourceNotFoundError(str(error)) from None
    except BiMcpError as error:
        raise ResourceError(str(error)) from None
