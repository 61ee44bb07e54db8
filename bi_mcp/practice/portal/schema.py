"""The fields of the three objects, as data: for the answers of `*.fields`, for validation and for storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from bi_mcp.config import Generation

FieldType = Literal["integer", "string", "boolean", "datetime", "array"]
Schema: TypeAlias = "Mapping[str, Field]"

TITLE_LENGTH = 512
URL_LENGTH = 2048

_COLUMN_TYPES = ("int", "string", "double", "date", "datetime")
COLUMN_TYPES: Mapping[Generation, tuple[str, ...]] = {
    "classic": _COLUMN_TYPES,
    "tables": (*_COLUMN_TYPES, "money", "timezone"),
}


@dataclass(frozen=True)
class Field:
    """A field. `rule` is "required", "optional" or "read only"; `newer` fields exist on portals with tables only.

    Array fields are stored outside the object's own row: a filter ignores them, an order refuses them.
    """

    title: str
    type: FieldType
    rule: Literal["required", "optional", "read only"] = "optional"
    immutable: bool = False
    max_length: int | None = None
    newer: bool = False
    # Only `supportMapping` is documented as compared strictly; other booleans also come as text.
    strict: bool = False

    def description(self) -> dict[str, object]:
        """Return the element of a `*.fields` answer."""
        return {
            "title": self.title,
            "type": self.type,
            # The vendor also marks fields as required that it sets itself.
            "isRequired": self.rule != "optional",
            "isReadOnly": self.rule == "read only",
            "isImmutable": self.immutable,
            "isMultiple": self.type == "array",
        }


_CONNECTOR = (
    Field("id", "integer", "read only"),
    Field("title", "string", "required", max_length=TITLE_LENGTH),
    Field("logo", "string", "required"),
    Field("description", "string"),
    Field("sort", "integer"),
    Field("urlCheck", "string", "required", max_length=URL_LENGTH),
    Field("urlData", "string", "required", max_length=URL_LENGTH),
    Field("urlTableList", "string", "required", max_length=URL_LENGTH),
    Field("urlTableDescription", "string", "required", max_length=URL_LENGTH),
    Field("settings", "array", "required"),
    Field("supportMapping", "boolean", newer=True, strict=True),
    Field("sourceCode", "string", max_length=64, newer=True),
    Field("dateCreate", "datetime", "read only"),
)

_SOURCE = (
    Field("id", "integer", "read only"),
    Field("title", "string", "required", max_length=TITLE_LENGTH),
    Field("type", "string", "read only"),
    Field("code", "string", "read only"),
    Field("description", "string"),
    Field("active", "boolean"),
    Field("dateCreate", "datetime", "read only"),
    Field("dateUpdate", "datetime", "read only"),
    Field("createdById", "integer", "read only"),
    Field("updatedById", "integer", "read only"),
    Field("connectorId", "integer", "required", immutable=True),
    Field("settings", "array", "required"),
)

# The length of `name` has an error code of its own: datasets.py checks it.
_DATASET = (
    Field("id", "integer", "read only"),
    Field("sourceId", "integer", "required", immutable=True),
    Field("name", "string", "required", immutable=True),
    Field("type", "string", "read only"),
    Field("description", "string"),
    Field("externalName", "string", "required", immutable=True, max_length=TITLE_LENGTH),
    Field("externalCode", "string", "required", immutable=True, max_length=TITLE_LENGTH),
    Field("externalId", "integer", "read only"),
    Field("dateCreate", "datetime", "read only"),
    Field("dateUpdate", "datetime", "read only"),
    Field("createdById", "integer", "read only"),
    Field("updatedById", "integer", "read only"),
    Field("fields", "array", "required"),
)


def connector_schema(generation: Generation) -> Schema:
    return _by_title(_CONNECTOR, generation)


def source_schema(generation: Generation) -> Schema:
    return _by_title(_SOURCE, generation)


def dataset_schema(generation: Generation) -> Schema:
    return _by_title(_DATASET, generation)


def descriptions(schema: Schema) -> dict[str, object]:
    """Build the answer of a `*.fields` method."""
    return {"fields": [field.description() for field in schema.values()]}


def row_fields(schema: Schema) -> list[str]:
    """Return the names of the fields that are stored in the object's own row."""
    return [title for title, field in schema.items() if field.type != "array"]


def _by_title(fields: tuple[Field, ...], generation: Generation) -> Schema:
    known = [field for field in fields if generation == "tables" or not field.newer]
    return MappingProxyType({field.title: field for field in known})
