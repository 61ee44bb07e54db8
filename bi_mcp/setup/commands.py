"""A step -> what it sends, and the command of the REST library that carries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.batch import BatchReference, Command, encode_command
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    ConnectorFields,
    DatasetChanges,
    DatasetFields,
    NewColumn,
    SourceChanges,
    SourceFields,
)
from bi_mcp.setup.difference import wire

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.groups import Group
    from bi_mcp.setup.plan import ColumnChange
    from bi_mcp.setup.setup import ColumnEntry, Setup
    from bi_mcp.setup.steps import PlanStep
    from bi_mcp.vault.setting_values import SettingValue, SettingValues

# A placeholder for the id of a parent, which may be known only at the moment of sending.
PLACEHOLDER = 1

# Fifty of them stay below what a web server takes as one request. A logo may be a picture of a megabyte.
LONGEST_IN_BATCH = 100_000

IdOf = Callable[["Group", str], "int | BatchReference"]

Creation = ConnectorFields | SourceFields | DatasetFields
Update = ConnectorChanges | SourceChanges | DatasetChanges


@dataclass(frozen=True)
class SetupWrite:
    """A step with what it sends, which is nothing for a deletion, and for a `hide` not known yet.

    `refusal` is the rule of the API that it breaks.
    """

    step: PlanStep
    fields: Creation | Update | ColumnChanges | None = None
    refusal: InvalidRequestError | None = None


@dataclass(frozen=True)
class SetupCommands:
    """Builds the commands of steps. `tables`: the portal has the newer family."""

    bi: BIConnector
    setup: Setup
    values: SettingValues
    tables: bool

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
        try:
            text = encode_command(self.command(write, lambda _group, _key: PLACEHOLDER))
        except InvalidRequestError:
            return False
        return not isinstance(text, str) or len(text) <= LONGEST_IN_BATCH

    def command(self, write: SetupWrite, id_of: IdOf) -> Command[Any]:
        """The command of a write, with a reference to its parent where `id_of` gives one."""
        id = write.step.id or 0
        match write.fields:
            case ConnectorFields() | SourceFields() | DatasetFields() as fields:
                return self._add(write.step, fields, id_of)
            case ColumnChanges() as columns:
                return self.bi.datasets.commands.update_columns(id, columns)
            case None:
                return self._delete(write.step.group, id)
            case changes:
                return self._update(id, changes)

    def stands_alone(self, step: PlanStep) -> bool:
        """Return whether a dataset is made without one in BI Builder."""
        return self.tables and not self.setup.datasets[step.key or ""].builder_dataset

    def _fields(self, step: PlanStep) -> Creation | Update | ColumnChanges | None:
        if step.operation in {"delete", "hide"}:
            return None
        if step.operation == "columns":
            return _column_changes(step.columns)
        adds = step.operation == "add"
        if step.group == "connector":
            return self._connector_fields(step) if adds else self._connector_changes(step)
        if step.group == "source":
            return self._source_fields(step) if adds else self._source_changes(step)
        return self._dataset_fields(step) if adds else self._dataset_changes(step)

    def _connector_fields(self, step: PlanStep) -> ConnectorFields:
        return ConnectorFields.model_validate(wire(self.setup.connectors[step.key or ""]))

    def _connector_changes(self, step: PlanStep) -> ConnectorChanges:
        held = wire(self.setup.connectors[step.key or ""])
        return ConnectorChanges.model_validate({name: held[name] for name in _names(step)})

    def _source_fields(self, step: PlanStep) -> SourceFields:
        entry = self.setup.sources[step.key or ""]
        return SourceFields(
            title=entry.title,
            connector_id=PLACEHOLDER,
            settings=self._reveal(step.key or "", entry.settings),
            description=entry.description,
            active=entry.active,
        )

    def _source_changes(self, step: PlanStep) -> SourceChanges:
        """The changes of a source: the differing fields and settings, and the title, which newer portals demand."""
        entry = self.setup.sources[step.key or ""]
        held = wire(entry)
        plain = {name: held[name] for name in _names(step) if name != "settings"}
        codes = [name.removeprefix("settings.") for name in step.fields if name.startswith("settings.")]
        chosen = {code: entry.settings[code] for code in codes}
        settings = self._reveal(step.key or "", chosen) if codes else None
        return SourceChanges(**{**plain, "title": entry.title}, settings=settings)

    def _dataset_fields(self, step: PlanStep) -> DatasetFields:
        key = step.key or ""
        entry = self.setup.datasets[key]
        return DatasetFields(
            name=self.setup.dataset_name(key),
            source_id=PLACEHOLDER,
            external_code=entry.external_code,
            external_name=entry.external_name,
            description=entry.description,
            fields=[_new(column) for column in entry.columns],
        )

    def _dataset_changes(self, step: PlanStep) -> DatasetChanges:
        return DatasetChanges(description=self.setup.datasets[step.key or ""].description or "")

    def _add(self, step: PlanStep, fields: Creation, id_of: IdOf) -> Command[int]:
        key = step.key or ""
        if isinstance(fields, ConnectorFields):
            return self.bi.connectors.commands.add(fields)
        if isinstance(fields, SourceFields):
            made = self.bi.sources.commands.add(fields)
            return _with_parent(made, "connectorId", id_of("connector", self.setup.sources[key].connector))
        alone = self.stands_alone(step)
        commands = self.bi.datasets.table_commands if alone else self.bi.datasets.commands
        return _with_parent(
            commands.add(fields), "sourceId", id_of("source", self.setup.datasets[key].source)
        )

    def _update(self, id: int, changes: Update) -> Command[None]:
        if isinstance(changes, ConnectorChanges):
            return self.bi.connectors.commands.update(id, changes)
        if isinstance(changes, SourceChanges):
            return self.bi.sources.commands.update(id, changes)
        return self.bi.datasets.commands.update(id, changes)

    def _delete(self, group: Group, id: int) -> Command[None]:
        if group == "connector":
            return self.bi.connectors.commands.delete(id)
        if group == "source":
            return self.bi.sources.commands.delete(id)
        # Where the newer family exists, dataset.delete ends with HTTP 500.
        commands = self.bi.datasets.table_commands if self.tables else self.bi.datasets.commands
        return commands.delete(id)

    def _reveal(self, key: str, settings: Mapping[str, SettingValue]) -> dict[str, Secret]:
        connector = self.setup.connectors[self.setup.sources[key].connector]
        return self.values.resolve(settings, connector.settings, connector.addresses)


def _column_changes(columns: ColumnChange) -> ColumnChanges:
    return ColumnChanges(
        delete=[id for id, _ in columns.delete] or None,
        add=[_new(column) for column in columns.add] or None,
        update=[ColumnVisibility(id=id, visible=visible) for id, visible in columns.show] or None,
    )


def _new(column: ColumnEntry) -> NewColumn:
    return NewColumn(name=column.name, external_code=column.external_code, type=column.type)


def _names(step: PlanStep) -> list[str]:
    return list(dict.fromkeys(name.split(".")[0] for name in step.fields))


def _with_parent(command: Command[int], field: str, id: int | BatchReference) -> Command[int]:
    fields = command.parameters["fields"]
    assert isinstance(fields, dict)  # noqa: S101  an `add` always has some
    return replace(command, parameters={"fields": fields | {field: id}})
