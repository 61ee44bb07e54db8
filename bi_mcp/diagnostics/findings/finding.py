"""Findings of checks, and their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text

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

# Who has to act; where several may, who acts first.
Who = Literal["you", "connector operator", "portal administrator", "host"]
_TO_WHOM: Mapping[Who, str] = {
    "you": text("You: {fix}"),
    "connector operator": text("The connector's operator: {fix}"),
    "portal administrator": text("The portal's administrator: {fix}"),
    "host": text("Where this program runs: {fix}"),
}
_WHO_ACTS: Mapping[Side, Who] = {
    "connector": "connector operator",
    "setup": "you",
    "portal": "portal administrator",
    "machine": "host",
}

# What a person sees in charts: of a dataset, or of the columns that the finding is about.
Effect = Literal[
    "no data", "no values", "some values", "wrong", "conditions", "filters", "dates", "at times", "letters"
]


class ColumnPlace(NamedTuple):
    """A dataset's column that a finding is about."""

    name: str
    code: str


def _drop_properties(schema: dict[str, Any]) -> None:
    """Drop the properties of a finding from schemas: a finding explains itself, and four tools would each describe it in every chat."""
    schema.pop("properties", None)
    schema.pop("required", None)


class Finding(BaseModel):
    """One result of a check: the place, the problem and the repair. Never holds a value of a source's settings.

    `code` names its kind, `who` has to act. `call` is the tool call that repairs it: `{"tool": name, "arguments": {…}}`;
    `calls` are several, to be made in this order.

    What readers are not shown serves to fold findings: `columns` are those it is about, `effect` is what charts show of
    them, and findings of one `cause` are one fact.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, json_schema_extra=_drop_properties)

    code: str
    level: Level
    where: str
    what: str
    who: Who | None = None
    fix: str | None = None
    call: dict[str, object] | None = None
    calls: list[dict[str, object]] | None = None
    columns: tuple[ColumnPlace, ...] = Field((), exclude=True)
    effect: Effect | None = Field(None, exclude=True)
    cause: str = Field("", exclude=True)

    @property
    def advice(self) -> str:
        """What to do, and who has to do it."""
        return say(_TO_WHOM[self.who], fix=self.fix) if self.who and self.fix else self.fix or ""

    @property
    def offered(self) -> list[dict[str, object]]:
        """The calls that repair it, in their order."""
        return self.calls or ([self.call] if self.call else [])


class Kind(NamedTuple):
    """A kind of finding. `what` and `fix` are templates, or a kind of advice that each door words; `side` is who repairs it; `means` explains the effect to
    readers of the reference, if `what` does not; `effect` is what charts show. Where either side may be wrong, `first` acts
    first. Every finding is made from a kind, so that none can be missing in the reference.
    """

    code: str
    level: Level
    side: Side
    what: str
    fix: str | AdviceKind
    means: str = ""
    effect: Effect | None = None
    first: Who = "connector operator"

    @property
    def who(self) -> Who | None:
        """Who acts first."""
        return self.first if self.side == "either" else _WHO_ACTS.get(self.side)

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
        who: Who | None = None,
        about: Sequence[ColumnPlace] = (),
        effect: Effect | None = None,
        cause: str = "",
        **values: object,
    ) -> Finding:
        """Make a finding with these values. `said` and `advice` replace the templates; `who` and `effect` what the kind says; `about` are the columns."""
        return Finding(
            code=self.code,
            level=self.level,
            where=where,
            what=say(self.what, **values) if said is None else said,
            who=who or self.who,
            fix=(self.remedy(**values) or None) if advice is None else advice,
            call=call,
            calls=calls,
            columns=tuple(about),
            effect=effect or self.effect,
            cause=cause,
        )


def worst(findings: list[Finding]) -> Level:
    """The most serious level among the findings."""
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")
