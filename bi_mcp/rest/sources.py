"""`biconnector.source.*`"""

from __future__ import annotations

from bi_mcp.rest.entity import Entity
from bi_mcp.rest.models.source import Source, SourceChanges, SourceFields


class Sources(Entity[Source, SourceFields, SourceChanges]):
    """Connectors plus the values of their parameters. Creating and updating makes the portal call `urlCheck`."""

    group = "source"
    _item = Source
