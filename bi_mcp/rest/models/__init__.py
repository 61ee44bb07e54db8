"""Models of the objects that are sent to a portal and received from it."""

from __future__ import annotations

from bi_mcp.rest.models.connector import (
    Connector,
    ConnectorChanges,
    ConnectorFields,
    Parameter,
    ReceivedParameter,
)
from bi_mcp.rest.models.dataset import (
    Column,
    ColumnChanges,
    ColumnReplacement,
    ColumnVisibility,
    Dataset,
    DatasetChanges,
    DatasetFields,
    NewColumn,
)
from bi_mcp.rest.models.field import FieldDescription
from bi_mcp.rest.models.source import Source, SourceChanges, SourceFields, SourceSetting

__all__ = [
    "Column",
    "ColumnChanges",
    "ColumnReplacement",
    "ColumnVisibility",
    "Connector",
    "ConnectorChanges",
    "ConnectorFields",
    "Dataset",
    "DatasetChanges",
    "DatasetFields",
    "FieldDescription",
    "NewColumn",
    "Parameter",
    "ReceivedParameter",
    "Source",
    "SourceChanges",
    "SourceFields",
    "SourceSetting",
]
