"""The objects that a request is about to create, written down before it is sent; after a kill they are found by this
record.

An update or a deletion that was cut off needs no record: the next plan compares with the portal. A creation does,
because sending it again would create a second object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import PlanError, StateFileError
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.setup.state import Known, State, StateDraft

if TYPE_CHECKING:
    from bi_mcp.rest.models.portal_object import PortalObject
    from bi_mcp.rest.snapshot import Snapshot


class Creation(NamedTuple):
    """An object that may have been made. `identity` are its `own_identity`, `parent` the key of what it belongs to.

    It is recognised by both, and must be newer than the newest before the request.
    """

    group: Group
    key: str
    identity: tuple[str, ...]
    parent: str | None = None
    replaces: int | None = None


class Pending(BaseModel, frozen=True, defer_build=True):
    """A request in flight since `started` (unix time). `newest` are the highest ids per group before it."""

    started: float
    newest: dict[Group, int]
    creations: list[Creation]


def parse_pending(document: Mapping[str, Any]) -> Pending:
    """Parse the record of a request. Raises `StateFileError` if it is damaged."""
    try:
        return Pending.model_validate(document)
    except ValidationError:
        raise StateFileError(
            say(
                "The file of the request that was in flight (….pending.json) is damaged. Look whether the portal has an object twice, then delete the file."
            )
        ) from None


def find_created(pending: Pending, snapshot: Snapshot, state: State) -> tuple[State, list[Creation]]:
    """Add the objects that the request made to the state; return it with the creations that were not found.

    Raises `PlanError` where more objects look like it than were to be made.
    """
    draft = StateDraft(state)
    missing = list[Creation]()
    for group in KINDS:
        creations = [creation for creation in pending.creations if creation.group == group]
        for looks in dict.fromkeys(map(_looks, creations)):
            alike = [creation for creation in creations if _looks(creation) == looks]
            wanted = [item for item in alike if not _is_known(item, snapshot, draft)]
            found = _newer(alike[0], pending, snapshot, draft)
            # If all creations were found, another object that looks like them belongs to somebody else.
            if wanted and len(found) > len(wanted):
                raise _ambiguous(wanted[0], found)
            # A batch runs in order, so the first made is the first that was asked for.
            for creation, item in zip(wanted, found, strict=False):
                if creation.replaces is not None and creation.group == "source":
                    draft.leave(creation.group, creation.replaces)
                draft.put(creation.group, creation.key, Known(id=item.id))
            missing += wanted[len(found) :]
    return draft.state(), missing


def _looks(creation: Creation) -> tuple[object, ...]:
    return (*creation.identity, creation.parent)


def _is_known(creation: Creation, snapshot: Snapshot, draft: StateDraft) -> bool:
    known = draft.known(creation.group).get(creation.key)
    return known is not None and known.id != creation.replaces and known.id in snapshot.of(creation.group)


def _newer(creation: Creation, pending: Pending, snapshot: Snapshot, draft: StateDraft) -> list[PortalObject]:
    kind = KINDS[creation.group]
    parent = draft.known(kind.parent).get(creation.parent) if kind.parent and creation.parent else None
    if kind.parent and parent is None:
        return []
    newest = pending.newest.get(creation.group, 0)
    wanted = dict(zip(kind.own_identity, map(str.strip, creation.identity), strict=True))
    if parent is not None:
        wanted[kind.parent_field] = str(parent.id)
    taken = {known.id for known in draft.known(creation.group).values()}
    return [
        item
        for id, item in sorted(snapshot.of(creation.group).items())
        if id > newest and id not in taken and _agrees(item, wanted)
    ]


def _agrees(item: PortalObject, wanted: Mapping[str, str]) -> bool:
    held = item.documented()
    return all(str(held.get(name) or "").strip() == value for name, value in wanted.items())


def _ambiguous(creation: Creation, found: Sequence[PortalObject]) -> PlanError:
    ids = ", ".join(str(item.id) for item in found)
    return PlanError(
        say(
            "{group}s.{key} was being made when the last application was cut off, and the portal has {found} new {group}s that may be it (ids {ids}). Adopt the right one.",
            group=creation.group,
            key=creation.key,
            found=len(found),
            ids=ids,
        ),
        advise(AdviceKind.ADOPT, assignment=f"{creation.group}s.{creation.key}=ID"),
    )
