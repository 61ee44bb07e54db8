"""The steps of an undo, and their texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bi_mcp.base.language import say, text
from bi_mcp.base.quoting import quote
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.description import tell_columns
from bi_mcp.rest.kinds import KINDS

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Wire

Action = Literal["update", "recreate", "delete", "columns"]


@dataclass(frozen=True)
class UndoStep:
    """A step that reverts one entry.

    `id` is the object's id by the entry; if the object was created again since, its newer id. `values`: for an update
    the fields as they were, for a recreation the object as it was, for columns `{"delete": [code], "add": [column],
    "show": {code: visible}}`. `author` is who made the change, where that was somebody else.
    """

    entry: Entry
    action: Action
    id: int
    values: Wire = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    author: str = ""

    def __str__(self) -> str:
        about = f"{KINDS[self.entry.group].noun} {self.id} {quote(self.entry.name)}"
        if self.action == "delete":
            return say("delete {object}", object=about)
        if self.action == "recreate":
            return say("create {object} again, with a new id", object=about)
        if self.action == "update":
            return say("set {fields} of {object} back", fields=", ".join(_fields(self.values)), object=about)
        return f"{about}: {'; '.join(_columns(self.values))}"

    @property
    def affects_dependents(self) -> bool:
        """True if sources or datasets that exist now read through what is changed: nothing depends on what is made again."""
        changed = any(name == "settings" or name.startswith("url") for name in self.values)
        return self.action == "update" and changed


@dataclass(frozen=True)
class UndoPlan:
    """Steps in their order, sentences about obstacles (with one, nothing is done), and about entries that need no step."""

    steps: tuple[UndoStep, ...]
    obstacles: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def refusal(self) -> InvalidRequestError:
        """The error that says why nothing is done."""
        return InvalidRequestError(say("Nothing was sent. {reasons}", reasons=" ".join(self.obstacles)))

    @property
    def authors(self) -> list[str]:
        """The others who made the changes that would be undone."""
        return list(dict.fromkeys(step.author for step in self.steps if step.author))

    def lines(self) -> list[str]:
        """The whole plan, for a person."""
        steps = [f"- {step}{''.join(f' ({note})' for note in _remarks(step))}" for step in self.steps]
        return [*steps, *(f"! {text}" for text in self.obstacles), *(f"· {text}" for text in self.remarks)]


def _remarks(step: UndoStep) -> list[str]:
    by = [say("changed by {author}", author=step.author)] if step.author else []
    return [*by, *step.notes]


def _fields(values: Wire) -> list[str]:
    settings = values.get("settings")
    if not isinstance(settings, Mapping):
        return list(values)
    return [*(name for name in values if name != "settings"), *(f"settings.{code}" for code in settings)]


def _columns(values: Wire) -> list[str]:
    parts = []
    if values["delete"]:
        parts.append(say("delete columns {codes}", codes=", ".join(values["delete"])))
    if values["add"]:
        parts.append(say("add columns {codes} again", codes=tell_columns(values["add"])))
    for visible, said in (
        (True, text("show columns {codes} again")),
        (False, text("hide columns {codes} again")),
    ):
        codes = [code for code, shown in values["show"].items() if shown is visible]
        if codes:
            parts.append(say(said, codes=", ".join(codes)))
    return parts
