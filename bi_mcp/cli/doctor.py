"""`bi-mcp doctor`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bi_mcp.diagnostics.portal_status import PortalStatus

MARKS = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}


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

    from bi_mcp.config import read_settings, with_options
    from bi_mcp.server import examine

    found = anyio.run(examine, with_options(read_settings(), None, None, False, profiles))
    if as_json:
        click.echo(json.dumps([status.model_dump(mode="json") for status in found], indent=2))
    else:
        for status in found:
            _print(status)
    sys.exit(1 if any(status.verdict == "error" for status in found) else 0)


def _print(status: PortalStatus) -> None:
    for name, value in status.model_dump(
        exclude={"findings", "verdict", "limits"}, exclude_none=True
    ).items():
        click.echo(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
    if status.limits is not None:
        click.echo(
            f"limits left: {status.limits.requests_left} requests at once, {status.limits.requests_per_s:g} a second"
        )
    for finding in status.findings:
        click.echo(f" {MARKS[finding.level]} {finding.where}: {finding.what} {finding.fix or ''}".rstrip())
