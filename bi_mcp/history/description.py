"""Entries of the history for people and machines: who did what to which object, and how it ended. Holds no value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bi_mcp.base.language import say, say_count, text
from bi_mcp.base.quoting import LONGEST_NAME, quote
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.entries import Entry, Wire, current_id, replacements
from bi_mcp.rest.kinds import KINDS, Group

OUTCOMES = {
    "done": text("done"),
    "refused": text("refused"),
    "unknown": text("unknown"),
    "begun": text("begun"),
}

# `dataset 5`, `dataset/5`, `bi://dataset/5`, and a table by its newer name.
_OBJECT = re.compile(r"(?:bi://)?([a-z]+)([ /:#]*)([0-9]{1,19})", re.IGNORECASE)
_MOST_COLUMNS = 12


def describe_entry(entry: Entry, by: str | None = None) -> dict[str, Any]:
    """Describe an entry for machines: the fields that were written, and the outcome. `by` is the entry that reverted it."""
    document = {
        "id": entry.id,
        "time": entry.at,
        "user": entry.user,
        "userName": _shorten(entry.user_name),
        "client": _shorten(entry.client),
        "subject": _shorten(entry.subject),
        "tool": entry.tool,
        "method": entry.method,
        "group": entry.group,
        "object": entry.object,
        "name": entry.name,
        "fields": _fields(entry),
        "deed": tell_deed(entry),
        "outcome": entry.outcome,
        "code": entry.code,
        "undoes": entry.undoes,
        "undoneBy": by,
        "change": entry.change,
    }
    return {name: value for name, value in document.items() if value not in (None, [])}


def tell_object(entry: Entry) -> str:
    """`dataset 5 "sales"`; the id is the one that it had then."""
    noun = KINDS[entry.group].noun
    return (
        f"{noun} {quote(entry.name)}"
        if entry.object is None
        else f"{noun} {entry.object} {quote(entry.name)}"
    )


def tell_deed(entry: Entry) -> str:
    """Say what was done to the object: `delete columns AMOUNT (amount, double); add columns AMOUNT (amount_gross, double)`."""
    if entry.operation == "fields.update":
        return "; ".join(_column_deeds(entry))
    if entry.operation == "update":
        return say("update {fields}", fields=", ".join(_fields(entry)))
    state = entry.sent if entry.operation == "add" else entry.before or {}
    deed = say("create") if entry.operation == "add" else say("delete")
    columns = state.get("fields") or ()
    count = say_count("{count} column", "{count} columns", len(columns)) if columns else ""
    return f"{deed}, {count}" if count else deed


def tell_outcome(entry: Entry, by: str | None = None) -> str:
    """Say how it ended, and by which entry it was undone."""
    code = f" {entry.code}" if entry.code else ""
    undone = say(", undone by {id}", id=by) if by else ""
    undoes = say(", undoes {id}", id=entry.undoes) if entry.undoes else ""
    return f"{say(OUTCOMES[entry.outcome])}{code}{undone}{undoes}"


def tell_author(entry: Entry) -> str:
    """`"Anna Petrova" (user 12), with "Claude"`, as far as it is known, else nothing. Names come from outside and are quoted."""
    who = [say("subject {subject}", subject=quote(entry.subject))] if entry.subject else []
    if entry.user and entry.user_name:
        who.append(say("{name} (user {id})", name=quote(entry.user_name), id=entry.user))
    elif entry.user:
        who.append(say("user {id}", id=entry.user))
    if entry.client:
        who.append(say("with {client}", client=quote(entry.client)))
    return ", ".join(who)


def tell_entry(entry: Entry, by: str | None = None) -> str:
    """Tell an entry on one line. Its names come from outside and are quoted."""
    who = filter(None, [entry.tool, tell_author(entry)])
    about = f"{tell_object(entry)}: {tell_deed(entry)}"
    return " · ".join([entry.id, entry.at[:16].replace("T", " "), *who, about, tell_outcome(entry, by)])


def tell_columns(columns: Sequence[Mapping[str, Any]]) -> str:
    """`AMOUNT (amount, double), TITLE (title, string)`, the first of many."""
    told = [_column(column) for column in columns[:_MOST_COLUMNS]]
    more = len(columns) - len(told)
    return say("{named} and {more} more", named=", ".join(told), more=more) if more else ", ".join(told)


def about_object(entries: Sequence[Entry], wanted: str) -> list[Entry]:
    """The entries about one object, also under ids that it had before an undo made it again, or about those of a name.

    `wanted` is an object as in `dataset 5`, or a part of a name. Raises `InvalidRequestError` for another kind of object.
    """
    match = _OBJECT.fullmatch(wanted.strip())
    if match is None or not (match[2] or _find_group(match[1])):
        # Also `q4` or `orders2024`: an unknown word is a mistaken kind only where a number stands apart from it.
        part = wanted.strip().casefold()
        return [entry for entry in entries if part in entry.name.casefold()]
    group, replaced = _group(match[1]), replacements(entries)
    id = current_id(replaced, group, int(match[3]))
    return [
        entry
        for entry in entries
        if entry.group == group and entry.object and current_id(replaced, group, entry.object) == id
    ]


def _find_group(word: str) -> Group | None:
    singular = word.casefold().removesuffix("s")
    named = "dataset" if singular == "table" else singular
    return next((group for group in KINDS if group == named), None)


def _group(word: str) -> Group:
    if group := _find_group(word):
        return group
    raise InvalidRequestError(
        say("There are no objects of the kind {kind}. Name one as in: dataset 5.", kind=quote(word))
    )


def _fields(entry: Entry) -> list[str]:
    settings = entry.sent.get("settings")
    fields = [name for name in entry.sent if name != "settings"]
    fields += [f"settings.{code}" for code in settings] if isinstance(settings, Mapping) else []
    return fields + (["settings"] if isinstance(settings, list) else [])


def _column_deeds(entry: Entry) -> Iterator[str]:
    before = {column["id"]: column for column in (entry.before or {}).get("fields", ())}
    deleted = [before.get(id, {"name": str(id)}) for id in entry.sent.get("delete") or ()]
    if deleted:
        yield say("delete columns {codes}", codes=tell_columns(deleted))
    if entry.sent.get("add"):
        yield say("add columns {codes}", codes=tell_columns(entry.sent["add"]))
    changes = entry.sent.get("update") or ()
    for visible, said in ((False, text("hide columns {codes}")), (True, text("show columns {codes}"))):
        named = [
            before.get(each["id"], {"name": str(each["id"])})
            for each in changes
            if bool(each["visible"]) is visible
        ]
        if named:
            yield say(said, codes=", ".join(_name(column) for column in named))


def _column(column: Wire) -> str:
    facts = [str(column[key]) for key in ("externalCode", "type") if column.get(key)]
    return f"{_name(column)} ({', '.join(map(_plain, facts))})" if facts else _name(column)


def _shorten(name: str | None) -> str | None:
    return name[:LONGEST_NAME] if name else None


def _plain(value: str) -> str:
    return value if re.fullmatch(r"[\w.\-]{1,80}", value) else quote(value)


def _name(column: Wire) -> str:
    name = str(column.get("name") or column.get("externalCode") or "")
    return name if re.fullmatch(r"\w{1,80}", name) else quote(name)
