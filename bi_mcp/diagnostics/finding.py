"""What a check has to say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")


def _without_properties(schema: dict[str, Any]) -> None:
    """A finding explains itself; four tools would each describe it anew in every chat."""
    schema.pop("properties", None)


class Finding(BaseModel):
    """One result of a check: where, what, and how to mend it. Never holds a value of a source's settings.

    `call` is the tool call that mends it: `{"tool": name, "arguments": {…}}`; `calls` are several, to be made in this order.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, json_schema_extra=_without_properties)

    level: Level
    where: str
    what: str
    fix: str | None = None
    call: dict[str, object] | None = None
    calls: list[dict[str, object]] | None = None


def worst(findings: list[Finding]) -> Level:
    """The gravest level among the findings."""
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")


def in_brief(verdict: str, findings: list[Finding]) -> str:
    """A verdict and what weighs: the warnings and errors in their own words."""
    grave = [finding.what for finding in findings if finding.level in {"warning", "error"}]
    return f"{verdict}. {' '.join(grave)}".rstrip()
