"""The sources that `bi-mcp connector setup` and `check` ask: of a connector that runs, or of one in this process."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from anyio import to_thread

from bi_mcp.app.app import build_caller
from bi_mcp.base.language import say
from bi_mcp.config import connector_password_variable, connector_settings, secret_variable
from bi_mcp.connector.remarks import SourceRemarks
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.connector.configuration import SourceSetup
    from bi_mcp.connector.source import Source
    from bi_mcp.connector.unknown_names import UnknownName
    from bi_mcp.endpoints.caller import EndpointCaller

# Never resolved: calls to it stay in the process.
EMBEDDED_URL = "http://connector.localhost"
# What a setup file may refer to. Who applies it often is who asks.
KEY_VARIABLE = "BI_MCP_SECRET_CONNECTOR_KEY"
NO_REMARKS = SourceRemarks()


@dataclass(frozen=True)
class AskedSource:
    """A source, and how it is asked. `tables` are those that are wanted, empty all.

    `trouble` says why it cannot be asked, empty if it can; `unknown` are names that were meant for it. `remarks` say what was guessed and what is not served; they are known of a source in this process only.
    """

    name: str
    caller: EndpointCaller
    url: str
    key: Secret
    tables: tuple[str, ...] = ()
    remarks: SourceRemarks = NO_REMARKS
    trouble: str = ""
    unknown: Sequence[UnknownName] = ()


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
    from bi_mcp.cli.actions.connector_sources import open_served
    from bi_mcp.connector.access.keys import AccessKey, hash_key, make_key
    from bi_mcp.connector.access.named import NamedAccess
    from bi_mcp.connector.app import build_service_app
    from bi_mcp.endpoints.caller import EndpointCaller

    started = read_configuration(file, options)
    for warning in started.warnings:
        click.echo(say("Warning: {warning}", warning=warning), err=True)
    configured = started.configuration
    if not configured.sources:
        raise ConfigError(
            say(
                "A parametrised connector has no sources of its own to ask. Name one with --source NAME=ADDRESS."
            )
        )
    key = make_key()
    served = await to_thread.run_sync(open_served, configured.sources)
    access = NamedAccess(served, [AccessKey(hash_key(key))])
    causes = _Causes(logging.ERROR)
    causes.begin()
    try:
        apps = {EMBEDDED_URL: build_service_app(access, configured.service)}
        caller = partial(EndpointCaller, apps=apps)
        asked = [
            await to_thread.run_sync(
                _look_into,
                AskedSource(name, caller(culture=one.culture or "ru"), EMBEDDED_URL, key),
                one.source,
            )
            for name, one in served.items()
        ]
        judged = [_judge_choice(each, asked, configured.sources) for each in asked]
        # Without a table of its own: what was chosen is all in other sources.
        yield [each for each in judged if each.trouble or each.tables or not each.unknown]
    finally:
        causes.end()
        await to_thread.run_sync(access.close)


def _look_into(asked: AskedSource, source: Source) -> AskedSource:
    """Find out whether a source answers, and what it says about itself."""
    from bi_mcp.connector.refusal import RefusalError
    from bi_mcp.connector.remarks import find_remarks
    from bi_mcp.connector.unknown_names import find_unknown_names

    try:
        source.check()
        remarks = find_remarks(source)
        return replace(
            asked, tables=tuple(remarks.served), unknown=find_unknown_names(source), remarks=remarks
        )
    except RefusalError as error:
        return replace(asked, trouble=error.tell(connector_password_variable(asked.name)))


def _judge_choice(
    asked: AskedSource, sources: Sequence[AskedSource], configured: Mapping[str, SourceSetup]
) -> AskedSource:
    """Make a trouble of a choice that nothing fits, here or in another source that it is meant for."""
    found = {
        name
        for other in sources
        if not other.trouble
        for name in (*configured[other.name].options.tables, *configured[other.name].options.schemas)
        if name not in {unknown.name for unknown in other.unknown}
    }
    troubles = [
        unknown.describe(asked.name)
        for unknown in asked.unknown
        if unknown.is_choice and unknown.name not in found
    ]
    for unknown in asked.unknown:
        if not unknown.is_choice:
            click.echo(say("Warning: {warning}", warning=unknown.describe(asked.name)), err=True)
    return replace(asked, trouble=" ".join(troubles)) if troubles else asked


class _Causes(logging.Handler):
    """Tells, each once, the causes that a connector in this process keeps from its callers: who asks here owns it."""

    _logger = logging.getLogger("bi_mcp.connector")

    def begin(self) -> None:
        self._told: dict[str, None] = {}
        self._logger.addHandler(self)
        self._logger.propagate = False

    def end(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = True
        for line in self._told:
            click.echo(f"! {line}", err=True)

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, str] = getattr(record, "facts", {})
        cause = facts.get("cause") or facts.get("reason")
        if cause:
            place = ": ".join(filter(None, (facts.get("source"), facts.get("table"))))
            self._told[f"{place}: {cause}"] = None
