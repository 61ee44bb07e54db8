"""Findings in a terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

import click

from bi_mcp.base.language import text
from bi_mcp.cli.actions.repairs import commands_of, how_to_change
from bi_mcp.diagnostics.findings.finding import Finding

MARKS = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}
COLOURS = {"ok": "green", "note": "bright_black", "warning": "yellow", "error": "red"}
# In English a verdict is what JSON has, too, as words.
VERDICTS = {
    "ok": text("ok"),
    "note": text("note"),
    "warning": text("warning"),
    "error": text("error"),
    "unchecked": text("not checked"),
    "healthy": text("healthy"),
    "degraded": text("degraded"),
    "broken": text("broken"),
    "unreachable": text("unreachable"),
    "table_gone": text("table gone"),
}


def print_finding(finding: Finding, commands: Iterable[str] = ()) -> None:
    """Print place and problem, below them the repair and its commands; in a terminal long lines are wrapped and indented."""
    mark = MARKS[finding.level]
    what, *fix = describe_finding(finding)
    first, *rest = _wrap(f" {mark} {finding.where}: {what}", "   ")
    click.echo(first.replace(mark, click.style(mark, fg=COLOURS[finding.level]), 1))
    for line in (*rest, *(part for advice in fix for part in _wrap(f"   {advice}", "   "))):
        click.echo(line)
    for command in commands:
        click.echo(f"   → {command}")


def describe_finding(finding: Finding) -> list[str]:
    """The problem with the code by which the reference explains it (without, if the level is "ok"), then the repair."""
    what = finding.what if finding.level == "ok" else f"{finding.what} [{finding.code}]"
    return [what, finding.advice] if finding.fix else [what]


def _wrap(line: str, below: str) -> list[str]:
    """Wrap a line for a terminal. Programs get whole lines."""
    if not sys.stdout.isatty():
        return [line]
    width = shutil.get_terminal_size().columns
    return textwrap.wrap(
        line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    ) or [line]


def print_findings(verdict: str, findings: list[Finding], profile: str | None) -> None:
    """Print a verdict, the findings with the commands that follow from them, and how to repair."""
    click.echo(verdict)
    for finding in findings:
        print_finding(finding, commands_of(finding, profile))
    if advice := how_to_change(findings):
        click.echo(advice)
