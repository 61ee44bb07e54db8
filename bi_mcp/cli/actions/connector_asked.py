"""The connector that `bi-mcp connector setup` and `check` ask: one that runs at an address, or one in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from anyio import to_thread

from bi_mcp.app.app import build_caller
from bi_mcp.base.language import say
from bi_mcp.config import connector_key, secret_variable
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.config import Culture
    from bi_mcp.endpoints.caller import EndpointCaller

# Never resolved: calls to it stay in the process.
EMBEDDED_URL = "http://connector.localhost"
# What a setup file may refer to, as `serve` may not.
KEY_VARIABLE = "BI_MCP_SECRET_CONNECTOR_KEY"


@dataclass(frozen=True)
class AskedConnector:
    """A connector, how to call it, and the key of each source. `tables` are those that are wanted, empty all."""

    caller: EndpointCaller
    url: str
    keys: Mapping[str, Secret]
    tables: tuple[str, ...] = ()


@asynccontextmanager
async def open_connector(
    url: str | None, names: Sequence[str], options: dict[str, Any]
) -> AsyncIterator[AskedConnector]:
    """Open the sources that the options name, else reach the connector at `url`."""
    if options["sources"] or options["file"]:
        if names:
            raise click.UsageError(
                say(
                    "--source-name is for a connector that runs. Leave it out, or leave --source and --config out."
                )
            )
        async with _open_embedded(options) as asked:
            yield asked
        return
    if url is None:
        raise click.UsageError(say("Say what to ask: --url of a connector that runs, --source or --config."))
    if not names:
        raise click.UsageError(
            say(
                "Name the sources of the connector: --source-name NAME. Or say what it serves: --source, --config."
            )
        )
    yield _reach(url, names, options)


def _reach(url: str, names: Sequence[str], options: dict[str, Any]) -> AskedConnector:
    key = connector_key() or secret_variable(KEY_VARIABLE)
    if key is None:
        raise ConfigError(
            say(
                "The connector is asked with its access key. Set {variable} to it.",
                variable="BI_MCP_CONNECTOR_KEY",
            )
        )
    caller = build_caller(options["culture"] or "ru", allow_private=True)
    return AskedConnector(caller, url, dict.fromkeys(names, key), options["tables"])


@asynccontextmanager
async def _open_embedded(options: dict[str, Any]) -> AsyncIterator[AskedConnector]:
    from bi_mcp.cli.actions.connector_sources import open_sources
    from bi_mcp.connector.access.keys import key_from, make_key
    from bi_mcp.connector.app import build_app
    from bi_mcp.endpoints.caller import EndpointCaller

    key = make_key()
    culture: Culture = options["culture"] or "ru"
    sources = await to_thread.run_sync(open_sources, options)
    try:
        app = build_app(sources, [key_from(key, "")])
        caller = EndpointCaller(culture=culture, apps={EMBEDDED_URL: app})
        yield AskedConnector(caller, EMBEDDED_URL, dict.fromkeys(sources, key))
    finally:
        for source in sources.values():
            source.close()
