"""Every error code of the module with calls that cause it, as the reference documents them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bi_mcp.config import Generation
from tests.practice.portal.calling import (
    Caller,
    Portal,
    connector_fields,
    dataset_fields,
    source_fields,
)

BOTH: tuple[Generation, ...] = ("classic", "tables")
LONG = "x" * 513

Parameters = Mapping[str, object]
Preparation = Callable[[Portal], Awaitable[Caller | None]]


async def _nothing(_: Portal) -> None:
    return None


async def _connector_refuses(portal: Portal) -> None:
    portal.connector.status = 500


async def _sync_fails(portal: Portal) -> None:
    portal.app.state.faults.arm("sync_failure")


async def _as_webhook(portal: Portal) -> Caller:
    portal.caller.http.base_url = portal.caller.http.base_url.join("7/fixed-secret/")
    return Caller(portal.caller.http, None)


async def _as_another_application(portal: Portal) -> Caller:
    return portal.other_application()


@dataclass(frozen=True)
class Case:
    """The portal holds connector 1, source 1 and dataset 1 with the columns 1 (ID, id) and 2 (TITLE, title)."""

    code: str
    message: str
    method: str
    parameters: Parameters
    generations: tuple[Generation, ...] = BOTH
    prepare: Preparation = _nothing

    def __str__(self) -> str:
        return f"{self.code}-{self.method}"


def _columns(*columns: Mapping[str, object]) -> dict[str, object]:
    return dataset_fields(1, name="other", fields=columns)


def _column(**changes: object) -> dict[str, object]:
    return {"name": "NEW", "externalCode": "new", "type": "int", **changes}


def _settings(**changes: object) -> dict[str, object]:
    return connector_fields(settings=[{"code": "c", "name": "n", "type": "INT", **changes}])


_NO_COLUMN_IDS: tuple[object, ...] = (0, "x", {"id": 1})
_NO_FIELDS: tuple[object, ...] = ("csvDelimiter", "ID", "colour", {})
_TEXT_LISTS: tuple[Parameters, ...] = ({"@title": ["a", "b"]}, {"0": {"!@title": ["a"]}}, {"title": ["a"]})
_NO_LOGIC: tuple[Parameters, ...] = ({"logic": "XOR"}, {"logic": {}}, {"0": {"logic": "NOT", "id": 1}})

CASES = (
    Case("ACCESS_DENIED", "Access denied.", "connector.list", {}, prepare=_as_webhook),
    *(
        Case("VALIDATION_ID_NOT_PROVIDED", "ID is missing.", method, {})
        for method in ("connector.get", "source.delete", "dataset.update", "dataset.fields.update")
    ),
    Case(
        "VALIDATION_INVALID_ID_FORMAT",
        "ID has to be a positive integer.",
        "source.get",
        {"id": None},
        generations=("classic",),
    ),
    Case("VALIDATION_ID_NOT_PROVIDED", "ID is missing.", "source.get", {"id": None}, generations=("tables",)),
    *(
        Case("VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "source.get", {"id": given})
        for given in (0, -1, "1x", "1.0", True, [1], 2**63)
    ),
    Case("VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "connector.add", {}),
    Case("VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "source.update", {"id": 1, "fields": {}}),
    Case("VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "dataset.update", {"id": 1, "fields": 5}),
    Case(
        "VALIDATION_UNKNOWN_PARAMETERS",
        "Unknown parameters: colour, size",
        "connector.add",
        {"fields": connector_fields(colour=1, size=2)},
    ),
    Case(
        "VALIDATION_UNKNOWN_PARAMETERS",
        "Unknown parameters: supportMapping, sourceCode",
        "connector.update",
        {"id": 1, "fields": {"supportMapping": True, "sourceCode": "x"}},
        generations=("classic",),
    ),
    Case(
        "VALIDATION_UNKNOWN_PARAMETERS",
        "Unknown parameters: csvDelimiter",
        "dataset.update",
        {"id": 1, "fields": {"csvDelimiter": ";"}},
    ),
    Case(
        "VALIDATION_REQUIRED_FIELD_MISSING",
        'Field "logo" is required.',
        "connector.add",
        {"fields": {"title": "t"}},
    ),
    Case(
        "VALIDATION_REQUIRED_FIELD_MISSING",
        'Field "settings" is required.',
        "source.add",
        {"fields": {"title": "t", "connectorId": 1}},
    ),
    Case(
        "VALIDATION_REQUIRED_FIELD_MISSING",
        'Field "fields" is required.',
        "dataset.add",
        {"fields": _columns()},
        generations=("classic",),
    ),
    Case(
        "VALIDATION_READ_ONLY_FIELD",
        'Field "id" is read only.',
        "connector.update",
        {"id": 1, "fields": {"id": 2}},
    ),
    Case(
        "VALIDATION_READ_ONLY_FIELD",
        'Field "type" is read only.',
        "source.add",
        {"fields": source_fields(1, type="rest")},
    ),
    Case(
        "VALIDATION_IMMUTABLE_FIELD",
        'Field "connectorId" is immutable.',
        "source.update",
        {"id": 1, "fields": {"connectorId": 1}},
    ),
    Case(
        "VALIDATION_IMMUTABLE_FIELD",
        'Field "name" is immutable.',
        "dataset.update",
        {"id": 1, "fields": {"name": "n"}},
    ),
    Case(
        "VALIDATION_INVALID_FIELD_TYPE",
        'Field "title" must be of type string.',
        "connector.update",
        {"id": 1, "fields": {"title": 5}},
    ),
    Case(
        "VALIDATION_INVALID_FIELD_TYPE",
        'Field "sort" must be of type integer.',
        "connector.update",
        {"id": 1, "fields": {"sort": "high"}},
    ),
    Case(
        "VALIDATION_INVALID_FIELD_TYPE",
        'Field "settings" must be of type array.',
        "source.update",
        {"id": 1, "fields": {"settings": "x"}},
    ),
    *(
        Case(
            "VALIDATION_INVALID_FIELD_TYPE",
            'Field "supportMapping" must be of type boolean.',
            "connector.update",
            {"id": 1, "fields": {"supportMapping": given}},
            generations=("tables",),
        )
        for given in ("true", "Y", 1)
    ),
    Case("CONNECTOR_NOT_FOUND", "Connector was not found.", "connector.get", {"id": 9}),
    Case("CONNECTOR_NOT_FOUND", "Connector was not found.", "source.add", {"fields": source_fields(9)}),
    Case("SOURCE_NOT_FOUND", "Source was not found.", "source.delete", {"id": 9}),
    Case("SOURCE_NOT_FOUND", "Source was not found.", "dataset.add", {"fields": dataset_fields(9)}),
    Case("DATASET_NOT_FOUND", "Dataset was not found.", "dataset.fields.update", {"id": 9}),
    Case("DATASET_NOT_FOUND", "Dataset was not found.", "table.delete", {"id": 9}, generations=("tables",)),
    *(
        Case(
            f"{kind.upper()}_NOT_FOUND",
            f"{kind.capitalize()} was not found.",
            f"{kind}.get",
            {"id": 1},
            prepare=_as_another_application,
        )
        for kind in ("connector", "source", "dataset")
    ),
    Case(
        "CONNECTOR_DELETE_RESTRICTED",
        "Connector cannot be removed. Remove the connections related to the connector first.",
        "connector.delete",
        {"id": 1},
    ),
    Case("BX_ERROR", "Cannot delete source. Delete all related datasets first.", "source.delete", {"id": 1}),
    *(
        Case(
            "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS",
            'Settings must include "type", "name" and "code" fields.',
            method,
            {"id": 1, "fields": fields},
        )
        for method, fields in (
            ("connector.add", _settings(code="")),
            ("connector.add", connector_fields(settings=["login"])),
            ("connector.update", {"settings": [{"code": "c", "name": "n"}]}),
        )
    ),
    Case(
        "VALIDATION_SETTINGS_INVALID_TYPE",
        'Parameter "type" is not correct.',
        "connector.add",
        {"fields": _settings(type="string")},
    ),
    Case(
        "VALIDATION_SETTINGS_NAME_TOO_LONG",
        'Parameter "name" must be less than 512 characters.',
        "connector.add",
        {"fields": _settings(name=LONG)},
    ),
    Case(
        "VALIDATION_SETTINGS_CODE_TOO_LONG",
        'Parameter "code" must be less than 512 characters.',
        "connector.add",
        {"fields": _settings(code=LONG)},
    ),
    Case(
        "SOURCE_CREATE_CONNECTION_ERROR",
        "Cannot create connection.",
        "source.add",
        {"fields": source_fields(1)},
        prepare=_connector_refuses,
    ),
    Case(
        "SOURCE_UPDATE_CONNECTION_ERROR",
        "Cannot update connection.",
        "source.update",
        {"id": 1, "fields": {"title": "t"}},
        prepare=_connector_refuses,
    ),
    Case(
        "DATASET_ALREADY_EXIST",
        "Dataset with this name already exists.",
        "dataset.add",
        {"fields": dataset_fields(1)},
        generations=("classic",),
    ),
    *(
        Case(
            "NAME_EXISTS",
            'A table named "orders" already exists.',
            method,
            {"fields": dataset_fields(1)},
            generations=("tables",),
        )
        for method in ("dataset.add", "table.add")
    ),
    Case("FIELDS_EMPTY", "$fields is empty", "table.add", {"fields": _columns()}, generations=("tables",)),
    *(
        Case(
            "VALIDATION_DATASET_NAME_INVALID",
            "Dataset name has to start with a lowercase Latin character. Possible entry includes lowercase Latin "
            "characters (a-z), numbers (0-9) and underscores.",
            "dataset.add",
            {"fields": dataset_fields(1, name=name)},
        )
        for name in ("Orders", "1orders", "my-orders", "orders\n")
    ),
    Case(
        "VALIDATION_DATASET_NAME_TOO_LONG",
        "Dataset name must not exceed 230 characters.",
        "dataset.add",
        {"fields": dataset_fields(1, name="x" * 231)},
    ),
    Case(
        "VALIDATION_DUPLICATE_FIELD_CODE",
        'Duplicate values found in the "code" parameter: new',
        "dataset.add",
        {"fields": _columns(_column(), _column(name="NEWER"))},
    ),
    Case(
        "VALIDATION_DUPLICATE_FIELD_CODE",
        'Duplicate values found in the "code" parameter: new',
        "dataset.fields.update",
        {"id": 1, "add": [_column(), _column(name="NEWER")]},
    ),
    Case(
        "VALIDATION_DUPLICATE_FIELD_NAME",
        'Duplicate values found in the "name" parameter: NEW',
        "dataset.add",
        {"fields": _columns(_column(), _column(externalCode="newer"))},
        generations=("classic",),
    ),
    Case(
        "DUPLICATE_FIELDS",
        "Duplicate column names: NEW.",
        "dataset.add",
        {"fields": _columns(_column(), _column(externalCode="newer"))},
        generations=("tables",),
    ),
    Case(
        "VALIDATION_DUPLICATE_FIELD_NAME",
        'Duplicate values found in the "name" parameter: NEW',
        "dataset.fields.update",
        {"id": 1, "add": [_column(), _column(externalCode="newer")]},
    ),
    *(
        Case(
            "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS",
            'Field must include the required parameters: "name", "externalCode" and "type".',
            "dataset.add",
            {"fields": _columns(column)},
        )
        for column in ({"name": "ID", "type": "int"}, _column(externalCode=""))
    ),
    *(
        Case(
            "VALIDATION_FIELD_NAME_INVALID_FORMAT",
            'Field "name" has to start with an uppercase Latin character. Possible entry includes uppercase Latin '
            "characters (A-Z), numbers (0-9) and underscores.",
            "dataset.add",
            {"fields": _columns(_column(name=name))},
        )
        for name in ("id", "1ID", "MY-ID")
    ),
    Case(
        "VALIDATION_FIELD_NAME_TOO_LONG",
        'Field "name" must not exceed 32 characters.',
        "dataset.fields.update",
        {"id": 1, "add": [_column(name="X" * 33)]},
    ),
    Case(
        "VALIDATION_FIELD_INVALID_TYPE",
        "Invalid field type.",
        "dataset.fields.update",
        {"id": 1, "add": [_column(type="INT")]},
    ),
    *(
        Case(
            "VALIDATION_FIELD_INVALID_TYPE",
            "Invalid field type.",
            "dataset.add",
            {"fields": _columns(_column(type=newer))},
            generations=("classic",),
        )
        for newer in ("money", "timezone")
    ),
    Case(
        "VALIDATION_DUPLICATE_EXIST_CODE",
        'The following "externalCode" values already exist in the current fields: id',
        "dataset.fields.update",
        {"id": 1, "add": [_column(externalCode="id")]},
    ),
    Case(
        "VALIDATION_DUPLICATE_EXIST_NAME",
        'The following "name" values already exist in the current fields: TITLE',
        "dataset.fields.update",
        {"id": 1, "add": [_column(name="TITLE")], "delete": [2]},
    ),
    Case(
        "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS",
        'Field to be added must include the required parameters: "name", "externalCode" and "type".',
        "dataset.fields.update",
        {"id": 1, "add": [{"name": "NEW"}]},
    ),
    *(
        Case(
            "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS",
            'Field to be updated must include the required parameters: "id" and "visible".',
            "dataset.fields.update",
            {"id": 1, "update": [change]},
        )
        for change in ({"id": 1}, {"visible": True}, 1)
    ),
    *(
        Case(
            "VALIDATION_FIELD_DELETE_INVALID_ID",
            "ID to be deleted must be a positive integer.",
            "dataset.fields.update",
            {"id": 1, "delete": [given]},
        )
        for given in _NO_COLUMN_IDS
    ),
    Case(
        "DATASET_UPDATE_ERROR",
        "Error updating dataset.",
        "dataset.fields.update",
        {"id": 1, "add": [_column()]},
        prepare=_sync_fails,
    ),
    Case(
        "INVALID_METHOD",
        'Use the method "biconnector.dataset.fields.update" to update the dataset fields.',
        "dataset.update",
        {"id": 1, "fields": {"description": "d", "fields": []}},
    ),
    *(
        Case(
            f"VALIDATION_{name.upper()}_TYPE",
            f'Parameter "{name}" must be array.',
            "source.list",
            {name: "id"},
        )
        for name in ("select", "filter", "order")
    ),
    *(
        Case(
            "VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT",
            f'Field "{given}" is not allowed in the "select".',
            "dataset.list",
            {"select": ["id", given]},
        )
        for given in _NO_FIELDS
    ),
    *(
        Case(
            "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER",
            f'Field "{title}" is not allowed in the "filter".',
            "connector.list",
            {"filter": {key: 1}},
        )
        for key, title in (("colour", "colour"), ("><id", "<id"), ("0", "0"))
    ),
    Case(
        "VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER",
        'Field "colour" is not allowed in the "order".',
        "connector.list",
        {"order": {"colour": "ASC"}},
    ),
    *(
        Case(
            "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER",
            'Field "0" is not allowed in the "filter".',
            "connector.list",
            {"filter": given},
            generations=("classic",),
        )
        for given in _TEXT_LISTS
    ),
    Case(
        "VALIDATION_INVALID_FILTER_LOGIC",
        'Field "logic" must be either "AND" or "OR".',
        "connector.list",
        {"filter": {"logic": "or"}},
        generations=("tables",),
    ),
    *(
        Case(
            "VALIDATION_INVALID_FILTER_LOGIC",
            'Field "logic" must be either "AND" or "OR".',
            "connector.list",
            {"filter": given},
        )
        for given in _NO_LOGIC
    ),
)
