"""Reading is tolerant, writing strict."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bi_mcp.base.secret import Secret
from bi_mcp.rest.models import (
    Column,
    ColumnChanges,
    ColumnVisibility,
    Connector,
    ConnectorChanges,
    ConnectorFields,
    Dataset,
    DatasetChanges,
    DatasetFields,
    FieldDescription,
    NewColumn,
    Parameter,
    Source,
    SourceChanges,
    SourceFields,
)
from bi_mcp.rest.models.wire import Sent
from tests.rest.calling import connector_fields, dataset_fields, source_fields


@pytest.mark.parametrize("value", [True, "true", "TRUE", "Y", "y", 1, "1"])
def test_every_spelling_of_yes_is_read(value: object) -> None:
    assert Column.model_validate({"id": 1, "visible": value}).visible is True


@pytest.mark.parametrize("value", [False, "false", "N", "n", 0, "0", ""])
def test_every_spelling_of_no_is_read(value: object) -> None:
    assert Column.model_validate({"id": 1, "visible": value}).visible is False


@pytest.mark.parametrize("value", ["maybe", 2, [], {}])
def test_what_is_neither_yes_nor_no_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="visible"):
        Column.model_validate({"id": 1, "visible": value})


def test_numbers_may_come_as_text_and_texts_as_numbers() -> None:
    dataset = Dataset.model_validate(
        {
            "id": "7",
            "externalId": "12",
            "sourceId": "",
            "createdById": None,
            "externalCode": 5,
            "description": False,
        }
    )
    assert (dataset.id, dataset.external_id, dataset.source_id, dataset.created_by_id) == (7, 12, None, None)
    assert (dataset.external_code, dataset.description) == ("5", "")


@pytest.mark.parametrize("value", [None, "", "five", True, [], 1.5])
def test_an_object_without_a_readable_id_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="id"):
        Connector.model_validate({"id": value})


def test_unknown_keys_are_kept() -> None:
    connector = Connector.model_validate({"id": 1, "newThing": {"a": 1}})
    assert connector.model_dump(by_alias=True, exclude_none=True) == {"id": 1, "newThing": {"a": 1}}


def test_what_was_not_answered_is_none() -> None:
    assert set(Dataset(id=1).model_dump(exclude={"id"}).values()) == {None}


CONNECTION = {"id": "3", "title": "Shop", "active": "Y", "code": "rest_2"}
SETTINGS = [{"id": 1, "code": "login", "name": "Login", "type": "STRING", "value": "ann"}]


@pytest.mark.parametrize(
    "answer",
    [
        {"connection": CONNECTION, "connectorId": 2, "settings": SETTINGS},
        {**CONNECTION, "connectorId": "2", "settings": SETTINGS},
        {**CONNECTION, "connectorId": 2, "settings": {"login": "ann"}},
        {**CONNECTION, "connectorId": 2, "settings": {"0": SETTINGS[0]}},
    ],
    ids=["nested", "flat", "settings by code", "settings by number"],
)
def test_a_source_is_read_in_every_shape(answer: object) -> None:
    source = Source.model_validate(answer)
    assert (source.id, source.title, source.active, source.connector_id) == (3, "Shop", True, 2)
    assert [(s.code, s.value.reveal()) for s in source.settings or []] == [("login", "ann")]


@pytest.mark.parametrize("settings", [[], {}])
def test_a_source_without_settings_has_an_empty_list(settings: object) -> None:
    assert Source.model_validate({"id": 1, "settings": settings}).settings == []


def test_values_of_a_source_are_text_whatever_the_portal_answers() -> None:
    source = Source.model_validate({"id": 1, "settings": {"port": 8080, "none": None}})
    assert [setting.value.reveal() for setting in source.settings or []] == ["8080", ""]


def test_a_field_is_described_in_every_spelling() -> None:
    field = FieldDescription.model_validate(
        {"title": "id", "type": "integer", "isRequired": "N", "isReadOnly": "Y"}
    )
    assert (field.is_required, field.is_read_only, field.is_immutable) == (False, True, False)


CONNECTOR = connector_fields().to_wire()
DATASET = dataset_fields(1).to_wire()
SOURCE = source_fields(1).to_wire()
COLUMN = {"name": "ID", "externalCode": "id", "type": "int"}
PARAMETER = {"code": "login", "name": "Login", "type": "STRING"}
LONG = "x" * 513


def test_what_is_sent_is_spelt_as_the_api_does_and_holds_only_what_was_set() -> None:
    assert DATASET == {
        "name": "orders",
        "sourceId": 1,
        "externalCode": "orders",
        "externalName": "Orders",
        "fields": [
            {"name": "ID", "externalCode": "id", "type": "string"},
            {"name": "TITLE", "externalCode": "title", "type": "string"},
        ],
    }
    assert ConnectorChanges(support_mapping=False, description="").to_wire() == {
        "supportMapping": False,
        "description": "",
    }


def test_both_spellings_of_a_name_are_accepted() -> None:
    by_alias = NewColumn.model_validate(COLUMN)
    assert by_alias == NewColumn(name="ID", external_code="id", type="int")


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (ConnectorFields, {**CONNECTOR, "title": "x" * 512, "urlData": "x" * 2048, "sourceCode": "x" * 64}),
        (Parameter, {**PARAMETER, "code": "x" * 512, "name": "x" * 512, "type": "INT"}),
        (DatasetFields, {**DATASET, "name": "x" * 230, "externalCode": "x" * 512}),
        (NewColumn, {**COLUMN, "name": "X" * 32}),
        (NewColumn, {**COLUMN, "type": "timezone"}),
        (SourceFields, {**SOURCE, "settings": {}, "connectorId": "5"}),
        (SourceFields, {**SOURCE, "settings": {"port": 8080, "password": "p", "token": Secret("t")}}),
    ],
)
def test_what_the_rules_allow_is_accepted(model: type[Sent], given: dict[str, Any]) -> None:
    assert model.model_validate(given).to_wire()


@pytest.mark.parametrize(
    ("model", "given", "rule"),
    [
        (ConnectorFields, {k: v for k, v in CONNECTOR.items() if k != "urlData"}, "urlData.*required"),
        (ConnectorFields, {**CONNECTOR, "title": LONG}, "title.*at most 512 characters"),
        (ConnectorFields, {**CONNECTOR, "title": ""}, "title.*at least 1 character"),
        (ConnectorFields, {**CONNECTOR, "title": 5}, "title.*valid string"),
        (ConnectorFields, {**CONNECTOR, "urlCheck": "x" * 2049}, "urlCheck.*at most 2048"),
        (ConnectorFields, {**CONNECTOR, "sourceCode": "x" * 65}, "sourceCode.*at most 64"),
        (ConnectorFields, {**CONNECTOR, "supportMapping": "Y"}, "supportMapping.*valid boolean"),
        (ConnectorFields, {**CONNECTOR, "supportMapping": 1}, "supportMapping.*valid boolean"),
        (ConnectorFields, {**CONNECTOR, "sort": "100"}, "sort.*valid integer"),
        (ConnectorFields, {**CONNECTOR, "colour": 1}, "colour.*not permitted"),
        (ConnectorFields, {**CONNECTOR, "id": 1}, "id.*not permitted"),
        (ConnectorFields, {**CONNECTOR, "dateCreate": "x"}, "dateCreate.*not permitted"),
        (ConnectorFields, {**CONNECTOR, "settings": {"a": PARAMETER}}, "settings.*valid list"),
        (Parameter, {**PARAMETER, "type": "string"}, "type.*'STRING' or 'INT'"),
        (Parameter, {**PARAMETER, "code": LONG}, "code.*at most 512"),
        (Parameter, {**PARAMETER, "name": LONG}, "name.*at most 512"),
        (Parameter, {"code": "a", "type": "INT"}, "name.*required"),
        (SourceFields, {**SOURCE, "connectorId": 0}, "connectorId.*greater than or equal to 1"),
        (SourceFields, {**SOURCE, "connectorId": True}, "connectorId.*not a boolean"),
        (SourceFields, {**SOURCE, "code": "rest_1"}, "code.*not permitted"),
        (SourceFields, {**SOURCE, "active": "Y"}, "active.*valid boolean"),
        (SourceFields, {**SOURCE, "settings": [{"code": "a"}]}, "settings.*valid dictionary"),
        (SourceFields, {**SOURCE, "settings": {"a": ["x"]}}, "settings.a.*text or a whole number"),
        (SourceFields, {**SOURCE, "settings": {"a": True}}, "settings.a.*text or a whole number"),
        (SourceFields, {**SOURCE, "settings": {"a": None}}, "settings.a.*text or a whole number"),
        (SourceChanges, {"connectorId": 2}, "connectorId.*not permitted"),
        (DatasetFields, {**DATASET, "name": "Orders"}, r"name.*\^\[a-z\]\[a-z0-9_\]\*\$"),
        (DatasetFields, {**DATASET, "name": "1orders"}, "name.*pattern"),
        (DatasetFields, {**DATASET, "name": "orders\n"}, "name.*pattern"),
        (DatasetFields, {**DATASET, "name": "заказы"}, "name.*pattern"),
        (DatasetFields, {**DATASET, "name": "x" * 231}, "name.*at most 230"),
        (DatasetFields, {**DATASET, "externalCode": LONG}, "externalCode.*at most 512"),
        (DatasetFields, {**DATASET, "externalName": ""}, "externalName.*at least 1"),
        (DatasetFields, {**DATASET, "fields": []}, "fields.*at least 1 item"),
        (DatasetFields, {**DATASET, "type": "rest"}, "type.*not permitted"),
        (DatasetChanges, {"name": "orders"}, "name.*not permitted"),
        (NewColumn, {**COLUMN, "name": "id"}, r"name.*\^\[A-Z\]\[A-Z0-9_\]\*\$"),
        (NewColumn, {**COLUMN, "name": "X" * 33}, "name.*at most 32"),
        (NewColumn, {**COLUMN, "type": "INT"}, "type.*'int', 'string'"),
        (NewColumn, {**COLUMN, "visible": True}, "visible.*not permitted"),
        (ColumnVisibility, {"id": 1, "visible": "N"}, "visible.*valid boolean"),
        (ColumnVisibility, {"id": 0, "visible": True}, "id.*greater than or equal to 1"),
        (ColumnChanges, {"delete": [0]}, "delete.0.*greater than or equal to 1"),
        (ColumnChanges, {"update": [{"id": 1}]}, "visible.*required"),
    ],
)
def test_a_broken_rule_is_named(model: type[Sent], given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=f"(?is){rule}"):
        model.model_validate(given)


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as raised:
        SourceFields.model_validate({"title": 5, "settings": {"password": ["hunter2"]}, "hunter3": "hunter2"})
    assert "hunter2" not in f"{raised.value} {raised.value!r}"
