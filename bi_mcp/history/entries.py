"""The writes to a portal, each with the state before it, from which an undo is made."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from bi_mcp.auth.portal_identity import PortalIdentity, file_name_of_host
from bi_mcp.base.secret import Secret
from bi_mcp.history.journal import Journal
from bi_mcp.history.sealing import Sealer

if TYPE_CHECKING:
    from pathlib import Path

    from bi_mcp.rest.kinds import Group

Outcome = Literal["begun", "done", "refused", "unknown"]
Wire = Mapping[str, Any]
Key = tuple[str, int]

_SEALED = "sealed"


@dataclass(frozen=True, kw_only=True)
class RecordedWrite:
    """One write that is about to be sent.

    `before` is the object as the API spells it, None for a creation and where it could not be read; a source's settings are
    `{code: Secret}` there and in `sent`. `object` is the id, for a creation None. `change` is what writes share that are
    parts of one change. `user` is the portal's user and `user_name` their name; `client` is the program through which
    they called, `subject` how a foreign issuer names them. Names are foreign text.
    """

    method: str
    group: Group
    object: int | None
    name: str
    before: Wire | None
    sent: Wire
    tool: str | None = None
    undoes: str | None = None
    user: int | None = None
    user_name: str | None = None
    client: str | None = None
    subject: str | None = None
    change: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(RecordedWrite):
    """A recorded write. `at` is UTC, ISO 8601. `object` is the new id once a creation is done.

    `portal` is the login's name, `address` and `member` are the portal's identity, which older versions did not write
    down. `outcome`: "begun" where its end was not recorded, "unknown" where no answer came. `code` says why it was
    refused.
    """

    id: str
    at: str
    portal: str
    address: str | None = None
    member: str | None = None
    outcome: Outcome = "begun"
    code: str | None = None

    @property
    def operation(self) -> str:
        """`add`, `update`, `delete` or `fields.update`."""
        return self.method.split(".", 2)[-1]


# Of a newer version's entries the rest is read.
_NAMES = frozenset(each.name for each in fields(Entry))
_REQUIRED = frozenset(each.name for each in fields(Entry) if each.default is MISSING)


@dataclass(frozen=True)
class Ending:
    """The end of a write. `object` is the id that a creation answered."""

    outcome: Outcome
    code: str | None = None
    object: int | None = None


@dataclass(frozen=True)
class History:
    """The writes to one portal. Raises `OSError` and `ConfigError` where they cannot be kept.

    `older` is the journal of a version that distinguished portals by their hosts alone.
    """

    journal: Journal
    sealer: Sealer
    identity: PortalIdentity
    older: Journal

    def begin(self, entries: Sequence[Entry]) -> None:
        """Write the entries down before they are sent."""
        self.take_over()
        self.journal.append([_seal(_record(entry), self.sealer) for entry in entries])

    def end(self, endings: Mapping[str, Ending]) -> None:
        """Write down how it ended, by the entries' ids."""
        self.journal.append(
            [
                {"id": id, "outcome": ending.outcome, "code": ending.code, "object": ending.object}
                for id, ending in endings.items()
            ]
        )

    def entries(self) -> list[Entry]:
        """All writes to this portal that are still kept, the oldest first, with values as they are sealed: `{"sealed":
        …}`.

        Entries of another portal are left out: their ids mean other objects here.
        """
        self.take_over()
        found: dict[str, Entry] = {}
        for record in self.journal.read():
            entry = _merge(found.get(str(record.get("id"))), record)
            if entry is not None:
                found[entry.id] = entry
        owns = self.identity.owns_entry
        return [entry for entry in found.values() if owns(entry.portal, entry.address, entry.member)]

    def take_over(self) -> None:
        """Go on with what an older version wrote down for this portal."""
        if self.older.path != self.journal.path:
            self.older.move(self.journal.path, partial(_restamp, self.identity))

    def unseal(self, entry: Entry) -> Entry:
        """The entry with its values as secrets."""
        before = None if entry.before is None else _unseal(entry.before, self.sealer)
        return replace(entry, before=before, sent=_unseal(entry.sent, self.sealer))


def open_history(folder: Path, identity: PortalIdentity) -> History:
    """The history of a portal in the configuration folder."""
    older = Journal(folder / "history" / f"{file_name_of_host(identity.host)}.jsonl")
    return History(_journal(folder, identity), Sealer(folder / "history"), identity, older)


def move_history(folder: Path, old: PortalIdentity, new: str) -> None:
    """Go on with the history of a portal under its new address, where none has been begun there. Raises `OSError`."""
    moved = replace(old, address=new)
    history = open_history(folder, old)
    history.take_over()
    history.journal.move(_journal(folder, moved).path, partial(_restamp, old, address=new))


def _journal(folder: Path, identity: PortalIdentity) -> Journal:
    return Journal(folder / "history" / f"{identity.file_name}.jsonl")


def _restamp(
    identity: PortalIdentity, records: Sequence[dict[str, Any]], address: str | None = None
) -> list[dict[str, Any]]:
    """The records of a portal out of those of several, with its identity in each that begins a write."""
    now = {"address": address or identity.address, "member": identity.member}
    begun = [record for record in records if "method" in record]
    owned = {
        record.get("id")
        for record in begun
        if identity.owns_entry(str(record.get("portal")), record.get("address"), record.get("member"))
    }
    return [
        {**record, **now} if "method" in record else record for record in records if record.get("id") in owned
    ]


def find_undone(entries: Sequence[Entry]) -> dict[str, str]:
    """The entries that were reverted, and by which entry. What reverted one may have been reverted itself.

    A part of a change that broke off, or that only showed or hid columns, goes with the part that was reverted for it.
    """
    by_id = {entry.id: entry for entry in entries}
    reverted: dict[str, str] = {}
    changes: dict[tuple[str | None, int | None], str] = {}
    # What reverts comes after all that it reverts, so that is known before.
    for entry in reversed(entries):
        part = (entry.change, entry.object)
        goes_along = entry.outcome in {"begun", "unknown"} or set(entry.sent) == {"update"}
        if entry.change and goes_along and part in changes:
            reverted.setdefault(entry.id, changes[part])
        if entry.undoes and entry.outcome == "done" and entry.id not in reverted:
            reverted[entry.undoes] = entry.id
            undone = by_id.get(entry.undoes)
            if undone is not None:
                changes[undone.change, undone.object] = entry.id
    return reverted


def replacements(entries: Sequence[Entry]) -> dict[Key, int]:
    """Objects that an undo made again, by their old ids."""
    by_id = {entry.id: entry for entry in entries}
    found: dict[Key, int] = {}
    for entry in entries:
        reverted = by_id.get(entry.undoes or "")
        made = entry.operation == "add" and entry.outcome == "done"
        if made and reverted and reverted.operation == "delete" and reverted.object and entry.object:
            found[reverted.group, reverted.object] = entry.object
    return found


def current_id(replaced: Mapping[Key, int], group: str, id: int) -> int:
    """Follow an object through its recreations."""
    while (group, id) in replaced and replaced[group, id] > id:
        id = replaced[group, id]
    return id


@dataclass
class Stamp:
    """Makes entries of writes: when, on which portal, and under which id."""

    portal: str
    identity: PortalIdentity
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def entry(self, write: RecordedWrite) -> Entry:
        """An entry that has begun now."""
        at = self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Entry(
            **vars(write),
            id=secrets.token_hex(4),
            at=at,
            portal=self.portal,
            address=self.identity.address,
            member=self.identity.member,
        )


def _record(entry: Entry) -> dict[str, object]:
    """What is kept of an entry. Older versions read no entry that has fields unknown to them, so empty ones are left out."""
    return {name: value for name, value in vars(entry).items() if value is not None or name in _REQUIRED}


def _seal(value: Any, sealer: Sealer) -> Any:
    if isinstance(value, Secret):
        return {_SEALED: sealer.seal(value)}
    if isinstance(value, Mapping):
        return {key: _seal(part, sealer) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_seal(part, sealer) for part in value]
    return value


def _unseal(value: Any, sealer: Sealer) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {_SEALED}:
            return sealer.open(str(value[_SEALED]))
        return {key: _unseal(part, sealer) for key, part in value.items()}
    if isinstance(value, list):
        return [_unseal(part, sealer) for part in value]
    return value


def _merge(entry: Entry | None, record: Mapping[str, Any]) -> Entry | None:
    if entry is None:
        try:
            return Entry(**{name: value for name, value in record.items() if name in _NAMES})
        except TypeError:
            # The end of a write whose beginning is in a journal that was deleted.
            return None
    return replace(
        entry,
        outcome=cast("Outcome", record.get("outcome", entry.outcome)),
        code=record.get("code"),
        object=record.get("object") or entry.object,
    )
