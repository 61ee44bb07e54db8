"""Pure: entries of the history and the objects as they are now -> the steps that revert them, and the obstacles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.history.entries import Key, current_id
from bi_mcp.history.undo_notes import recreation_notes, travel_notes, update_notes
from bi_mcp.history.undo_plan import UndoPlan, UndoStep
from bi_mcp.history.world import World, find_parent
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.recovery import Done, judge_update

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Wire

# Set once: a creation that sent them cannot have been changed in them.
_IMMUTABLE = {"connectorId", "sourceId", "name", "externalCode", "externalName", "fields"}


class _Obstacle(Exception):  # noqa: N818  never leaves this module
    """The reason why an entry cannot be reverted."""


class _Nothing(Exception):  # noqa: N818  never leaves this module
    """The reason why an entry needs no step."""


def find_touched(chosen: Sequence[Entry], replaced: Mapping[Key, int]) -> set[Key]:
    """The objects whose state a plan needs to know."""
    keys: set[Key] = set()
    for entry in chosen:
        if entry.object is not None:
            keys.add((entry.group, current_id(replaced, entry.group, entry.object)))
        parent = find_parent(entry)
        if parent is not None and (entry.operation == "delete" or "settings" in entry.sent):
            keys.add((parent[0], current_id(replaced, *parent)))
    return keys


def plan_undo(chosen: Sequence[Entry], world: World) -> UndoPlan:
    """Revert the entries, given newest first and with their values opened."""
    steps: list[UndoStep] = []
    obstacles: list[str] = []
    remarks: list[str] = []
    states = dict(world.live)
    for entry in chosen:
        try:
            step = _step(entry, world, states)
        except _Obstacle as reason:
            obstacles.append(f"{_name(entry)} {reason}")
        except _Nothing as reason:
            remarks.append(f"{_name(entry)} {reason}")
        else:
            steps.append(step)
            key = (entry.group, step.id)
            states[key] = _afterwards(step, states.get(key))
    return UndoPlan(tuple(steps), tuple(obstacles), tuple(remarks))


def _step(entry: Entry, world: World, states: Mapping[Key, Wire | None]) -> UndoStep:
    if entry.outcome == "refused":
        raise _Nothing(say("was refused ({code}): nothing happened.", code=entry.code))
    if entry.object is None:
        raise _Obstacle(
            say(
                "broke off, and it is unknown whether it created an object. Look at the portal and delete it by hand."
            )
        )
    id = world.current(entry.group, entry.object)
    state = states.get((entry.group, id))
    if entry.operation == "add":
        return _deletion(entry, id, state, world)
    if entry.before is None:
        raise _Obstacle(say("cannot be reverted: the state before it could not be read."))
    if entry.operation == "delete":
        return _recreation(entry, id, state, world, states)
    if state is None:
        raise _Obstacle(
            say(
                "cannot be reverted: {group} {id} is gone. Undo its deletion first.", group=entry.group, id=id
            )
        )
    if entry.operation == "fields.update":
        return _column_step(entry, id, state)
    return _update(entry, id, state, travel_notes(entry, world, states))


def _update(entry: Entry, id: int, state: Wire, travel: Sequence[str]) -> UndoStep:
    before = entry.before or {}
    values: dict[str, Any] = {}
    changed: list[str] = []
    for place, sent, old, now in _fields(entry.sent, before, state):
        compared = place not in KINDS[entry.group].not_compared
        # The title of a source is part of every update, also of one that keeps it.
        kept = compared and _is_as_sent(entry.group, place, sent, old)
        if kept or now == old or (now or "") == (old or ""):
            continue
        if not _is_as_sent(entry.group, place, sent, now):
            changed.append(place)
        else:
            values[place] = old
    if changed:
        raise _Obstacle(
            say(
                "cannot be reverted: {fields} was changed again since. Undo that first.",
                fields=", ".join(changed),
            )
        )
    if not values:
        raise _Nothing(say("needs no step: everything is as it was before."))
    lost = [place for place, old in values.items() if old is None and place != "description"]
    if lost:
        raise _Obstacle(
            say("cannot be reverted: the portal did not report what {fields} was.", fields=", ".join(lost))
        )
    nested = _nest(values)
    notes = (*update_notes(values), *(travel if "settings" in nested else ()))
    return UndoStep(entry, "update", id, nested, notes)


def _fields(sent: Wire, before: Wire, state: Wire) -> Iterator[tuple[str, object, object, object]]:
    """The name, the sent value, the former value and the present value of each field and of each of a source's settings."""
    for name, value in sent.items():
        if name == "settings" and isinstance(value, Mapping):
            old, now = before.get(name) or {}, state.get(name) or {}
            for code, part in value.items():
                yield f"settings.{code}", part, old.get(code), now.get(code)
        else:
            yield name, value, before.get(name), state.get(name)


def _is_as_sent(group: Group, place: str, sent: object, now: object) -> bool:
    if place in KINDS[group].not_compared:
        return True
    if place.startswith("settings."):
        return sent == now
    return isinstance(judge_update(group, {place: sent}, {place: now}), Done)


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for place, value in values.items():
        name, dot, code = place.partition(".")
        if dot:
            nested.setdefault(name, {})[code] = value
        else:
            nested[name] = "" if value is None else value
    return nested


def _deletion(entry: Entry, id: int, state: Wire | None, world: World) -> UndoStep:
    if state is None:
        raise _Nothing(say("needs no step: {group} {id} is gone.", group=entry.group, id=id))
    changed = [
        place
        for place, sent, _, now in _fields(entry.sent, {}, state)
        if place not in _IMMUTABLE and not _is_as_sent(entry.group, place, sent, now)
    ]
    changed += _changed_columns(entry, state)
    if changed:
        raise _Obstacle(
            say(
                "cannot be reverted: {group} {id} was changed since ({fields}). Undo that first, or delete the object.",
                group=entry.group,
                id=id,
                fields=", ".join(changed),
            )
        )
    left = state.get("externalId") if world.generation == "tables" else None
    notes = [say("its BI Builder dataset {left} stays behind; remove it by hand", left=left)] if left else []
    return UndoStep(entry, "delete", id, notes=tuple(notes))


def _changed_columns(entry: Entry, state: Wire) -> list[str]:
    made = {column["externalCode"] for column in entry.sent.get("fields", ())}
    there = {column["externalCode"] for column in state.get("fields", ()) if column["visible"]}
    return [f"column {code}" for code in sorted(made ^ there)]


def _recreation(
    entry: Entry, id: int, state: Wire | None, world: World, states: Mapping[Key, Wire | None]
) -> UndoStep:
    before = entry.before or {}
    if state is not None:
        raise _Nothing(say("needs no step: {group} {id} exists.", group=entry.group, id=id))
    missing = [name for name in KINDS[entry.group].required if not before.get(name)]
    if missing:
        raise _Obstacle(
            say("cannot be reverted: the portal did not report its {fields}.", fields=", ".join(missing))
        )
    parent = find_parent(entry)
    if parent is not None and states.get((parent[0], world.current(*parent))) is None:
        raise _Obstacle(_without_parent(parent, world))
    return UndoStep(entry, "recreate", id, before, recreation_notes(entry, world, states))


def _without_parent(parent: Key, world: World) -> str:
    how = world.deletions_of(parent)
    group, id = parent
    if not how:
        return say("cannot be reverted: its {group} {id} is gone.", group=group, id=id)
    return say(
        "cannot be reverted: its {group} {id} is gone. Undo {entry} first.",
        group=group,
        id=id,
        entry=how[-1].id,
    )


def _column_step(entry: Entry, id: int, state: Wire) -> UndoStep:
    before = {column["id"]: column for column in (entry.before or {}).get("fields", ())}
    now = {column["externalCode"]: column for column in state.get("fields", ())}
    gone = [before[each] for each in entry.sent.get("delete") or () if each in before]
    added = {column["externalCode"]: column for column in entry.sent.get("add") or ()}
    # One that is not as it was sent may be another: it is unknown whether this write made it.
    is_sure = entry.outcome == "done"
    delete = [code for code in added if code in now and (is_sure or added[code].items() <= now[code].items())]
    left = {code: column for code, column in now.items() if code not in delete}
    add = [column for column in gone if column["externalCode"] not in left]
    taken = {column["name"] for column in left.values()}
    clash = [column["name"] for column in add if column["name"] in taken]
    if clash:
        raise _Obstacle(
            say("cannot be reverted: there is another column {names} now.", names=", ".join(clash))
        )
    show: dict[str, bool] = {}
    for change in entry.sent.get("update") or ():
        column = before.get(change["id"])
        code = column["externalCode"] if column else None
        if column is not None and code in left and left[code]["visible"] != column["visible"]:
            show[column["externalCode"]] = column["visible"]
    if not (delete or add or show):
        raise _Nothing(say("needs no step: everything is as it was before."))
    notes = (
        [
            say(
                "the columns get new ids; charts find them again by their names: look at charts and filters afterwards"
            )
        ]
        if add
        else []
    )
    return UndoStep(entry, "columns", id, {"delete": delete, "add": add, "show": show}, tuple(notes))


def _afterwards(step: UndoStep, state: Wire | None) -> Wire | None:
    """The object as it is once the step is made."""
    if step.action == "delete":
        return None
    if step.action == "recreate":
        return step.values
    held = dict(state or {})
    if step.action == "columns":
        return {**held, "fields": _columns_afterwards(step, held.get("fields", ()))}
    settings = step.values.get("settings")
    if isinstance(settings, Mapping):
        return {**held, **step.values, "settings": {**held.get("settings", {}), **settings}}
    return {**held, **step.values}


def _columns_afterwards(step: UndoStep, columns: Sequence[Wire]) -> list[Wire]:
    values = step.values
    left = [column for column in columns if column["externalCode"] not in values["delete"]]
    return [
        {**column, "visible": values["show"].get(column["externalCode"], column["visible"])}
        for column in (*left, *values["add"])
    ]


def _name(entry: Entry) -> str:
    about = f"{entry.group} {entry.object or ''}".strip()
    return f"{entry.id} ({entry.operation} of {about} {quote(entry.name)})"
