"""Dataset: a table of a source, its columns with types and names. The newer family calls it a table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.models.source import PositiveId
from bi_mcp.rest.models.wire import (
    Identified,
    Sent,
    WireBool,
    WireIntOrNone,
    WireList,
    WireMoment,
    WireText,
)

DatasetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=230)]
ColumnName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=32)]
ExternalCode = Annotated[str, Field(min_length=1, max_length=512)]
ColumnType = Literal["int", "string", "double", "date", "datetime", "money", "timezone"]
# Portals of the classic generation do not know these.
NEWER_TYPES = frozenset({"money", "timezone"})


class NewColumn(Sent):
    """A column to create. `external_code` is the column's code in the external table; `money`, `timezone`: newer portals only."""

    name: ColumnName
    external_code: ExternalCode
    type: ColumnType


class ColumnVisibility(Sent):
    """The only thing that can change in a column."""

    id: PositiveId
    visible: StrictBool


class DatasetFields(Sent):
    """Fields of `dataset.add`. `name` is unique across the whole portal and, like the source and codes, set once."""

    name: DatasetName
    source_id: PositiveId
    external_code: Annotated[ExternalCode, Field(description="Code of the external table")]
    external_name: Annotated[ExternalCode, Field(description="Its name there")]
    fields: Annotated[list[NewColumn], Field(min_length=1, description="Columns")]
    description: str | None = None


class DatasetChanges(Sent):
    """Fields of `dataset.update`: the description only."""

    description: str


class ColumnChanges(Sent):
    """Parameters of `dataset.fields.update` beside the id. `delete` holds column ids."""

    add: list[NewColumn] | None = None
    update: list[ColumnVisibility] | None = None
    delete: list[PositiveId] | None = None


class ColumnReplacement(Sent):
    """A column to delete and create again with what is given. Without an id, `name` is that of the column."""

    id: PositiveId | None = None
    name: ColumnName | None = None
    external_code: ExternalCode | None = None
    type: ColumnType | None = None


class Column(Identified):
    """A column as a portal answers it."""

    dataset_id: WireIntOrNone = None
    type: WireText | None = None
    name: WireText | None = None
    external_code: WireText | None = None
    visible: WireBool | None = None
    description: WireText | None = None


class Dataset(PortalObject):
    """A dataset as a portal answers it. `fields` only from get, `source_id` only from list.

    `external_id` is the BI Builder dataset made together with it, 0 where there is none.
    """

    source_id: WireIntOrNone = None
    type: WireText | None = None
    name: WireText | None = None
    description: WireText | None = None
    external_code: WireText | None = None
    external_name: WireText | None = None
    external_id: WireIntOrNone = None
    date_create: WireMoment = None
    date_update: WireMoment = None
    created_by_id: WireIntOrNone = None
    updated_by_id: WireIntOrNone = None
    fields: WireList[Column] | None = None

    @property
    def label(self) -> str:
        """The name."""
        return self.name or ""

    @property
    def last_change(self) -> tuple[int | None, str | None]:
        """The user and the moment of the last change, or of the creation."""
        return self.updated_by_id or self.created_by_id, self.date_update or self.date_create

    def documented(self) -> dict[str, Any]:
        """Return what the API documents, of its columns what identifies them."""
        shown = {"id", "name", "type", "external_code", "visible"}
        fields = [column.model_dump(by_alias=True, include=shown) for column in self.fields or ()]
        return {**super().documented(), "fields": fields}
