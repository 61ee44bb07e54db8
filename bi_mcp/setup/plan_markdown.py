"""A plan as Markdown, for the comment of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from bi_mcp.base.language import say
from bi_mcp.setup.plan import Change, Plan
from bi_mcp.setup.plan_text import DRIFTED, SIGNS, deed, name_of, value_text


def render_markdown(plan: Plan) -> str:
    """A table of the changes, the fields folded away below, warnings in front."""
    title = say("bi-mcp plan for `{portal}`", portal=plan.portal)
    lines = [f"### {title}", "", f"**{plan.summary()}**", ""]
    consequences = (f"{name_of(change)}: {text}" for change in plan.changes for text in change.consequences)
    lines += [f"> ⚠️ {_safe(text)}" for text in (*plan.obstacles, *consequences)]
    if plan.obstacles or any(change.consequences for change in plan.changes):
        lines.append("")
    if plan.changes:
        lines += [say("| | object | why |"), "|---|---|---|"]
        lines += [
            f"| {SIGNS[change.action]} {deed(change)} | {_safe(name_of(change))} | {_safe(' '.join(change.reasons))} |"
            for change in plan.changes
        ]
        lines.append("")
        lines += [line for change in plan.changes if change.fields for line in _details(change)]
        lines.append(say("Checksum: `{checksum}`", checksum=plan.checksum))
    lines += [f"- {_safe(note)}" for note in plan.notes]
    return "\n".join(lines).rstrip() + "\n"


def _details(change: Change) -> Iterator[str]:
    yield f"<details><summary>{_safe(name_of(change))}</summary>"
    yield ""
    yield say("| field | portal | file |")
    yield "|---|---|---|"
    for field in change.fields:
        drifted = f" {say(DRIFTED)}" if field.drifted else ""
        yield f"| {_safe(field.field)} | {_safe(value_text(field.before))}{drifted} | {_safe(value_text(field.after))} |"
    yield ""
    yield "</details>"
    yield ""


def _safe(text: str) -> str:
    """Escape a title. Titles come from outside: they must neither end a cell nor become markup."""
    for sign, written in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "&#124;"),
        ("`", "&#96;"),
        ("\n", " "),
        ("@", "&#64;"),
    ):
        text = text.replace(sign, written)
    return text
