"""Every table of a source is examined, and what is wrong stands with the table that it is about."""

from __future__ import annotations

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.source_check import SourceReport, examine_source
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.practice import sample

pytestmark = pytest.mark.anyio

URLS = {name: f"{sample.ORIGIN}{path}" for name, path in sample.ENDPOINTS.items()}


async def examine(*tables: str, password: str = sample.DEMO_PASSWORD) -> SourceReport:
    caller = EndpointCaller(apps={sample.ORIGIN: sample.create_app()})
    connection = {"login": Secret("demo"), "password": Secret(password)}
    return await examine_source(caller, URLS, connection, tables=tables)


async def test_all_tables_are_examined_and_each_says_what_it_holds() -> None:
    report = await examine()
    assert [table.code for table in report.tables] == ["airlines", "airports", "flights", "weather"]
    assert report.verdict in {"ok", "note"}
    assert report.findings == []
    airlines = report.tables[0]
    assert (airlines.title, airlines.columns, airlines.rows) == ("Airlines", "2 columns", "16 rows")
    assert airlines.calls > 2


async def test_only_the_named_tables_are_examined_and_an_unlisted_one_is_told() -> None:
    report = await examine("weather", "nosuch")
    assert [(table.code, table.verdict) for table in report.tables] == [
        ("weather", "ok"),
        ("nosuch", "error"),
    ]
    assert [finding.code for finding in report.findings] == ["table_not_listed"]
    assert report.verdict == "error"


async def test_a_refused_password_is_told_once_and_no_table_is_asked_for() -> None:
    report = await examine(password="wrong")
    assert report.verdict == "error"
    assert report.tables == []
    assert {finding.where for finding in report.findings} == {"urlCheck, urlTableList"}
