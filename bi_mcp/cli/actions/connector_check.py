"""The action of `bi-mcp connector check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import click

from bi_mcp.base.language import say
from bi_mcp.base.progress import reporting_to
from bi_mcp.cli.actions.connector_asked import AskedSource, open_sources
from bi_mcp.cli.actions.findings import MARKS, VERDICTS, print_finding
from bi_mcp.cli.actions.rows import print_rows
from bi_mcp.diagnostics.connector.source_check import (
    SourceReport,
    TableReport,
    examine_source,
    report_trouble,
)
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.setup.connector_asking import connection_of
from bi_mcp.setup.connector_setup import endpoint_urls


def check_tables(
    url: str | None,
    names: tuple[str, ...],
    file: Path | None,
    *,
    quick: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask a connector what charts ask of each table. Exits with status 1 if something is broken."""
    examined = anyio.run(partial(_examine, url, names, file, options, quick=quick))
    reports = {asked.name: report for asked, report in examined}
    if as_json:
        click.echo(json.dumps(_as_json(reports), ensure_ascii=False, indent=2))
    else:
        _print(reports)
        _print_notes([asked for asked, _ in examined])
    sys.exit(1 if any(report.verdict == "error" for report in reports.values()) else 0)


async def _examine(
    url: str | None, names: tuple[str, ...], file: Path | None, options: dict[str, Any], *, quick: bool
) -> list[tuple[AskedSource, SourceReport]]:
    async with open_sources(url, names, file, options) as sources:
        return [(asked, await _examine_one(asked, quick=quick)) for asked in sources]


async def _examine_one(asked: AskedSource, *, quick: bool) -> SourceReport:
    if asked.trouble:
        return report_trouble(asked.name, asked.trouble)
    with reporting_to(_count):
        return await examine_source(
            asked.caller,
            endpoint_urls(asked.url),
            connection_of(asked.name, asked.key),
            tables=asked.tables,
            quick=quick,
        )


async def _count(made: float, of: float | None, _: str) -> None:
    """Count the tables on one line of a terminal."""
    if sys.stderr.isatty() and of and made == int(made):
        click.echo("\r" + say("{made:g} of {of:g} tables", made=made, of=of), nl=made == of, err=True)


def _as_json(reports: Mapping[str, SourceReport]) -> dict[str, Any]:
    return {"sources": {name: report.model_dump(exclude_none=True) for name, report in reports.items()}}


def _print(reports: Mapping[str, SourceReport]) -> None:
    tables = [(name, table) for name, report in reports.items() for table in report.tables]
    if tables:
        header = [say("Source"), say("Table"), say("Columns"), say("Rows"), say("Charts")]
        print_rows(header, [_row(name, table) for name, table in tables])
    for name, report in reports.items():
        for finding in report.findings:
            print_finding(finding if finding.where == name else _placed(finding, name))
        for table in report.tables:
            for finding in table.findings:
                print_finding(_placed(finding, f"{name}: {table.code}"))
    if not tables:
        return
    calls = sum(table.calls for _, table in tables)
    seconds = round(sum(table.seconds for _, table in tables), 3)
    click.echo(say("{calls} calls in {seconds:g} s.", calls=calls, seconds=seconds))


def _print_notes(sources: Sequence[AskedSource]) -> None:
    for asked in sources:
        for line in asked.remarks.of_source:
            click.echo(f" · {asked.name}: {line}")
        for table, lines in asked.remarks.of_tables.items():
            for line in lines:
                click.echo(f" · {asked.name}: {table}: {line}")


def _row(name: str, table: TableReport) -> list[object]:
    verdict = f"{MARKS[table.verdict]} {say(VERDICTS[table.verdict])}"
    return [name, table.code, table.columns or "–", table.rows or "–", verdict]


def _placed(finding: Finding, place: str) -> Finding:
    return finding.model_copy(update={"where": f"{place}, {finding.where}"})
