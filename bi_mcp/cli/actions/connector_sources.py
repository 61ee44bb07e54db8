"""The sources that the options of a command name, opened: to be served, or to be asked within this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bi_mcp.base.language import say
from bi_mcp.cli.actions.connector_options import read_configuration
from bi_mcp.connector.access.access import Served
from bi_mcp.connector.configuration import SourceSetup
from bi_mcp.connector.opening import open_source
from bi_mcp.connector.source import Source
from bi_mcp.errors import ConfigError


def open_sources(options: Mapping[str, Any]) -> dict[str, Source]:
    """Open the sources of `--source` and `--config`, by name. Raises ConfigError, which says which cannot be opened."""
    configuration = read_configuration(options["file"], options).configuration
    return {name: served.source for name, served in open_served(configuration.sources).items()}


def open_served(sources: Mapping[str, SourceSetup]) -> dict[str, Served]:
    """Open configured sources."""
    opened = dict[str, Served]()
    try:
        for name, setup in sources.items():
            source = open_source(setup.address, setup.options)
            opened[name] = Served(name, source, setup.options.culture, setup.rows)
    except ConfigError as error:
        for served in opened.values():
            served.source.close()
        raise ConfigError(
            say("The source {name} cannot be opened: {reason}", name=name, reason=error)
        ) from None
    return opened
