"""The objects that a request is about to create, written down before it is sent; after a kill they are found by this
record.

An update or a deletion that was cut off needs no record: the next plan compares with the portal. A creation does,
because sending it again would create a second object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import PlanError, StateFileError
from bi_mcp.rest.groups import GROUPS, PARENTS, Group, parse_group
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.setup.matching import AnyItem, live
from bi_mcp.setup.state import Known, State, StateDraft

if TYPE_CHECKING:
    from bi_mcp.rest.snapshot import Snapshot

# The fields by which an object is recognised. It must also be newer than the newest before the request.
IDENTITY: Mapping[Group, tuple[str, ...]] = {
    "connector": ("title", "urlCheck", "urlTableList", "urlTableDescription", "urlData"),
    "source": ("title",),
    "dataset": ("name", "externalCode"),
}


@dataclass(frozen=True)
class Creation:
    """An object that may have been made. `identity` are its fields of `IDENTITY`, `parent` the key of what it belongs to."""

    group: Group
    key: str
    identity: tuple[str, ...]
    parent: str | None = None
    replaces: int | None = None


@dataclass(frozen=True)
class Pending:
    """A request in flight since `started` (unix time). `newest` are the highest ids per group before it."""

    started: float
    newest: Mapping[Group, int]
    creations: Sequence[Creation]

    def as_json(self) -> dict[str, Any]:
        """The record as JSON."""
        creations = [
            [creation.group, creation.key, list(creation.identity), creation.parent, creation.replaces]
            for creation in self.creations
        ]
        return {"started": self.started, "newest": dict(self.newest), "creations": creations}


def read_pending(document: Mapping[str, Any]) -> Pending:
    """Parse the record of a request. Raises `StateFileError` if it is damaged."""
    try:
        creations = [
            Creation(parse_group(group), str(key), tuple(map(str, identity)), parent, replaces)
            for group, key, identity, parent, replaces in document["creations"]
        ]
        newest = {parse_group(group): int(id) for group, id in document["newest"].items()}
        return Pending(float(document["started"]), newest, creations)
    except (AttributeError, KeyError, TypeError, ValueError):
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
    for group in GROUPS:
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
                _take(draft, creation, item.id)
            missing += wanted[len(found) :]
    return draft.state(), missing


def _looks(creation: Creation) -> tuple[object, ...]:
    return (*creation.identity, creation.parent)


def _is_known(creation: Creation, snapshot: Snapshot, draft: StateDraft) -> bool:
    known = draft.known(creation.group).get(creation.key)
    return known is not None and known.id != creation.replaces and known.id in live(snapshot, creation.group)


def _newer(creation: Creation, pending: Pending, snapshot: Snapshot, draft: StateDraft) -> list[AnyItem]:
    parent_group, field = PARENTS.get(creation.group, (None, ""))
    parent = draft.known(parent_group).get(creation.parent or "") if parent_group else None
    if parent_group and parent is None:
        return []
    newest = pending.newest.get(creation.group, 0)
    wanted = dict(zip(IDENTITY[creation.group], creation.identity, strict=True))
    taken = {known.id for known in draft.known(creation.group).values()}
    return [
        item
        for id, item in sorted(live(snapshot, creation.group).items())
        if id > newest
        and id not in taken
        and _agrees(item, wanted)
        and (parent is None or _wire(item).get(field) == parent.id)
    ]


def _agrees(item: AnyItem, wanted: Mapping[str, str]) -> bool:
    held = _wire(item)
    return all(str(held.get(name) or "").strip() == value.strip() for name, value in wanted.items())


def _wire(item: AnyItem) -> Mapping[str, Any]:
    identity = {"title", "name", "external_code", "connector_id", "source_id"}
    return item.model_dump(by_alias=True, include=identity.union(ADDRESSES))


def _take(draft: StateDraft, creation: Creation, id: int) -> None:
    if creation.replaces is not None and creation.group == "source":
        draft.leave(creation.group, creation.replaces)
    draft.put(creation.group, creation.key, Known(id))


def _ambiguous(creation: Creation, found: Sequence[AnyItem]) -> PlanError:
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
