"""The sources that `bi-mcp connector setup` and `check` ask: of a connector that runs, or of one in this process."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from anyio import to_thread

from bi_mcp.app.app import build_caller
from bi_mcp.base.language import say
from bi_mcp.config import connector_settings, secret_variable
from bi_mcp.connector.remarks import SourceRemarks
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.connector.source import Source
    from bi_mcp.endpoints.caller import EndpointCaller

# Never resolved: calls to it stay in the process.
EMBEDDED_URL = "http://connector.localhost"
# What a setup file may refer to. Who applies it often is who asks.
KEY_VARIABLE = "BI_MCP_SECRET_CONNECTOR_KEY"
NO_REMARKS = SourceRemarks()


@dataclass(frozen=True)
class AskedSource:
    """A source, and how it is asked. `tables` are those that are wanted, empty all.

    `remarks` say what was guessed and what is not served; they are known of a source in this process only.
    """

    name: str
    caller: EndpointCaller
    url: str
    key: Secret
    tables: tuple[str, ...] = ()
    remarks: SourceRemarks = NO_REMARKS


@asynccontextmanager
async def open_sources(
    url: str | None, names: Sequence[str], file: Any, options: Mapping[str, Any]
) -> AsyncIterator[list[AskedSource]]:
    """Open the sources that the options or the configuration name, else reach those of the connector at `url`."""
    served = bool(options["sources"] or file)
    if served and names:
        raise click.UsageError(
            say(
                "--source-name is for a connector that runs. Leave it out, or leave --source and --config out."
            )
        )
    if not served:
        yield _reach(url, names, options)
        return
    async with _open_here(file, options) as asked:
        yield asked


def _reach(url: str | None, names: Sequence[str], options: Mapping[str, Any]) -> list[AskedSource]:
    if url is None or not names:
        raise click.UsageError(
            say(
                "Say what to ask: --source NAME=ADDRESS or --config FILE; or --url and --source-name of a connector that runs."
            )
        )
    settings = connector_settings()
    key = settings.key or secret_variable(KEY_VARIABLE)
    if key is None:
        raise ConfigError(
            say(
                "A connector that runs is asked with its access key. Set {variable} to it.",
                variable="BI_MCP_CONNECTOR_KEY",
            )
        )
    caller = build_caller(options["culture"] or settings.culture or "ru", allow_private=True)
    return [AskedSource(name, caller, url, key, options["tables"]) for name in names]


@asynccontextmanager
async def _open_here(file: Any, options: Mapping[str, Any]) -> AsyncIterator[list[AskedSource]]:
    from bi_mcp.cli.actions.connector_options import read_configuration
    from bi_mcp.connector.access.keys import AccessKey, hash_key, make_key
    from bi_mcp.connector.app import build_app
    from bi_mcp.connector.opening import open_source
    from bi_mcp.connector.remarks import find_remarks
    from bi_mcp.endpoints.caller import EndpointCaller

    started = read_configuration(file, options)
    for warning in started.warnings:
        click.echo(say("Warning: {warning}", warning=warning), err=True)
    configured = started.configuration.sources
    if not configured:
        raise ConfigError(
            say(
                "A parametrised connector has no sources of its own to ask. Name one with --source NAME=ADDRESS."
            )
        )
    # That a wrong key is refused is tried on purpose; what fails is reported as a finding.
    logging.getLogger("bi_mcp.connector").setLevel(logging.ERROR)
    opened: dict[str, Source] = {}
    try:
        for name, setup in configured.items():
            opened[name] = await to_thread.run_sync(open_source, setup.address, setup.options)
            await to_thread.run_sync(_tell_silence, name, opened[name])
        key = make_key()
        app = build_app(opened, [AccessKey(hash_key(key))])
        callers = {
            name: EndpointCaller(culture=setup.options.culture or "ru", apps={EMBEDDED_URL: app})
            for name, setup in configured.items()
        }
        yield [
            AskedSource(
                name,
                callers[name],
                EMBEDDED_URL,
                key,
                remarks=await to_thread.run_sync(find_remarks, source),
            )
            for name, source in opened.items()
        ]
    finally:
        for source in opened.values():
            await to_thread.run_sync(source.close)


def _tell_silence(name: str, source: Source) -> None:
    """Say why a source does not answer: a caller of the connector is told only that it does not."""
    from bi_mcp.connector.refusal import RefusalError, SourceError

    try:
        source.check()
    except RefusalError as error:
        cause = f" {error.cause}" if isinstance(error, SourceError) else ""
        click.echo(f"! {name}: {error}{cause}", err=True)
