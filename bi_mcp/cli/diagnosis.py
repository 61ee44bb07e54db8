"""`bi-mcp check`, `tables`, `propose`, `preview` and `diagnose`: what the tools of those names do, in a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bi_mcp.base.language import say
from bi_mcp.cli.chosen_portal import on_the_portal, profile_option
from bi_mcp.cli.doctor import MARKS, VERDICTS, describe_finding, print_finding
from bi_mcp.cli.repairs import commands_of, how_to_change
from bi_mcp.cli.rows import open_console, print_rows

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bi_mcp.app.app import App
    from bi_mcp.diagnostics.connector.report import ConnectorReport
    from bi_mcp.diagnostics.findings.finding import Finding
    from bi_mcp.diagnostics.portal.portal_map import PortalMap

Command = Callable[..., None]

# Nineteen digits hold every id of a database.
_ID = re.compile(r"[1-9][0-9]{0,18}")


def portal_options(command: Command) -> Command:
    """The options that all of these commands have."""
    command = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)
    return profile_option(command)


@click.command(short_help="Check a connector's endpoints.")
@click.argument("source", type=click.IntRange(1))
@click.option("--table", help="External code of the table to read. Default: the first listed.")
@click.option("--quick", is_flag=True, help="Leave out what charts ask: some 30 calls.")
@portal_options
def check(source: int, table: str | None, quick: bool, profile: str | None, as_json: bool) -> None:
    r"""Call the endpoints behind a SOURCE (its id) as Bitrix24 does, ask what charts ask, and name everything that fails.

    \b
    Examples:
      bi-mcp check 3
      bi-mcp check 3 --quick
      bi-mcp check 3 --table orders --json
    """

    async def run(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.dataset.outside import open_outside

        outside = await open_outside(app.bi, app.portal.caller, source)
        report = await outside.check(table, quick=quick)
        if not as_json:
            _print_findings(say(VERDICTS[report.verdict]), report.findings, profile)
            _print_endpoints(report)
        return report.model_dump(exclude_none=True)

    _finish(run, profile, as_json=as_json)


@click.command(short_help="List external tables.")
@click.argument("source", type=click.IntRange(1))
@click.option("--search", default="", help="What the endpoint shall search for.")
@portal_options
def tables(source: int, search: str, profile: str | None, as_json: bool) -> None:
    r"""List the external tables of a SOURCE (its id): code and title.

    \b
    Examples:
      bi-mcp tables 3
      bi-mcp tables 3 --search orders --json
    """

    async def run(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.dataset.outside import open_outside

        outside = await open_outside(app.bi, app.portal.caller, source)
        found = await outside.tables(search)
        if not as_json:
            for table in found.items:
                click.echo(f"{table.external_code}  {table.title}")
        return {"tables": [{"externalCode": item.external_code, "title": item.title} for item in found.items]}

    _finish(run, profile, as_json=as_json)


@click.command(short_help="Propose a dataset for an external table.")
@click.argument("source", type=click.IntRange(1))
@click.argument("table")
@profile_option
def propose(source: int, table: str, profile: str | None) -> None:
    r"""Print the `fields` that dataset.add takes for a TABLE (its external code) of a SOURCE (its id), as JSON.

    \b
    Example:
      bi-mcp propose 3 orders
    """

    async def run(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.dataset.diagnosis import propose_dataset
        from bi_mcp.diagnostics.dataset.outside import open_outside

        outside = await open_outside(app.bi, app.portal.caller, source)
        proposal = await propose_dataset(app.bi, outside, table)
        for reason in proposal.reasons:
            click.echo(reason, err=True)
        return proposal.fields

    _finish(run, profile, as_json=True)


@click.command(short_help="Show the first rows of a dataset.")
@click.argument("dataset", type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@portal_options
def preview(dataset: int, limit: int, profile: str | None, as_json: bool) -> None:
    r"""Show the first rows of a DATASET (its id) as Bitrix24 would get them.

    \b
    Examples:
      bi-mcp preview 5
      bi-mcp preview 5 --limit 50 --json
    """

    async def run(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.dataset.preview import preview_dataset

        rows, sent = await preview_dataset(app.bi, app.portal.caller, dataset, limit=limit)
        if not as_json:
            print_rows(rows.header, rows.rows)
        return {"header": rows.header, "rows": rows.rows, "sent": sent}

    _finish(run, profile, as_json=as_json)


@click.command(short_help="Find out why a dataset, or what in a whole portal, is broken.")
@click.argument("dataset", required=False)
@click.option("--all", "whole", is_flag=True, help="Diagnose all datasets of the portal.")
@click.option("--source", type=click.IntRange(1), help="With --all: only those of this source.")
@portal_options
def diagnose(
    dataset: str | None, whole: bool, source: int | None, profile: str | None, as_json: bool
) -> None:
    r"""Compare a DATASET (its id or name), or all of them, with what their connectors answer. Ends with status 1 unless healthy.

    \b
    Examples:
      bi-mcp diagnose 5
      bi-mcp diagnose flights
      bi-mcp diagnose --all --json
    """
    if whole == (dataset is not None):
        raise click.UsageError(say("Name one dataset, or pass --all."))
    if source is not None and not whole:
        raise click.UsageError(say("--source goes with --all. Add --all, or leave --source out."))

    async def run_one(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset

        found, diagnosis = await diagnose_dataset(
            app.bi, app.portal.caller, await _dataset_id(app, dataset or "")
        )
        if not as_json:
            _print_findings(f"{found.name}: {say(VERDICTS[diagnosis.verdict])}", diagnosis.findings, profile)
        findings = [finding.model_dump(exclude_none=True) for finding in diagnosis.findings]
        return {"id": found.id, "name": found.name, "verdict": diagnosis.verdict, "findings": findings}

    async def run_all(app: App) -> dict[str, Any]:
        from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal

        found = await diagnose_portal(app.bi, app.portal.caller, source=source)
        if not as_json:
            _print_map(found, profile)
        return found.model_dump(exclude_none=True)

    _finish(run_all if whole else run_one, profile, as_json=as_json)


async def _dataset_id(app: App, named: str) -> int:
    """The id that a person typed, or that of the dataset of this name. A name never begins with a digit."""
    if _ID.fullmatch(named):
        return int(named)
    if named[:1].isdigit() or named.startswith("-"):
        raise click.UsageError(say("An id is a positive whole number; `bi-mcp map` shows ids and names."))
    page = await app.bi.datasets.list_page(select=["id", "name"], filter={"=name": named})
    found = [item.id for item in page.items if item.name == named]
    if not found:
        raise click.ClickException(
            say(
                "The portal has no dataset {name!r} that this application sees. `bi-mcp map` shows ids and names.",
                name=named,
            )
        )
    return found[0]


def _finish(run: Callable[[App], Awaitable[dict[str, Any]]], profile: str | None, *, as_json: bool) -> None:
    result = on_the_portal(run, profile)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    sys.exit(0 if result.get("verdict", "ok") in {"ok", "unchecked", "note", "healthy"} else 1)


def _print_findings(verdict: str, findings: list[Finding], profile: str | None) -> None:
    click.echo(verdict)
    for finding in findings:
        print_finding(finding, commands_of(finding, profile))
    if advice := how_to_change(findings):
        click.echo(advice)


def _print_endpoints(report: ConnectorReport) -> None:
    """Print the endpoints that answered without an error, so that `ok` refers to something."""
    troubled = {finding.where for finding in report.findings if finding.level == "error"}
    for facts in report.endpoints:
        if facts.endpoint not in troubled:
            click.echo(f" {MARKS['ok']} {facts.endpoint}: {facts.held or f'HTTP {facts.status}'}")
    calls = sum(facts.calls or 0 for facts in report.endpoints)
    click.echo(say("{calls} calls in {seconds:g} s.", calls=calls, seconds=report.seconds))


def _print_map(found: PortalMap, profile: str | None) -> None:
    """Print the worst objects first; of the healthy ones only the number."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from bi_mcp.diagnostics.portal.portal_map import MARKS as STATE_MARKS
    from bi_mcp.diagnostics.portal.portal_map import STATES

    table = Table("", say("object"), say("title"), say("found"), box=SIMPLE_HEAD, show_edge=False)
    troubled = [node for node in found.nodes if node.findings]
    for node in sorted(troubled, key=lambda node: STATES.index(node.level), reverse=True):
        said = "\n".join(line for finding in node.findings for line in _lines(finding, profile))
        # Text, because titles come from outside and must not be read as markup.
        table.add_row(STATE_MARKS[node.level], Text(node.key), Text(node.title), Text(said))
    console = open_console()
    if troubled:
        console.print(table)
    if advice := how_to_change(finding for node in troubled for finding in node.findings):
        console.print(Text(advice))
    console.print(Text(f"{say(VERDICTS[found.verdict])}: {found.summary()}"))


def _lines(finding: Finding, profile: str | None) -> list[str]:
    return [*describe_finding(finding), *(f"→ {command}" for command in commands_of(finding, profile))]
