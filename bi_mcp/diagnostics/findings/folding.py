"""Findings that are one fact, folded into one: of one kind over several columns, or of one cause at several places. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.finding import Finding

# A longer list would not be read.
MOST_PLACES = 10
MOST_TEXTS = 5

Call = Mapping[str, object]


def fold_columns(findings: Sequence[Finding]) -> list[Finding]:
    """Fold findings of one kind over several columns. Their calls become one."""
    return _fold(findings, _kind_of_columns, _over_columns)


def fold_causes(findings: Sequence[Finding], join: Callable[[Sequence[Finding]], Finding]) -> list[Finding]:
    """Fold the failures of several places by one cause."""
    return _fold(findings, lambda finding: finding.cause and (finding.code, finding.cause), join)


def fold_repeated(findings: Sequence[Finding]) -> list[Finding]:
    """Fold findings that say the same of several places."""
    return _fold(
        findings, lambda finding: (finding.code, finding.level, finding.what, finding.fix), over_places
    )


def over_places(findings: Sequence[Finding]) -> Finding:
    """The first of some findings, told of all their places."""
    first = findings[0]
    where = ", ".join(dict.fromkeys(finding.where for finding in findings))
    texts = list(dict.fromkeys(finding.what for finding in findings))
    fixes = list(dict.fromkeys(finding.fix for finding in findings if finding.fix))
    effects = [finding.effect for finding in findings if finding.effect]
    return first.model_copy(
        update={
            "where": where,
            "what": " ".join(texts),
            "fix": " ".join(fixes) or None,
            "effect": effects[0] if effects else None,
        }
    )


def _fold(
    findings: Sequence[Finding],
    key_of: Callable[[Finding], Hashable],
    join: Callable[[Sequence[Finding]], Finding],
) -> list[Finding]:
    """Join findings of one key at the place of the first. One with an empty key stays as it is."""
    groups = dict[Hashable, list[Finding]]()
    for number, finding in enumerate(findings):
        key = key_of(finding)
        groups.setdefault(number if key in {None, ""} else key, []).append(finding)
    return [group[0] if len(group) == 1 else join(group) for group in groups.values()]


def _kind_of_columns(finding: Finding) -> Hashable:
    if not finding.columns:
        return None
    tools = tuple(str(call.get("tool")) for call in finding.offered)
    return finding.code, finding.level, finding.who, tools


def _over_columns(findings: Sequence[Finding]) -> Finding:
    columns = [column for finding in findings for column in finding.columns]
    names = [f"{column.name} ({column.code})" for column in columns]
    fixes = list(dict.fromkeys(finding.fix for finding in findings if finding.fix))
    call = _join_calls([call for finding in findings for call in finding.offered])
    return findings[0].model_copy(
        update={
            "where": say("columns {names}", names=list_some(names)),
            "what": _join_texts(findings),
            "fix": " ".join(fixes[:MOST_TEXTS]) or None,
            "call": call,
            "calls": None,
            "columns": tuple(columns),
        }
    )


def _join_texts(findings: Sequence[Finding]) -> str:
    if len({finding.what for finding in findings}) == 1:
        return findings[0].what
    told = [f"{finding.columns[0].name}: {finding.what}" for finding in findings[:MOST_TEXTS]]
    rest = [finding.columns[0].name for finding in findings[MOST_TEXTS:]]
    if rest:
        told.append(say("The same of {names}.", names=list_some(rest)))
    return " ".join(told)


def list_some(names: Iterable[str], most: int = MOST_PLACES) -> str:
    """The first of some names, and how many there are besides."""
    every = list(names)
    named = ", ".join(every[:most])
    return (
        named if len(every) <= most else say("{named} and {more} more", named=named, more=len(every) - most)
    )


def _join_calls(calls: Sequence[Call]) -> dict[str, object] | None:
    """One call of what all want. They are of one tool and about one object."""
    if not calls:
        return None
    joined = dict[str, object]()
    for call in calls:
        arguments = call["arguments"]
        for name, value in arguments.items() if isinstance(arguments, Mapping) else ():
            there = joined.get(name)
            joined[name] = [*there, *value] if isinstance(there, list) and isinstance(value, list) else value
    return {"tool": calls[0]["tool"], "arguments": joined}
