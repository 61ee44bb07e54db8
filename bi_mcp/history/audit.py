"""The audit: author, content and outcome of every write to a portal, for people and machines that watch over it. Holds no secret value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.base.secret import hide_logins
from bi_mcp.history.entries import Ending
from bi_mcp.history.journal import Journal

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Wire

# A logo is often a whole picture.
LONGEST_TEXT = 500

_BEGUN = Ending("begun")


@dataclass(frozen=True)
class Audit:
    """Two lines for each write, which differ only in the outcome: one before it is sent, one when its end is known."""

    journal: Journal

    def write(self, entries: Sequence[Entry], endings: Mapping[str, Ending] | None = None) -> None:
        """Add a line for each entry. Raises `OSError`."""
        self.journal.append([audit_line(entry, (endings or {}).get(entry.id, _BEGUN)) for entry in entries])


def audit_line(entry: Entry, ending: Ending = _BEGUN) -> dict[str, Any]:
    """Describe a write without secrets: of settings only the codes, and whether each value changes."""
    return {
        "time": entry.at,
        "id": entry.id,
        "portal": entry.portal,
        "user": entry.user,
        "userName": entry.user_name,
        "client": entry.client,
        "subject": entry.subject,
        "tool": entry.tool,
        "method": entry.method,
        "object": {"group": entry.group, "id": ending.object or entry.object, "name": entry.name},
        "before": _public_fields(entry.before, entry.before),
        "after": _public_fields(None if entry.operation == "delete" else entry.sent, entry.before),
        "undoes": entry.undoes,
        "outcome": ending.outcome,
        "code": ending.code,
    }


def _public_fields(held: Wire | None, before: Wire | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {name: _shown_field(name, value, held is before, before) for name, value in held.items()}


def _shown_field(name: str, value: object, is_before: bool, before: Wire | None) -> object:
    if name == "settings" and isinstance(value, Mapping):
        if is_before:
            return sorted(value)
        old = (before or {}).get("settings") or {}
        return {
            code: "same" if code in old and old[code] == new else "changed" for code, new in value.items()
        }
    if not isinstance(value, str):
        return value
    return f"{value[:40]}… ({len(value)} characters)" if len(value) > LONGEST_TEXT else hide_logins(value)
