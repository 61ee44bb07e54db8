"""The practice portal with a dataset of a given table, on which charts are opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import httpx
from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import chart_question as portal
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.charts import Chart
from tests.charts.connector import CONNECTION, PATHS
from tests.charts.oracle import find_fault
from tests.charts.questions import Condition, Culture, Dialect, Generation, Question, Value
from tests.charts.tables import Table
from tests.practice.portal.calling import TOKEN, Caller

ORIGIN = "http://shop.localhost"

_OPERATORS: dict[str, portal.OperatorName] = {
    "one of": "one of",
    "contains": "contains",
    "between": "between",
    "greater": ">",
    "greater or equal": ">=",
    "less": "<",
    "less or equal": "<=",
    "empty": "empty",
}


class Dataset:
    """A dataset of a table on a practice portal."""

    def __init__(self, app: Any, table: Table, dialect: Dialect) -> None:
        self._app = app
        self._table = table
        self._dialect = dialect

    async def open(self, question: Question) -> Chart:
        """Open a chart."""
        chart: Chart = await self._app.state.charts.open(translate(self._table, question))
        return chart

    async def fault(self, question: Question) -> str:
        """Open a chart, and say what is wrong with what its user sees; "" where nothing is."""
        if self._dialect.generation == "classic" and not question.select:
            # Without them nothing tells a connector the names, and an older portal takes its header as it is.
            question = replace(question, select=tuple(column.code for column in self._table.columns))
        chart = await self.open(question)
        if chart.failure is not None:
            return f"{chart.failure.kind}: {chart.answer}"
        chosen = [self._table.column(code) for code in question.select] or list(self._table.columns)
        names = [column.name for column in chosen]
        if list(chart.columns) != names:
            return f"the columns are {chart.columns}"
        header = [column.code for column in chosen] if self._dialect.generation == "tables" else names
        return find_fault(self._table, question, self._dialect, [header, *chart.rows])


@asynccontextmanager
async def dataset(
    table: Table,
    generation: Generation,
    culture: Culture,
    connector: ASGIApp | str,
    connection: Mapping[str, str] = CONNECTION,
) -> AsyncIterator[Dataset]:
    """Make the dataset; `connector` is one in this process, or the address of another one, `connection` its settings."""
    origin, apps = (connector, {}) if isinstance(connector, str) else (ORIGIN, {ORIGIN: connector})
    settings = LocalPortalSettings(generation=generation, culture=culture, access_token=Secret(TOKEN))
    app = create_app(settings, connectors=apps)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        await _fill(Caller(http), table, origin, connection)
        yield Dataset(app, table, Dialect(generation, culture))
    app.state.database.close()


def can_be_asked(question: Question) -> bool:
    """Say whether BI Builder asks such a question: it joins the members of a group by OR, and groups all conditions."""
    return not question.plain and all(
        group.logic == "OR" or len(group.members) == 1 for group in question.groups
    )


def translate(table: Table, question: Question) -> portal.ChartQuestion:
    """Put a question as the portal takes it: by names, with dates in ISO."""

    def name(code: str) -> str:
        return table.column(code).name

    def translate_condition(condition: Condition) -> portal.ChartCondition:
        values = tuple(map(_text, condition.values))
        operator = _OPERATORS[condition.operator]
        return portal.ChartCondition(name(condition.column), operator, values, condition.excluded)

    dates = question.dates
    return portal.ChartQuestion(
        dataset=table.code,
        columns=tuple(map(name, question.select)),
        dates=portal.ChartDateRange(dates.first, dates.last, name(dates.column)) if dates else None,
        groups=tuple(tuple(map(translate_condition, group.members)) for group in question.groups),
        limit=question.limit,
    )


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


async def _fill(caller: Caller, table: Table, origin: str, connection: Mapping[str, str]) -> None:
    settings = [{"code": code, "name": code, "type": "STRING"} for code in connection]
    addresses = {endpoint: origin + path for endpoint, path in PATHS.items()}
    fields: dict[str, object] = {"title": "Shop", "logo": "data:,", "settings": settings}
    connector = await caller.result("biconnector.connector.add", fields={**fields, **addresses})
    source = await caller.result(
        "biconnector.source.add",
        fields={"title": "Shop", "connectorId": connector["id"], "settings": dict(connection)},
    )
    columns = [
        {"name": column.name, "externalCode": column.code, "type": column.type} for column in table.columns
    ]
    await caller.result(
        "biconnector.dataset.add",
        fields={
            "name": table.code,
            "sourceId": source["id"],
            "externalCode": table.code,
            "externalName": table.code,
            "fields": columns,
        },
    )
