"""The actions of `bi-mcp check` and `tables`."""

from __future__ import annotations

from typing import Any

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.findings import MARKS, VERDICTS, print_findings
from bi_mcp.cli.actions.portal import print_result
from bi_mcp.diagnostics.connector.report import ConnectorReport


def check_connector(
    source: int, table: str | None, *, quick: bool, repeat: int | None, profile: str | None, as_json: bool
) -> None:
    """Check the endpoints behind a source."""

    async def run(app: App) -> dict[str, Any]:
        outside = await app.open_outside(source)
        report = await outside.check(table, quick=quick, repeat=repeat or 0)
        if not as_json:
            print_findings(say(VERDICTS[report.verdict]), report.findings, profile)
            _print_endpoints(report)
        return report.model_dump(exclude_none=True)

    print_result(run, profile, as_json=as_json)


def list_tables(source: int, search: str, profile: str | None, *, as_json: bool) -> None:
    """Print the external tables of a source."""

    async def run(app: App) -> dict[str, Any]:
        outside = await app.open_outside(source)
        found = await outside.tables(search)
        if not as_json:
            for table in found.items:
                click.echo(f"{table.external_code}  {table.title}")
        return {"tables": [{"externalCode": item.external_code, "title": item.title} for item in found.items]}

    print_result(run, profile, as_json=as_json)


def _print_endpoints(report: ConnectorReport) -> None:
    """Print the endpoints that answered without an error, so that `ok` refers to something."""
    troubled = {finding.where for finding in report.findings if finding.level == "error"}
    for facts in report.endpoints:
        if facts.endpoint not in troubled:
            held = f"{facts.held or f'HTTP {facts.status}'}{f' ({facts.rate})' if facts.rate else ''}"
            click.echo(f" {MARKS['ok']} {facts.endpoint}: {held}")
    calls = sum(facts.calls or 0 for facts in report.endpoints)
    click.echo(say("{calls} calls in {seconds:g} s.", calls=calls, seconds=report.seconds))
