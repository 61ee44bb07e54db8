"""The vendor's machine-readable facts of the 19 methods, kept in `tests/vendor/`: what is sent fits them, and what they show is read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import InUseError, InvalidRequestError, NotFoundError, PortalError, RefusedError
from bi_mcp.rest import BIConnector
from bi_mcp.rest.error_codes import error_for
from bi_mcp.rest.kind_methods import parse_id, parse_model, parse_models, parse_true
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.methods import METHODS, Method, method
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    Connector,
    ConnectorChanges,
    Dataset,
    DatasetChanges,
    FieldDescription,
    Source,
    SourceChanges,
)
from tests.rest.calling import (
    Answering,
    Portal,
    add_dataset,
    add_source,
    columns,
    connect,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio

SPEC: Mapping[str, Any] = json.loads((Path(__file__).parents[1] / "vendor" / "methods.json").read_text())
# Newer portals know these, which the vendor's older facts leave out.
NEWER = {"supportMapping", "sourceCode"}
BASES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}

EVERYTHING: Mapping[str, Callable[[BIConnector], Awaitable[object]]] = {
    "connector.add": lambda bi: bi.connectors.add(connector_fields(description="d", sort=5)),
    "connector.update": lambda bi: bi.connectors.update(1, ConnectorChanges(title="New", sort=7)),
    "connector.get": lambda bi: bi.connectors.get(1),
    "connector.list": lambda bi: bi.connectors.list_page(
        select=["title"], filter={"@id": [1]}, order={"id": "DESC"}
    ),
    "connector.delete": lambda bi: bi.connectors.delete(1),
    "connector.fields": lambda bi: bi.connectors.fields(),
    "source.add": lambda bi: bi.sources.add(source_fields(1)),
    "source.update": lambda bi: bi.sources.update(1, SourceChanges(settings={"login": Secret("bob")})),
    "source.get": lambda bi: bi.sources.get(1),
    "source.list": lambda bi: bi.sources.list_page(select=["title"], filter={"id": 1}, page=2),
    "source.delete": lambda bi: bi.sources.delete(1),
    "source.fields": lambda bi: bi.sources.fields(),
    "dataset.add": lambda bi: bi.datasets.add(dataset_fields(1, "new")),
    "dataset.update": lambda bi: bi.datasets.update(1, DatasetChanges(description="d")),
    "dataset.get": lambda bi: bi.datasets.get(1),
    "dataset.list": lambda bi: bi.datasets.list_page(filter={"%name": "x"}),
    "dataset.delete": lambda bi: bi.datasets.delete(1),
    "dataset.fields": lambda bi: bi.datasets.fields(),
    "dataset.fields.update": lambda bi: bi.datasets.update_columns(
        1,
        ColumnChanges(add=list(columns("NEW")), update=[ColumnVisibility(id=1, visible=False)], delete=[2]),
    ),
}


@pytest.mark.parametrize("called", METHODS, ids=lambda m: m.name)
async def test_what_is_sent_fits_the_vendor_s_parameters(classic: Portal, called: Method) -> None:
    await add_dataset(classic.bi)
    sent_before = len(classic.calls.bodies)
    try:
        await EVERYTHING[called.name.removeprefix("biconnector.")](classic.bi)
    except InUseError:
        assert called.operation == "delete"
    sent = [
        json.loads(body)
        for request, body in zip(classic.calls.requests, classic.calls.bodies, strict=True)
        if request.url.path.endswith(f"/{called.name}")
    ][-1]
    assert len(classic.calls.bodies) > sent_before
    check_parameters(SPEC[called.name], {name: value for name, value in sent.items() if name != "auth"})


def check_parameters(spec: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """Every parameter is one of the vendor's, of its type, and none that is required is missing."""
    documented = {parameter["name"]: parameter for parameter in spec["params"]}
    # The pages of the `*.fields` methods list what is answered, for want of parameters.
    if set(documented) == {"result", "time"}:
        documented = {}
    assert set(sent) <= set(documented)
    assert {name for name, parameter in documented.items() if parameter["required"] is True} <= set(sent)
    for name, value in sent.items():
        check_type(documented[name], value)
        if "ref" in documented[name]:
            check_fields(spec["defs"][documented[name]["ref"]], value)


def check_fields(documented: list[Mapping[str, Any]], sent: Mapping[str, Any]) -> None:
    known = {field["name"]: field for field in documented}
    assert set(sent) <= set(known) | NEWER
    assert {name for name, field in known.items() if field["required"] is True} <= set(sent)
    for name, value in sent.items():
        if name in known:
            check_type(known[name], value)


def check_type(documented: Mapping[str, Any], value: object) -> None:
    # The vendor calls `add` and `update` of fields.update objects, and shows arrays of objects.
    if documented["name"] in {"add", "update"}:
        assert isinstance(value, list)
        return
    assert isinstance(value, BASES[documented["base"]])
    assert documented["base"] == "boolean" or not isinstance(value, bool)


@pytest.mark.parametrize("name", SPEC)
def test_every_documented_result_is_read_without_loss(name: str) -> None:
    called, result = _method_of(name), SPEC[name]["result"]
    if called.operation == "add":
        assert parse_id(called, result) == result["id"]
    elif called.operation in {"update", "delete", "fields.update"}:
        parse_true(called, result)
    elif called.operation == "fields":
        described = parse_models(called, FieldDescription, result["fields"])
        for field, shown in zip(described, result["fields"], strict=True):
            check_holds(field, shown)
    elif called.operation == "list":
        items = parse_models(called, KINDS[called.kind].received, result)
        for item, shown in zip(items, result, strict=True):
            check_holds(item, shown)
    else:
        check_holds(parse_model(called, KINDS[called.kind].received, result["item"]), _flat(result["item"]))


def _method_of(name: str) -> Method:
    group, _, operation = name.removeprefix("biconnector.").partition(".")
    return method(group, operation)


def _flat(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The vendor nests what a source is of itself, and the model does not."""
    return {
        **item.get("connection", {}),
        **{key: value for key, value in item.items() if key != "connection"},
    }


def check_holds(model: Any, shown: Any) -> None:
    """Everything that is shown is in the model: ids as numbers, secrets behind their masks."""
    held = revealed(model.model_dump(by_alias=True))
    assert_within(shown, held)


def revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: revealed(below) for key, below in value.items()}
    return [revealed(below) for below in value] if isinstance(value, list) else value


def assert_within(shown: Any, held: Any) -> None:
    if isinstance(shown, dict):
        assert set(shown) <= set(held)
        for key, below in shown.items():
            assert_within(below, held[key])
    elif isinstance(shown, list):
        assert len(shown) == len(held)
        for left, right in zip(shown, held, strict=True):
            assert_within(left, right)
    else:
        assert str(shown) == str(held)


@pytest.mark.parametrize("moment", [{}, [], None, ""])
@pytest.mark.parametrize("model", [Connector, Source, Dataset])
def test_a_moment_that_is_not_told_is_unknown(
    model: type[Connector | Source | Dataset], moment: object
) -> None:
    item: Any = model.model_validate({"id": 27, "dateCreate": moment, "dateUpdate": moment})
    assert item.date_create is None


SETTING = {"code": "token", "name": "Token", "type": "STRING", "value": "v"}


@pytest.mark.parametrize(
    ("answered", "codes"),
    [
        (None, None),
        ([], []),
        ({}, []),
        ([SETTING], ["token"]),
        ({"0": SETTING, "2": {**SETTING, "code": "other"}}, ["token", "other"]),
        ({"token": "v"}, ["token"]),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
def test_settings_are_read_in_each_of_php_s_shapes(answered: object, codes: object, nested: bool) -> None:
    flat = {"id": 5, "title": "T", "active": "Y"}
    item = {"connection": flat, "settings": answered} if nested else {**flat, "settings": answered}
    source = Source.model_validate(item)
    found = None if source.settings is None else [setting.code for setting in source.settings]
    assert (source.id, source.title, source.active, found) == (5, "T", True, codes)


def test_lists_with_gaps_and_empty_ones_are_lists() -> None:
    gaps = {"0": {"id": 1}, "2": {"id": 3}}
    called = method("connector", "list")
    assert [item.id for item in parse_models(called, Connector, gaps)] == [1, 3]
    assert parse_models(called, Connector, {}) == []
    assert [c.id for c in Dataset.model_validate({"id": 1, "fields": gaps}).fields or []] == [1, 3]
    assert Connector.model_validate({"id": 1, "settings": {}}).settings == []


async def test_moments_that_a_newer_portal_answers_as_objects_are_read(tables: Portal) -> None:
    await add_dataset(tables.bi)
    page = await tables.bi.tables.list_page(select=["name", "dateCreate", "dateUpdate"])
    assert [(item.name, item.date_create) for item in page.items] == [("orders", None)]


async def test_an_update_of_a_source_always_carries_its_title(portal: Portal) -> None:
    id = await add_source(portal.bi)
    await portal.bi.sources.update(id, SourceChanges(settings={"login": Secret("bob")}))
    await portal.bi.sources.update(id, SourceChanges(title="New"))

    sent = [json.loads(body)["fields"] for body in _bodies(portal, "source.update")]
    assert [fields["title"] for fields in sent] == ["Shop one", "New"]
    # Who passes a title needs no read.
    assert portal.calls.methods[-2:] == ["source.update", "source.update"]


def test_a_command_that_updates_a_source_must_name_its_title() -> None:
    commands = connect(Answering("")).sources.commands
    with pytest.raises(InvalidRequestError, match="every update must contain the title"):
        commands.update(6, SourceChanges(settings={"token": Secret("new")}))
    assert commands.update(6, SourceChanges(title="T")).parameters["fields"] == {"title": "T"}


async def test_a_refusal_without_a_code_is_no_success_though_the_portal_holds_what_was_sent(
    tables: Portal,
) -> None:
    id = await add_source(tables.bi)
    tables.faults.arm("no_code", method="biconnector.source.update")
    with pytest.raises(RefusedError, match="All the fields are required"):
        await tables.bi.sources.update(id, SourceChanges(title="Shop one"))
    assert tables.calls.methods.count("source.update") == 1


async def test_a_column_of_another_dataset_is_refused_before_anything_is_sent(portal: Portal) -> None:
    first = await add_dataset(portal.bi)
    second = await portal.bi.datasets.add(dataset_fields(1, "second"))
    foreign = ((await portal.bi.datasets.get(first)).fields or [])[0].id
    for changes in (
        ColumnChanges(delete=[foreign]),
        ColumnChanges(update=[ColumnVisibility(id=foreign, visible=False)]),
    ):
        with pytest.raises(InvalidRequestError, match=rf"no column with the id {foreign}\. Nothing was sent"):
            await portal.bi.datasets.update_columns(second, changes)
    assert "dataset.fields.update" not in portal.calls.methods
    assert len((await portal.bi.datasets.get(first)).fields or []) == 2


@pytest.mark.parametrize("logic", ["or", "Or", "OR"])
async def test_logic_is_taken_in_any_case_and_sent_in_capitals(portal: Portal, logic: str) -> None:
    await add_source(portal.bi)
    group = {"0": {"logic": logic, "id": 1, "title": "no such"}}
    assert len((await portal.bi.connectors.list_page(filter=group)).items) == 1
    sent = json.loads(_bodies(portal, "connector.list")[-1])["filter"]
    assert sent == {"0": {"logic": "OR", "id": 1, "title": "no such"}}


async def test_a_list_of_texts_that_a_classic_portal_refuses_gets_the_group_that_it_takes(
    classic: Portal,
) -> None:
    await add_source(classic.bi)
    with pytest.raises(RefusedError, match="one condition for each text"):
        await classic.bi.sources.list_page(filter={"@title": ["Shop one", "x"]})
    either = {"logic": "OR", "0": {"title": "Shop one"}, "1": {"title": "x"}}
    assert len((await classic.bi.sources.list_page(filter={"0": either})).items) == 1


@pytest.mark.parametrize(
    ("operation", "code", "kind", "advice"),
    [
        ("get", "CONNECTOR_NOT_FOUND", RefusedError, "its connector is gone"),
        ("add", "CONNECTOR_NOT_FOUND", NotFoundError, "biconnector.connector.list shows"),
        ("delete", "BX_ERROR", InUseError, "Datasets still use this source"),
        ("update", "BX_ERROR", RefusedError, "its text says what is wrong"),
        ("get", "BX_ERROR", RefusedError, "its text says what is wrong"),
    ],
)
def test_a_code_is_judged_by_its_method(
    operation: str, code: str, kind: type[PortalError], advice: str
) -> None:
    error = error_for(method("source", operation), code, "Text.", 200)
    assert type(error) is kind
    assert advice in str(error)


def test_read_only_fields_are_not_required_on_creation() -> None:
    described = {
        group: json.loads((Path(__file__).parents[1] / "vendor" / f"{group}_fields.json").read_text())
        for group in KINDS
    }
    required = {
        group: [
            field.title
            for field in map(FieldDescription.model_validate, answer["fields"])
            if field.required_on_creation
        ]
        for group, answer in described.items()
    }
    assert required == {
        "connector": [
            "title",
            "logo",
            "urlCheck",
            "urlData",
            "urlTableList",
            "urlTableDescription",
            "settings",
        ],
        "source": ["title", "connectorId", "settings"],
        "dataset": ["sourceId", "name", "externalName", "externalCode", "fields"],
    }


def _bodies(portal: Portal, name: str) -> list[bytes]:
    return [
        body for called, body in zip(portal.calls.methods, portal.calls.bodies, strict=True) if called == name
    ]
