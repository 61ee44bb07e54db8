"""The actions of `bi-mcp propose` and of `diagnose` for one dataset."""

from __future__ import annotations

import re
from typing import Any

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.findings import VERDICTS, print_findings
from bi_mcp.cli.actions.portal import print_result
from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset, propose_dataset

# Nineteen digits hold every id of a database.
_ID = re.compile(r"[1-9][0-9]{0,18}")


def print_proposal(source: int, table: str, like: int | None, profile: str | None) -> None:
    """Print the dataset that is proposed for an external table, and the reasons on standard error."""

    async def run(app: App) -> dict[str, Any]:
        outside = await app.open_outside(source)
        proposal = await propose_dataset(app.bi, outside, table, like)
        for reason in (*(dataset.told for dataset in proposal.existing), *proposal.reasons):
            click.echo(reason, err=True)
        return proposal.fields

    print_result(run, profile, as_json=True)


def diagnose_and_print(dataset: str, profile: str | None, *, as_json: bool) -> None:
    """Diagnose the dataset of this id or name."""

    async def run(app: App) -> dict[str, Any]:
        id = await find_dataset_id(app, dataset)
        found, _, diagnosis = await diagnose_dataset(app.bi, app.portal.caller, id)
        if not as_json:
            verdict = f"{found.name}: {say(VERDICTS[diagnosis.verdict])}"
            told = f"{verdict}. {diagnosis.charts}" if diagnosis.charts and diagnosis.who else verdict
            print_findings(told, diagnosis.findings, profile)
        findings = [finding.model_dump(exclude_none=True) for finding in diagnosis.findings]
        said = {"verdict": diagnosis.verdict, "charts": diagnosis.charts, "who": diagnosis.who}
        return {"id": found.id, "name": found.name, **said, "findings": findings}

    print_result(run, profile, as_json=as_json)


async def find_dataset_id(app: App, named: str) -> int:
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
