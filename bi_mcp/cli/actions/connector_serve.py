"""The action of `bi-mcp connector serve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.cli.actions.connector_found import tell_sources
from bi_mcp.cli.actions.connector_options import read_configuration
from bi_mcp.cli.actions.connector_sources import open_served
from bi_mcp.connector.access.access import Access, Served
from bi_mcp.connector.access.allowed_hosts import AllowedHosts
from bi_mcp.connector.access.keys import AccessKey, hash_key, make_key
from bi_mcp.connector.access.named import NamedAccess
from bi_mcp.connector.access.parametrised import ParametrisedAccess
from bi_mcp.connector.app import build_service_app
from bi_mcp.connector.configuration import Configuration
from bi_mcp.connector.service.endpoints import ENDPOINTS
from bi_mcp.connector.serving import check_listening, serve_app


def serve_connector(file: Path | None, **options: Any) -> None:
    """Serve databases and files until a signal comes."""
    started = read_configuration(file, options)
    for warning in started.warnings:
        click.echo(say("Warning: {warning}", warning=warning), err=True)
    configuration = started.configuration
    check_listening(configuration.listening)
    made = None if configuration.keys or configuration.parametrised else make_key()
    if made is not None:
        configuration = replace(configuration, keys=(AccessKey(hash_key(made)),))
    served = open_served(configuration.sources)
    access = _build_access(configuration, served)
    app = build_service_app(access, configuration.service)
    serve_app(app, configuration.listening, partial(_announce, configuration, access, served, made))


def _build_access(configuration: Configuration, served: Mapping[str, Served]) -> Access:
    found = configuration.parametrised
    if found is None:
        return NamedAccess(served, configuration.keys)
    return ParametrisedAccess(
        found.kind,
        AllowedHosts(found.hosts),
        keys=configuration.keys,
        options=found.options,
        rows=found.rows,
    )


def _announce(
    configuration: Configuration,
    access: Access,
    served: Mapping[str, Served],
    made: Secret | None,
    origin: str,
) -> None:
    public = (configuration.service.public_url or origin).rstrip("/")
    click.echo(say("Connector on {origin}", origin=origin))
    for field, path in ENDPOINTS.items():
        click.echo(f"  {field}: {public}{path}")
    settings = ", ".join(setting.code for setting in access.settings)
    click.echo(say("Settings of a source in Bitrix24: {settings}", settings=settings))
    if made is not None:
        # Made for this run; unless it is shown, the connector just started cannot be used.
        click.echo(
            say("  key: {key} (made for this run; BI_MCP_CONNECTOR_KEY sets your own)", key=made.reveal())
        )
        click.echo(
            say(
                "  Sources in Bitrix24 that have another key are refused from now on. Set BI_MCP_CONNECTOR_KEY to keep theirs."
            )
        )
    tell_sources(configuration, {name: one.source for name, one in served.items()})
