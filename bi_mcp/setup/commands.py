"""A step -> what it sends, and the command of the REST library that carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.batch import BatchReference, encode_command
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    NewColumn,
)
from bi_mcp.rest.request import Command
from bi_mcp.setup.difference import wire
from bi_mcp.setup.setup import DatasetEntry, SourceEntry

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.models.wire import Sent
    from bi_mcp.setup.plan import ColumnChange
    from bi_mcp.setup.setup import ColumnEntry, Setup
    from bi_mcp.setup.steps import PlanStep
    from bi_mcp.vault.setting_values import SettingValues

# A placeholder for the id of a parent, which may be known only at the moment of sending.
PLACEHOLDER = 1

# Fifty of them stay below what a web server takes as one request. A logo may be a picture of a megabyte.
LONGEST_IN_BATCH = 100_000

IdOf = Callable[["Group", str], "int | BatchReference"]


@dataclass(frozen=True)
class SetupWrite:
    """A step with what it sends, which is nothing for a deletion, and for a `hide` not known yet.

    `refusal` is the rule of the API that it breaks.
    """

    step: PlanStep
    fields: Sent | None = None
    refusal: InvalidRequestError | None = None


@dataclass(frozen=True)
class SetupCommands:
    """Builds the commands of steps."""

    bi: BIConnector
    setup: Setup
    values: SettingValues
    generation: PortalGeneration

    def write(self, step: PlanStep) -> SetupWrite:
        """Look up what a step sends. Raises what a wrong reference to a secret raises."""
        try:
            return SetupWrite(step, self._fields(step))
        except InvalidRequestError as refusal:
            return SetupWrite(step, refusal=refusal)

    def travels(self, write: SetupWrite) -> bool:
        """Return whether a write can be part of a batch: booleans, some texts and whole pictures cannot."""
        if write.refusal is not None or write.step.operation == "hide":
            return False
        text = encode_command(self.command(write, lambda _group, _key: PLACEHOLDER))
        if isinstance(text, InvalidRequestError):
            return False
        return not isinstance(text, str) or len(text) <= LONGEST_IN_BATCH

    def command(self, write: SetupWrite, id_of: IdOf) -> Command[Any]:
        """The command of a write, with a reference to its parent where `id_of` gives one."""
        step, id = write.step, write.step.id or 0
        commands = self.bi.of(step.group).commands
        if isinstance(write.fields, ColumnChanges):
            return self.bi.datasets.commands.update_columns(id, write.fields)
        if step.operation == "delete":
            return commands.delete(id)
        if step.operation == "update":
            return commands.update(id, write.fields)
        options = {"builder_dataset": False} if self.stands_alone(step) else {}
        made = commands.add(write.fields, **options)
        parent = self.setup.parent(step.group, step.entry_key)
        if parent is None:
            return made
        fields = made.parameters["fields"]
        assert isinstance(fields, dict)  # noqa: S101  an `add` always has some
        return replace(made, parameters={"fields": fields | {KINDS[step.group].parent_field: id_of(*parent)}})

    def stands_alone(self, step: PlanStep) -> bool:
        """Return whether a dataset is made without one in BI Builder."""
        entry = self.setup.entries(step.group)[step.entry_key]
        alone = isinstance(entry, DatasetEntry) and not entry.builder_dataset
        return alone and self.generation == "tables"

    def _fields(self, step: PlanStep) -> Sent | None:
        if step.operation in {"delete", "hide"}:
            return None
        if step.operation == "columns":
            return _column_changes(step.columns)
        kind, values = KINDS[step.group], self._values(step)
        if step.operation == "add":
            new: Sent = kind.new.pick({**values, kind.parent_field: PLACEHOLDER})
            return new
        names = kind.in_every_update.union(name.split(".")[0] for name in step.fields)
        changes: Sent = kind.changes.pick({name: values[name] for name in names})
        return changes

    def _values(self, step: PlanStep) -> dict[str, Any]:
        """The entry as the API spells it; of the values behind references those that the step sets."""
        key = step.entry_key
        entry = self.setup.entries(step.group)[key]
        values = wire(entry)
        if isinstance(entry, SourceEntry):
            creates = step.operation == "add"
            chosen = {
                code: value
                for code, value in entry.settings.items()
                if creates or f"settings.{code}" in step.fields
            }
            connector = self.setup.connectors[entry.connector]
            values["settings"] = self.values.resolve(chosen, connector.settings, connector.addresses)
        if isinstance(entry, DatasetEntry):
            values |= {"name": self.setup.dataset_name(key), "fields": list(map(_new, entry.columns))}
        return values


def _column_changes(columns: ColumnChange) -> ColumnChanges:
    return ColumnChanges(
        delete=[id for id, _ in columns.delete] or None,
        add=[_new(column) for column in columns.add] or None,
        update=[ColumnVisibility(id=id, visible=visible) for id, visible in columns.show] or None,
    )


def _new(column: ColumnEntry) -> NewColumn:
    return NewColumn(name=column.name, external_code=column.external_code, type=column.type)
