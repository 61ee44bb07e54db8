"""Pure: the changes of a plan, each with its reasons and the user who changed the object last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bi_mcp.base.language import say, say_count
from bi_mcp.setup.plan import Change, FieldChange

if TYPE_CHECKING:
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.models.portal_object import PortalObject
    from bi_mcp.setup.difference import Comparison
    from bi_mcp.setup.setup import Setup
    from bi_mcp.setup.state import Known


def creation(setup: Setup, group: Group, key: str, known: Known | None, *told: str) -> Change:
    """The creation of an object that the portal does not have. `known` is the object that the key once meant; `told` goes with the reason."""
    reason = (
        say("It was {group} {id} and is gone from the portal.", group=group, id=known.id)
        if known
        else say("The portal does not have it.")
    )
    return Change("create", group, key, None, setup.label(group, key), (reason, *told))


def update(
    setup: Setup,
    group: Group,
    key: str,
    item: PortalObject,
    compared: Comparison,
    warned: tuple[str, ...] = (),
    told: Iterable[str] = (),
) -> Iterator[Change]:
    """The update of the fields that differ. Yields nothing if none do."""
    if not compared.fields and not compared.columns:
        return
    named = ", ".join(field.field for field in compared.fields)
    reasons = [
        say_count(
            "{fields} differs from the file.",
            "{fields} differ from the file.",
            len(compared.fields),
            fields=named,
        )
    ]
    by, at = item.last_change
    if any(field.drifted for field in compared.fields):
        reasons.append(_describe_drift(by, at))
    reasons += told
    yield Change(
        "update",
        group,
        key,
        item.id,
        setup.label(group, key),
        tuple(reasons),
        compared.fields,
        compared.columns,
        warned,
        by,
        at,
    )


def replacement(
    setup: Setup, group: Group, key: str, item: PortalObject, fields: tuple[FieldChange, ...], *warned: str
) -> Change:
    """The replacement of an object, because the differing fields can only be set when it is made."""
    named = ", ".join(field.field for field in fields)
    by, at = item.last_change
    return Change(
        "replace",
        group,
        key,
        item.id,
        setup.label(group, key),
        (say("{fields} can only be set at creation.", fields=named),),
        fields,
        consequences=warned,
        changed_by=by,
        changed_at=at,
    )


def deletion(group: Group, item: PortalObject, reason: str, warned: tuple[str, ...] = ()) -> Change:
    """The deletion of an object."""
    by, at = item.last_change
    return Change(
        "delete",
        group,
        None,
        item.id,
        item.label,
        (reason,),
        consequences=warned,
        changed_by=by,
        changed_at=at,
    )


def _describe_drift(by: int | None, at: str | None) -> str:
    if not by:
        return say("Changed on the portal since bi-mcp last applied it.")
    return say(
        "Changed on the portal since bi-mcp last applied it by user {id} on {moment}.", id=by, moment=at
    )
