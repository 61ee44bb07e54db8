"""The action of `bi-mcp preview`."""

from __future__ import annotations

from typing import Any

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal import print_result
from bi_mcp.diagnostics.dataset.preview import preview_dataset
from bi_mcp.diagnostics.tables.foreign_text import texts_of_header, texts_of_rows
from bi_mcp.diagnostics.tables.suspicious_texts import warn_of


def print_preview(dataset: int, limit: int, profile: str | None, *, as_json: bool) -> None:
    """Print the first rows of a dataset."""

    async def run(app: App) -> dict[str, Any]:
        rows, types, sent, _ = await preview_dataset(app.bi, app.portal.caller, dataset, limit=limit)
        header = rows.header
        warning = warn_of([*texts_of_header(header), *texts_of_rows(header, rows.rows)])
        if not as_json:
            # Imported here: JSON does without rich.
            from bi_mcp.cli.actions.rows import print_rows

            print_rows(header, rows.rows)
            if rows.truncated:
                click.echo(say("There are more rows."))
        if warning:
            click.echo(warning, err=True)
        return {
            "header": header,
            "types": types,
            "rows": rows.rows,
            "truncated": rows.truncated,
            "sent": sent,
        }

    print_result(run, profile, as_json=as_json)
