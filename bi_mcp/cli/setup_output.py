"""The output of the setup commands: a plan, the progress, a report, and the parts that an export left out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say

if TYPE_CHECKING:
    from bi_mcp.setup.export import Exported
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.report import Report
    from bi_mcp.setup.setup import Setup

COLOURS = {"+": "green", "~": "yellow", "±": "magenta", "-": "red", "!": "red", "·": "bright_black"}
MARKS = {"done": "✓", "refused": "✗", "skipped": "·", "unknown": "?", "not_done": " "}


def print_plan(plan: Plan, form: str, *, err: bool = False) -> None:
    """Print a plan as text, Markdown or JSON."""
    from bi_mcp.setup.plan_markdown import render_markdown
    from bi_mcp.setup.plan_text import render_plan

    if form == "json":
        click.echo(json.dumps(plan.as_json(), indent=1, ensure_ascii=False))
    elif form == "markdown":
        click.echo(render_markdown(plan), nl=False)
    else:
        for line in render_plan(plan).splitlines():
            click.secho(line, fg=COLOURS.get(line[:1]), err=err)


async def tell_progress(made: int, of: int, _: str) -> None:
    """Count the steps on one line of a terminal."""
    if sys.stderr.isatty():
        told = say("{made} of {of} steps", made=made, of=of)
        click.echo(f"\r{told}", nl=made == of, err=True)


def print_report(report: Report, *, as_json: bool) -> None:
    """Print what became of each step."""
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
        return
    for result in report.results:
        why = f": {result.why}" if result.why else ""
        click.echo(f"{MARKS[result.outcome]} {result.step}{why}")
    click.echo(report.summary())


def print_left_out(exported: Exported) -> None:
    """Name the parts that an export could not write, and the variables that hold values which it does not write."""
    for sentence in exported.left_out:
        click.echo(f"! {sentence}", err=True)
    variables = _variables(exported.setup)
    for name in variables:
        click.echo(say("· {name} stands for a value that was not written.", name=name), err=True)
    if variables:
        click.echo(
            say(
                "  Set such a variable where the file is applied, or store the value with `bi-mcp secret set NAME --for HOST` and write {{secret: NAME}}."
            ),
            err=True,
        )


def _variables(setup: Setup) -> list[str]:
    values = [value for source in setup.sources.values() for value in source.settings.values()]
    return [value.env for value in values if not isinstance(value, str | int) and hasattr(value, "env")]


def count_entries(setup: Setup) -> str:
    """`1 connector, 2 sources, 0 datasets`."""
    from bi_mcp.rest.kinds import KINDS

    return ", ".join(kind.count(len(setup.entries(group))) for group, kind in KINDS.items())
