"""Pure: a plan -> writes, in an order in which each finds what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bi_mcp.base.language import say, text
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.setup.plan import NO_COLUMNS, Change, ColumnChange, Plan
from bi_mcp.setup.setup import Setup

Operation = Literal["add", "update", "columns", "hide", "delete"]
WORDS: Mapping[Operation, str] = {
    "add": text('add {group} {id} "{label}"'),
    "update": text('update {group} {id} "{label}"'),
    "columns": text('change columns of {group} {id} "{label}"'),
    "hide": text('hide columns of {group} {id} "{label}"'),
    "delete": text('delete {group} {id} "{label}"'),
}


@dataclass(frozen=True)
class PlanStep:
    """One write of one object.

    A deletion has a `key` where a successor takes the place. `fields` are the names of what an update sets, `columns` what happens to columns. `hide` hides columns of a dataset that an
    earlier step made, since columns are born visible. `replaces` is the id of the object that this one takes the place of.
    """

    operation: Operation
    group: Group
    label: str
    key: str | None = None
    id: int | None = None
    fields: tuple[str, ...] = ()
    columns: ColumnChange = NO_COLUMNS
    replaces: int | None = None

    @property
    def entry_key(self) -> str:
        """The key in the setup file. Every step has one but a deletion without a successor."""
        assert self.key is not None  # noqa: S101  only such a deletion has none
        return self.key

    def __str__(self) -> str:
        return say(
            WORDS[self.operation], group=KINDS[self.group].noun, id=self.id or self.key, label=self.label
        )


def steps_of(plan: Plan, setup: Setup) -> list[PlanStep]:
    """All writes. A replaced object is deleted after its successor was made. Datasets are deleted before, because their names are unique."""
    return [
        *_each(plan, "connector"),
        *_each(plan, "source"),
        *(_deletion(change) for change in plan.of("dataset", "delete", "replace")),
        *_each(plan, "dataset"),
        # Booleans travel by themselves; among creations they would keep these out of batches.
        *_hidden(plan, setup),
        *(_deletion(change) for change in plan.of("source", "delete", "replace")),
        *(_deletion(change) for change in plan.of("connector", "delete", "replace")),
    ]


def _each(plan: Plan, group: Group) -> Iterator[PlanStep]:
    for change in plan.of(group, "create", "update", "replace"):
        if change.action == "update":
            yield from _update(change)
        else:
            assert change.key is not None  # noqa: S101  an object that is made is in the file
            yield PlanStep("add", group, change.label, change.key, replaces=change.id)


def _hidden(plan: Plan, setup: Setup) -> Iterator[PlanStep]:
    for change in plan.of("dataset", "create", "update", "replace"):
        if change.action == "update":
            made = change.columns.add
        else:
            assert change.key is not None  # noqa: S101  an object that is made is in the file
            made = tuple(setup.datasets[change.key].columns)
        if any(not column.visible for column in made):
            id = change.id if change.action == "update" else None
            yield PlanStep("hide", "dataset", change.label, change.key, id)


def _update(change: Change) -> Iterator[PlanStep]:
    names = [field.field.split(".")[0] for field in change.fields if not field.field.startswith("settings.")]
    settings = [field.field for field in change.fields if field.field.startswith("settings.")]
    fields = tuple(name for name in dict.fromkeys([*names, *settings]) if name != "columns")
    if fields:
        yield PlanStep("update", change.group, change.label, change.key, change.id, fields)
    for columns in _column_steps(change.columns):
        yield PlanStep("columns", change.group, change.label, change.key, change.id, columns=columns)


def _column_steps(columns: ColumnChange) -> Iterator[ColumnChange]:
    """Split the changes of columns. A new column may have the name or the code of a deleted one, so deletions go first, in a call of their own."""
    if columns.delete:
        yield ColumnChange(delete=columns.delete)
    if columns.add:
        yield ColumnChange(add=columns.add)
    if columns.show:
        yield ColumnChange(show=columns.show)


def _deletion(change: Change) -> PlanStep:
    return PlanStep("delete", change.group, change.label, change.key, change.id)
