"""`bi-mcp doctor`."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bi_mcp.diagnostics.findings.finding import Finding
    from bi_mcp.diagnostics.portal.status import PortalStatus

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
LABELS = {
    "portal": text("portal"),
    "user": text("user"),
    "admin": text("administrator"),
    "application": text("application"),
    "scopes": text("scopes"),
    "generation": text("API generation"),
    "clock_skew_s": text("clock difference"),
}


@click.command(short_help="Examine the portal and the credential.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--profile", "profiles", multiple=True, help="Examine this profile only; may be given several times."
)
def doctor(as_json: bool, profiles: tuple[str, ...]) -> None:
    r"""For each portal say which it is, what the credential may do there, and what stands in the way.

    Changes nothing. Ends with status 1 when something is wrong.

    \b
    Examples:
      bi-mcp doctor
      BI_MCP_PORTAL_URL=https://portal.example BI_MCP_ACCESS_TOKEN=... bi-mcp doctor --json
    """
    import anyio

    from bi_mcp.app.build import examine
    from bi_mcp.config import read_settings

    found = anyio.run(examine, read_settings(profiles=profiles))
    if as_json:
        click.echo(json.dumps([status.model_dump(mode="json") for status in found], indent=2))
    else:
        for status in found:
            _print(status)
    sys.exit(1 if any(status.verdict == "error" for status in found) else 0)


def _print(status: PortalStatus) -> None:
    lines = [
        (say(LABELS[name]), _format_value(value))
        for name, value in status.model_dump(include=set(LABELS), exclude_none=True).items()
    ]
    if status.limits is not None:
        left = say(
            "{requests_left} requests at once, {requests_per_s:g} a second",
            requests_left=status.limits.requests_left,
            requests_per_s=status.limits.requests_per_s,
        )
        lines.append((say("limits left"), left))
    width = max(len(label) for label, _ in lines)
    for label, shown in lines:
        click.echo(f"{label:{width}}  {shown}")
    for finding in status.findings:
        print_finding(finding)


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
    return [what, finding.fix] if finding.fix else [what]


def _wrap(line: str, below: str) -> list[str]:
    """Wrap a line for a terminal. Programs get whole lines."""
    if not sys.stdout.isatty():
        return [line]
    width = shutil.get_terminal_size().columns
    return textwrap.wrap(
        line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    ) or [line]


def _format_value(value: object) -> str:
    match value:
        case bool():
            return say("yes") if value else say("no")
        case float():
            return say("{seconds:g} s", seconds=value)
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
