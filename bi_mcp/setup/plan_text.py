"""A plan as lines for a terminal. The first sign of a line says what would happen: + create, ~ update, ± replace, - delete."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import hide_logins
from bi_mcp.rest.kinds import KINDS
from bi_mcp.setup.plan import Action, Change, Plan

SIGNS: Mapping[Action, str] = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
VERBS: Mapping[Action, str] = {
    "create": text("create"),
    "update": text("update"),
    "replace": text("replace"),
    "delete": text("delete"),
}
LONGEST_VALUE = 80
DRIFTED = text("(changed on the portal)")


def render_plan(plan: Plan, portal: str | None = None) -> str:
    """The changes with their reasons, then the sums and the checksum that confirms them. `portal` is its name where not its address, empty where it was said already."""
    named = plan.portal if portal is None else portal
    lines = [say("Portal: {portal}", portal=named), ""] if named else []
    for change in plan.changes:
        lines += _change(change)
    lines += [f"! {obstacle}" for obstacle in plan.obstacles]
    lines += [f"· {note}" for note in plan.notes]
    lines.append(plan.summary())
    if plan.changes:
        lines.append(say("Checksum: {checksum}", checksum=plan.checksum))
    return "\n".join(lines) + "\n"


def value_text(value: object) -> str:
    """A value on one line, cut. Texts come from outside and are quoted."""
    if value is None:
        return say("nothing")
    text = hide_logins(json.dumps(value, ensure_ascii=False))
    printable = "".join(sign if sign.isprintable() else "�" for sign in text)
    return printable if len(printable) <= LONGEST_VALUE else f"{printable[:LONGEST_VALUE]}…"


def name_of(change: Change) -> str:
    """`dataset orders (5)`."""
    known = change.key or value_text(change.label)
    return f"{KINDS[change.group].noun} {known}{f' ({change.id})' if change.id else ''}"


def deed(change: Change) -> str:
    """The change as a verb."""
    return say(VERBS[change.action])


def _change(change: Change) -> Iterator[str]:
    sign = SIGNS[change.action]
    yield f"{sign} {deed(change)} {name_of(change)}: {' '.join(change.reasons)}"
    for field in change.fields:
        drifted = f"  {say(DRIFTED)}" if field.drifted else ""
        yield f"{sign}     {field.field}: {value_text(field.before)} → {value_text(field.after)}{drifted}"
    for consequence in change.consequences:
        yield f"{sign}     ! {consequence}"
