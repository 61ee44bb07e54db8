"""The action of `bi-mcp preview`."""

from __future__ import annotations

from typing import Any

from bi_mcp.app.app import App
from bi_mcp.cli.actions.portal import print_result
from bi_mcp.diagnostics.dataset.preview import preview_dataset


def print_preview(dataset: int, limit: int, profile: str | None, *, as_json: bool) -> None:
    """Print the first rows of a dataset."""

    async def run(app: App) -> dict[str, Any]:
        rows, sent = await preview_dataset(app.bi, app.portal.caller, dataset, limit=limit)
        if not as_json:
            # Imported here: JSON does without rich.
            from bi_mcp.cli.actions.rows import print_rows

            print_rows(rows.header, rows.rows)
        return {"header": rows.header, "rows": rows.rows, "sent": sent}

    print_result(run, profile, as_json=as_json)
