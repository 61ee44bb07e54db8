"""The object of a portal that each key means, and its fields when bi-mcp last applied it: a small file beside the
setup.

It holds no values, only digests of them. A setup works without it, too: objects are then known by their titles and
names.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import StateFileError
from bi_mcp.rest.kinds import KINDS, Group

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bi_mcp.auth.portal_identity import PortalIdentity

VERSION = 1
DIGEST_DIGITS = 16


class Known(BaseModel, frozen=True, defer_build=True):
    """An object of the portal. `fields` maps each applied field to its digest; empty where the object was only adopted."""

    id: int
    fields: dict[str, str] = {}


class State(BaseModel, frozen=True, defer_build=True):
    """A value, as it is kept; a `StateDraft` makes another of it. `portal` is the address of the portal that the ids belong to.

    `leaving` are objects that were replaced and are still to be deleted.
    """

    portal: str
    connectors: dict[str, Known] = {}
    sources: dict[str, Known] = {}
    datasets: dict[str, Known] = {}
    leaving: frozenset[tuple[Group, int]] = frozenset()

    def known(self, group: Group) -> Mapping[str, Known]:
        """The objects of a group by key."""
        known: Mapping[str, Known] = getattr(self, f"{group}s")
        return known


class StateDraft:
    """A state while it changes. A change takes as long in a large state as in a small one."""

    def __init__(self, state: State) -> None:
        self._portal = state.portal
        self._objects: dict[Group, dict[str, Known]] = {group: dict(state.known(group)) for group in KINDS}
        self._keys: dict[Group, dict[int, str]] = {
            group: {known.id: key for key, known in self._objects[group].items()} for group in KINDS
        }
        self._leaving = set(state.leaving)

    def state(self) -> State:
        """The state after all changes."""
        objects = {f"{group}s": dict(known) for group, known in self._objects.items()}
        return State.model_validate({"portal": self._portal, **objects, "leaving": self._leaving})

    def known(self, group: Group) -> Mapping[str, Known]:
        """The objects of a group by key."""
        return self._objects[group]

    def put(self, group: Group, key: str, known: Known) -> None:
        """Record an object that was created or changed. An object has one key: an older one is forgotten."""
        self._forget(group, known.id)
        replaced = self._objects[group].get(key)
        if replaced is not None:
            self._keys[group].pop(replaced.id, None)
        self._objects[group][key] = known
        self._keys[group][known.id] = key

    def adopt(self, group: Group, key: str, id: int) -> None:
        """Record an object that was found. The fields that were applied to it under this key stay known."""
        known = self._objects[group].get(key)
        if known is None or known.id != id:
            self.put(group, key, Known(id=id))

    def remove(self, group: Group, id: int) -> None:
        """Forget an object that was deleted."""
        self._forget(group, id)
        self._leaving.discard((group, id))

    def leave(self, group: Group, id: int) -> None:
        """Record that an object has a successor and is to be deleted."""
        self._leaving.add((group, id))

    def _forget(self, group: Group, id: int) -> None:
        key = self._keys[group].pop(id, None)
        if key is not None:
            del self._objects[group][key]


def digest(value: object) -> str:
    """The digest of a value in the state. Never made of a secret: a short password could be guessed from it."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_DIGITS]


def state_path(setup: Path, portal: PortalIdentity) -> Path:
    """`bi.yaml` and `https://portal.example` -> `bi.portal.example.state.json`: one for each portal that a file is applied to."""
    return setup.with_name(f"{setup.stem}.{portal.file_name}.state.json")


def belongs_to(document: Mapping[str, Any], portal: PortalIdentity) -> bool:
    """Return whether a state belongs to a portal. Older versions wrote down the host alone."""
    address = document.get("portal")
    if address == portal.host:
        return portal.has_host_file
    return portal.owns(str(address), str(document.get("member") or ""))


def to_json(state: State) -> dict[str, Any]:
    """The state as it is kept."""
    document = state.model_dump(mode="json", exclude_defaults=True)
    if state.leaving:
        document["leaving"].sort()
    return {"version": VERSION, **document}


def from_json(document: Mapping[str, Any], name: str, portal: PortalIdentity) -> State:
    """Read a state. Raises `StateFileError` for one that is damaged, newer, or of another portal."""
    if document.get("version") != VERSION:
        raise StateFileError(
            say(
                "{name} was written by another version of bi-mcp (version {document!r}). Use that version, or move the file away.",
                name=name,
                document=document.get("version"),
            )
        )
    if not belongs_to(document, portal):
        raise _of_another_portal(document, name, portal)
    try:
        state = State.model_validate({**document, "portal": portal.address})
    except ValidationError:
        raise StateFileError(
            say(
                "{name} is damaged. Take it from your repository, or delete it: objects are then known by their titles and names.",
                name=name,
            )
        ) from None
    for group in KINDS:
        _check_once(name, group, state.known(group))
    return state


def _of_another_portal(document: Mapping[str, Any], name: str, portal: PortalIdentity) -> StateFileError:
    address = document.get("portal")
    if address == portal.host:
        return StateFileError(
            say(
                '{name} names only the host {host}, and you are logged in to several portals there. If it belongs to {portal}, write that address in place of the host, as "portal"; otherwise move the file away.',
                name=name,
                host=address,
                portal=portal.address,
            )
        )
    if address == portal.address:
        return StateFileError(
            say(
                "{name} belongs to another portal, which had the address {portal} before. Its ids mean nothing here; move the file away.",
                name=name,
                portal=portal.address,
            )
        )
    return StateFileError(
        say(
            "{name} belongs to the portal {document!r}, not to {portal!r}. Its ids mean nothing there; move the file away.",
            name=name,
            document=address,
            portal=portal.address,
        )
    )


def _check_once(name: str, group: Group, known: Mapping[str, Known]) -> None:
    """Refuse a state in which two keys mean one object, as after an edit or a merge: both would then change it."""
    keys = dict[int, str]()
    for key in sorted(known):
        other = keys.setdefault(known[key].id, key)
        if other != key:
            raise StateFileError(
                say(
                    "{name}, {group}s: {other} and {key} are the same object {id}. Remove the wrong one from the file.",
                    name=name,
                    group=group,
                    other=other,
                    key=key,
                    id=known[key].id,
                )
            )
