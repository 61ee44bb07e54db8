"""What every client does with the server: a row per call, in an order in which each can succeed.

`$name` in arguments stands for a value that an earlier answer gave: `keep` says where it stood in the structured content.
Every tool needs a row; `test_clients.py` fails for a tool that has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bi_mcp.practice import sample
from tests.server.talking import LOGIN, connector_fields, dataset_fields
from tests.setup.test_commands import SETUP

SECRET = "BI_MCP_SECRET_SAMPLE"
DAY = {"name": "DAY", "externalCode": "FLIGHT_DATE", "type": "date"}


@dataclass(frozen=True)
class Call:
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """A resource of a template."""

    uri: str


@dataclass(frozen=True)
class Complete:
    """A half-typed argument of a prompt or of a template, and what must be among the offers."""

    ref: str
    argument: str
    offers: Any


Step = Call | Read | Complete


def confirmed(tool: str, **arguments: Any) -> list[Call]:
    """A client that cannot ask its person gets a preview, and acts with the token in it."""
    return [
        Call(tool, arguments, {"token": "preview.confirm"}),
        Call(tool, {**arguments, "confirm": "$token"}),
    ]


# A portal from a file: connector, source and dataset with the id 1.
A_SETUP: list[Step] = [
    Call("portal_status"),
    Call("workspace_plan", {"setup": SETUP}, {"plan": "token"}),
    Call("workspace_apply", {"token": "$plan"}),
    Call("workspace_export"),
    Call("portal_map", {"diagnose": True}),
    Call("portal_map", {"format": "svg"}),
]
A_CONNECTOR: list[Step] = [
    Call("connector_fields"),
    Call("connector_add", {"fields": connector_fields("Ours")}, {"connector": "id"}),
    Call("connector_get", {"id": "$connector"}),
    Call("connector_update", {"id": "$connector", "fields": {"title": "Still ours"}}),
    Call("connector_list", {"filter": {"id": "$connector"}, "order": {"id": "DESC"}}),
    Read("bi://connector/$connector"),
    Complete("bi://connector/{id}", "id", "$connector"),
]
A_SOURCE: list[Step] = [
    Call("source_fields"),
    Call(
        "source_add",
        {
            "fields": {
                "title": "Flights",
                "connectorId": "$connector",
                "settings": {"login": LOGIN, "password": {"env": SECRET}},
            }
        },
        {"source": "id"},
    ),
    Call("source_get", {"id": "$source"}),
    Call("source_update", {"id": "$source", "fields": {"title": "Departures"}}),
    Call("source_get", {"id": "Departures"}),
    Call("source_list", {"filter": {"connectorId": "$connector"}}),
    Call("source_tables", {"source": "$source"}),
    Call("source_tables", {"source": "$source", "table": "weather"}),
    Call("connector_check", {"source": "$source", "table": "weather"}),
    Call(
        "connector_check",
        {
            "urls": {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()},
            "settings": {"login": LOGIN, "password": {"env": SECRET}},
        },
    ),
    Read("bi://source/$source"),
    Complete("bi://source/{id}", "id", "$source"),
]
A_DATASET: list[Step] = [
    Call("dataset_fields"),
    Call("dataset_propose", {"source": "$source", "table": "weather"}, {"proposed": "fields"}),
    Call("dataset_add", {"fields": "$proposed"}, {"dataset": "id"}),
    Call("dataset_get", {"id": "$dataset"}, {"column": "item.fields.0.id"}),
    Call("dataset_list", {"filter": {"sourceId": "$source"}}),
    Call("dataset_fields_update", {"id": "$dataset", "update": [{"id": "$column", "visible": False}]}),
    *confirmed("dataset_columns_replace", id="$dataset", columns=[{"id": "$column", "name": "PLACE"}]),
    Call("dataset_update", {"id": "$dataset", "fields": {"description": "By the hour"}}),
    Call("dataset_preview", {"id": "$dataset", "limit": 3}),
    Call("dataset_profile", {"id": "$dataset"}),
    Call("dataset_diagnose", {"id": "$dataset"}),
    Read("bi://dataset/$dataset"),
    Complete("bi://dataset/{id}", "id", "$dataset"),
]
A_PERSON_WHO_READS_RUSSIAN: list[Step] = [
    Complete(prompt, "language", "ru")
    for prompt in ("debug_dataset", "move_connector", "onboard", "replace_credentials", "review_portal")
]
A_TABLE: list[Step] = [
    Call("table_fields"),
    Call(
        "table_add", {"fields": dataset_fields(1, "bare_flights") | {"sourceId": "$source"}}, {"table": "id"}
    ),
    Call("table_update", {"id": "$table", "fields": {"description": "All flights"}}),
    Call("table_fields_update", {"id": "$table", "add": [DAY]}),
    Call("table_get", {"id": "$table"}, {"place": "item.fields.0.id"}),
    *confirmed("table_columns_replace", id="$table", columns=[{"id": "$place", "name": "PLACE"}]),
    Call("table_list", {"filter": {"id": "$table"}}),
]
THE_END: list[Step] = [
    *confirmed("table_delete", id="$table"),
    Call("history_list", {"object": "bare_flights"}, {"entry": "entries.0.id"}),
    *confirmed("workspace_undo", entry="$entry"),
    Call("table_list", {"filter": {"name": "bare_flights"}}, {"table": "items.0.id"}),
    *confirmed("table_delete", id="$table"),
    *confirmed("dataset_delete", id="$dataset"),
    *confirmed("source_delete", id="$source"),
    *confirmed("connector_delete", id="$connector"),
]
JOURNEY: list[Step] = [
    *A_SETUP,
    *A_CONNECTOR,
    *A_SOURCE,
    *A_DATASET,
    *A_PERSON_WHO_READS_RUSSIAN,
    *A_TABLE,
    *THE_END,
]
