"""Recovery after a write that broke off: look at the portal and report its state. Nothing is ever sent a second time.

The request may still be under way when the look finds nothing, so even then only the caller may decide to send again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeGuard, TypeVar, cast

from bi_mcp.base.language import say
from bi_mcp.errors import (
    BiMcpError,
    InterruptedWriteError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest.error_codes import UNCERTAIN_CODES, look_first
from bi_mcp.rest.kinds import KINDS, Group

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.rest.methods import Method

Value = TypeVar("Value")
Wire = Mapping[str, object]
Interruption = UnreachableError | UnexpectedAnswerError | PortalError


@dataclass(frozen=True)
class Done(Generic[Value]):
    """Result of a look that showed the write's effect; `value` is the answer that the write would have given."""

    value: Value


@dataclass(frozen=True)
class NotDone:
    """Result of a look that showed something else; `what` describes it, in words that continue "… afterwards: "."""

    outcome: Literal["not_done", "partly", "unknown"]
    what: str


def may_have_happened(error: BiMcpError) -> TypeGuard[Interruption]:
    """Check whether a write that ended with this error may have taken effect."""
    if isinstance(error, UnreachableError):
        return error.may_have_happened
    if isinstance(error, UnexpectedAnswerError):
        # A proxy that answers 429 has passed nothing on.
        return error.status != 429 and not 300 <= error.status < 400
    # A portal that names another code, or none, has refused: it did not fail in the middle.
    return isinstance(error, PortalError) and error.code in UNCERTAIN_CODES


async def recover(
    called: Method, error: BiMcpError, look: Callable[[], Awaitable[Done[Value] | NotDone]]
) -> Value:
    """Return the answer that the interrupted write would have given, if the look shows its effect.

    Raises `InterruptedWriteError` in all other cases, and `error` itself where the write cannot have happened.
    """
    if not may_have_happened(error):
        raise error
    try:
        finding = await look()
    except BiMcpError as failed:
        finding = NotDone("unknown", say("the look failed too ({failed})", failed=failed))
    if isinstance(finding, Done):
        return finding.value
    raise InterruptedWriteError(
        say(
            "{method}: {error}. A look at the portal afterwards: {what}. {called}",
            method=error.method,
            error=_cause(error),
            what=finding.what,
            called=_advice(called, finding),
        ),
        method=error.method,
        outcome=finding.outcome,
    ) from error


def judge_creation(group: Group, sent: Wire, newer: Sequence[Wire]) -> Done[int] | NotDone:
    """Find the sent object among those that are newer than the newest before the call."""
    name, *others = KINDS[group].identity
    namesakes = [item for item in newer if _agree(sent[name], item.get(name))]
    ours = [item for item in namesakes if all(_agree(sent[other], item.get(other)) for other in others)]
    if not namesakes:
        return NotDone(
            "not_done",
            say("no {group} {sent} has been created so far", group=group, sent=_quote(sent[name])),
        )
    if len(ours) == len(namesakes) == 1:
        return Done(cast("int", ours[0]["id"]))
    ids = ", ".join(str(item["id"]) for item in namesakes)
    return NotDone(
        "unknown",
        say(
            "there are new {group}s {sent} that may be this one (ids {ids})",
            group=group,
            sent=_quote(sent[name]),
            ids=ids,
        ),
    )


def judge_update(group: Group, sent: Wire, found: Wire) -> Done[None] | NotDone:
    """Compare the fields that were sent with the object as it is now. Names fields, never values."""
    compared = [name for name in sent if name not in KINDS[group].not_compared]
    if not compared:
        return NotDone(
            "unknown",
            say("the {group} does not show whether {sent} changed", group=group, sent=", ".join(sent)),
        )
    return _judge({name: _agree(sent[name], found.get(name)) for name in compared})


def judge_columns(changes: Wire, columns: Sequence[Wire]) -> Done[None] | NotDone:
    """Compare the present columns with the changes: those to add, to show or hide, and to delete."""
    by_code = {column.get("externalCode"): column for column in columns}
    by_id = {column.get("id"): column for column in columns}
    parts: dict[str, bool] = {}
    for new in _wires(changes.get("add")):
        found = by_code.get(new["externalCode"], {})
        parts[say("new column {name}", name=new["name"])] = all(
            found.get(key) == value for key, value in new.items()
        )
    for change in _wires(changes.get("update")):
        found = by_id.get(change["id"], {})
        parts[say("visibility of column {id}", id=change["id"])] = found.get("visible") == change["visible"]
    for id in cast("Sequence[int]", changes.get("delete") or ()):
        parts[say("deletion of column {id}", id=id)] = id not in by_id
    return _judge(parts)


def _judge(parts: Mapping[str, bool]) -> Done[None] | NotDone:
    done = ", ".join(part for part, is_done in parts.items() if is_done)
    missing = ", ".join(part for part, is_done in parts.items() if not is_done)
    if not missing:
        return Done(None)
    if not done:
        return NotDone("not_done", say("nothing has changed so far ({missing})", missing=missing))
    return NotDone(
        "partly",
        say(
            "changed as requested: {done}; not changed, at least so far: {missing}",
            done=done,
            missing=missing,
        ),
    )


def _agree(sent: object, found: object) -> bool:
    """Compare a shown value with the sent one: settings by their codes, text without outer spaces, nothing as empty."""
    if isinstance(sent, Mapping):
        values = {item.get("code"): item.get("value") for item in _wires(found)}
        return all(values.get(code) == value for code, value in sent.items())
    if isinstance(sent, Sequence) and not isinstance(sent, str):
        return _by_code(_wires(sent)) == _by_code(_wires(found))
    if isinstance(sent, str):
        return sent.strip() == str(found or "").strip()
    return sent == found


def _by_code(parameters: Sequence[Wire]) -> Mapping[object, object]:
    return {item.get("code"): (item.get("name"), item.get("type")) for item in parameters}


def _wires(value: object) -> Sequence[Wire]:
    return cast("Sequence[Wire]", value or ())


def _quote(name: object) -> str:
    return f"“{name}”"


def _cause(error: Interruption) -> str:
    if isinstance(error, PortalError):
        return say(
            "the portal had an internal error ({code}, HTTP {status})", code=error.code, status=error.status
        )
    if isinstance(error, UnexpectedAnswerError):
        return say("the portal's answer (HTTP {status}) could not be read", status=error.status)
    return say("the portal gave no answer")


def _advice(called: Method, finding: NotDone) -> str:
    if finding.outcome == "partly":
        return say(
            "It was not sent again, and only what is missing should be. {advice}", advice=look_first(called)
        )
    known = say("It is unknown whether the change was made.") if finding.outcome == "unknown" else ""
    still = say("The portal may work on it for another minute, so it was not sent again.")
    return f"{known} {still} {look_first(called)}".strip()
