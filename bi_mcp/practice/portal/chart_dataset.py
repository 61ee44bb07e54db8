"""A chart's view of its dataset: the table, its columns, and the connector behind them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.base.secret import Secret
from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_question import refuse_question
from bi_mcp.practice.portal.columns import column_rows
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.sources import connection_of


@dataclass(frozen=True)
class ChartColumn:
    """A column of the dataset. Its type is compared without regard to case."""

    name: str
    code: str
    type: str
    visible: bool = True


@dataclass(frozen=True)
class ChartDataset:
    """A dataset with its connector's address. An inactive source is never called."""

    table: str
    columns: tuple[ChartColumn, ...]
    url_data: str
    connection: Mapping[str, Secret]
    active: bool = True

    @property
    def visible(self) -> list[ChartColumn]:
        """The columns that BI Builder offers."""
        return [column for column in self.columns if column.visible]

    def column(self, name: str) -> ChartColumn:
        """Return a visible column by its name."""
        for column in self.visible:
            if column.name == name:
                return column
        names = ", ".join(column.name for column in self.visible)
        raise refuse_question(f"The dataset has no visible column {name!r:.80}. It has {names}.")

    def time_column(self) -> ChartColumn:
        """Return the column that a date range means when it names none."""
        for column in self.visible:
            if column.type.lower() in {"date", "datetime"}:
                return column
        raise refuse_question("The dataset has no visible column of type date or datetime for a date range.")


def load_dataset(connection: sqlite3.Connection, named: int | str, reach: Reach) -> ChartDataset:
    """Read a dataset by id or name; only within reach.

    Raises `ModuleFault`: DATASET_NOT_FOUND.
    """
    key = "id" if isinstance(named, int) else "name"
    rows = records.select(connection, "datasets", f"{key} = ?", [named])
    if not rows or not reach.holds(rows[0]):
        raise ModuleFault("DATASET_NOT_FOUND", f"The portal has no dataset {named!r:.80}.")
    dataset = rows[0]
    source = _row(connection, "sources", dataset["sourceId"])
    connector = _row(connection, "connectors", source["connectorId"])
    settings = connection_of(connection, source["id"])
    return ChartDataset(
        table=dataset["externalCode"],
        columns=tuple(
            ChartColumn(row["name"], row["externalCode"], row["type"], bool(row["visible"]))
            for row in column_rows(connection, dataset["id"])
        ),
        url_data=connector["urlData"],
        connection={code: Secret(value) for code, value in settings.items()},
        active=bool(source["active"]),
    )


def _row(connection: sqlite3.Connection, table: str, row_id: int) -> sqlite3.Row:
    return records.select(connection, table, "id = ?", [row_id])[0]
