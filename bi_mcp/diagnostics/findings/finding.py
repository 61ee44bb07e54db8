"""Findings of checks, and their kinds."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say

Level = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")

Side = Literal[
    "connector",  # the service behind the four endpoints, or the system behind it
    "setup",  # connector, source or dataset on the portal: what bi-mcp changes
    "either",  # connector or setup, whichever is wrong
    "portal",  # its administrator: rights, applications, plan
    "machine",  # where bi-mcp runs
    "nobody",  # nothing is wrong
]


def _drop_properties(schema: dict[str, Any]) -> None:
    """Drop the properties of a finding from schemas: a finding explains itself, and four tools would each describe it in every chat."""
    schema.pop("properties", None)
    schema.pop("required", None)


class Finding(BaseModel):
    """One result of a check: the place, the problem and the repair. Never holds a value of a source's settings.

    `code` names its kind. `call` is the tool call that repairs it: `{"tool": name, "arguments": {…}}`; `calls` are
    several, to be made in this order.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, json_schema_extra=_drop_properties)

    code: str
    level: Level
    where: str
    what: str
    fix: str | None = None
    call: dict[str, object] | None = None
    calls: list[dict[str, object]] | None = None


class Kind(NamedTuple):
    """A kind of finding. `what` and `fix` are templates, or a kind of advice that each door words; `side` is who repairs it; `means` explains the effect to
    readers of the reference, if `what` does not. Every finding is made from a kind, so that none can be missing in the
    reference.
    """

    code: str
    level: Level
    side: Side
    what: str
    fix: str | AdviceKind
    means: str = ""

    def remedy(self, **values: object) -> str:
        """Say what to do about it, empty if nothing need be done."""
        if isinstance(self.fix, AdviceKind):
            return str(advise(self.fix, **values))
        return self.fix and say(self.fix, **values)

    def finding(
        self,
        where: str,
        *,
        said: str | None = None,
        advice: str | None = None,
        call: dict[str, object] | None = None,
        calls: list[dict[str, object]] | None = None,
        **values: object,
    ) -> Finding:
        """Make a finding with these values. `said` and `advice` replace the templates."""
        return Finding(
            code=self.code,
            level=self.level,
            where=where,
            what=say(self.what, **values) if said is None else said,
            fix=(self.remedy(**values) or None) if advice is None else advice,
            call=call,
            calls=calls,
        )


def worst(findings: list[Finding]) -> Level:
    """The most serious level among the findings."""
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")


def in_brief(verdict: str, findings: list[Finding]) -> str:
    """A verdict and what weighs: the warnings and errors in their own words."""
    serious = [finding.what for finding in findings if finding.level in {"warning", "error"}]
    return f"{verdict}. {' '.join(serious)}".rstrip()
