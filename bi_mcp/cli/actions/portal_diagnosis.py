"""The action of `bi-mcp diagnose --all`."""

from __future__ import annotations

from typing import Any

from bi_mcp.app.app import App
from bi_mcp.cli.actions.portal import print_result
from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal


def diagnose_all(source: int | None, profile: str | None, *, as_json: bool) -> None:
    """Diagnose all datasets of a portal, or those of one source."""

    async def run(app: App) -> dict[str, Any]:
        found = await diagnose_portal(app.bi, app.portal.caller, source=source)
        if not as_json:
            # Imported here: JSON does without rich.
            from bi_mcp.cli.actions.broken_objects import print_broken_objects

            print_broken_objects(found, profile)
        return found.model_dump(exclude_none=True)

    print_result(run, profile, as_json=as_json)
