"""The output of the setup commands: a plan, the progress, a report, and the parts that an export left out."""

from __future__ import annotations

import json
import sys

import click

from bi_mcp.base.language import say
from bi_mcp.setup.plan import Plan
from bi_mcp.setup.plan_markdown import render_markdown
from bi_mcp.setup.plan_text import render_plan
from bi_mcp.setup.report import Report

COLOURS = {"+": "green", "~": "yellow", "±": "magenta", "-": "red", "!": "red", "·": "bright_black"}
MARKS = {"done": "✓", "refused": "✗", "skipped": "·", "unknown": "?", "not_done": " "}


def print_plan(plan: Plan, form: str, *, err: bool = False) -> None:
    """Print a plan as text, Markdown or JSON."""
    if form == "json":
        click.echo(json.dumps(plan.as_json(), indent=1, ensure_ascii=False))
    elif form == "markdown":
        click.echo(render_markdown(plan), nl=False)
    else:
        for line in render_plan(plan).splitlines():
            click.secho(line, fg=COLOURS.get(line[:1]), err=err)


async def print_progress(made: int, of: int, _: str) -> None:
    """Count the steps on one line of a terminal."""
    if sys.stderr.isatty():
        click.echo("\r" + say("{made} of {of} steps", made=made, of=of), nl=made == of, err=True)


def print_report(report: Report, *, as_json: bool) -> None:
    """Print what became of each step."""
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
        return
    for result in report.results:
        why = f": {result.why}" if result.why else ""
        click.echo(f"{MARKS[result.outcome]} {result.step}{why}")
    for check in report.checks:
        click.echo(f"· {check}")
    click.echo(report.summary())
