"""`bi-mcp doctor`."""

from __future__ import annotations

import sys

import click

MARKS = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}


@click.command(short_help="Examine the portal and the credential.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def doctor(as_json: bool) -> None:
    r"""Say which portal this is, what the credential may do there, and what stands in the way.

    Changes nothing. Ends with status 1 when something is wrong.

    \b
    Examples:
      bi-mcp doctor
      BI_MCP_PORTAL_URL=https://portal.example BI_MCP_ACCESS_TOKEN=... bi-mcp doctor --json
    """
    import anyio

    from bi_mcp.config import read_settings
    from bi_mcp.server import examine

    status = anyio.run(examine, read_settings())
    if as_json:
        click.echo(status.model_dump_json(indent=2))
    else:
        for name, value in status.model_dump(exclude={"findings", "verdict"}, exclude_none=True).items():
            click.echo(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
        for finding in status.findings:
            click.echo(
                f" {MARKS[finding.level]} {finding.where}: {finding.what} {finding.fix or ''}".rstrip()
            )
    sys.exit(1 if status.verdict == "error" else 0)
