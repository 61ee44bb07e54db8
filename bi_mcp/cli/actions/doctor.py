"""The action of `bi-mcp doctor`."""

from __future__ import annotations

import json
import sys

import anyio
import click

from bi_mcp.app.build import examine
from bi_mcp.base.language import say, text
from bi_mcp.cli.actions.findings import print_finding
from bi_mcp.config import read_settings
from bi_mcp.diagnostics.portal.status import PortalStatus

LABELS = {
    "portal": text("portal"),
    "user": text("user"),
    "admin": text("administrator"),
    "application": text("application"),
    "scopes": text("scopes"),
    "generation": text("API generation"),
    "clock_skew_s": text("clock difference"),
}


def print_status(profiles: tuple[str, ...], *, as_json: bool) -> None:
    """Print the status of each portal."""
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
    for label, value in lines:
        click.echo(f"{label:{width}}  {value}")
    for finding in status.findings:
        print_finding(finding)


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
