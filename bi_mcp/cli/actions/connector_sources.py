"""Configured sources, opened to be served."""

from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.base.language import say
from bi_mcp.connector.access.access import Served
from bi_mcp.connector.configuration import SourceSetup
from bi_mcp.connector.opening import open_source
from bi_mcp.errors import ConfigError


def open_served(sources: Mapping[str, SourceSetup]) -> dict[str, Served]:
    """Open sources. Raises ConfigError, which says which cannot be opened."""
    opened = dict[str, Served]()
    try:
        for name, setup in sources.items():
            source = open_source(setup.address, setup.options)
            opened[name] = Served(name, source, setup.options.culture, setup.rows, setup.options.connections)
    except ConfigError as error:
        for served in opened.values():
            served.source.close()
        raise ConfigError(
            say("The source {name} cannot be opened: {error}", name=name, error=error)
        ) from None
    return opened
