"""A step -> the command of the REST library that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.batch import Command, Reference, encode_command
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    ConnectorFields,
    DatasetChanges,
    DatasetFields,
    NewColumn,
    ReceivedParameter,
    SourceChanges,
    SourceFields,
)
from bi_mcp.workspace.difference import wire

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.secret import Secret
    from bi_mcp.setting_values import SettingValue, SettingValues
    from bi_mcp.workspace.plan import ColumnChange
    from bi_mcp.workspace.setup import ColumnEntry, Group, Setup
    from bi_mcp.workspace.steps import Step

# Stands for an id that is not known yet while a command is only looked at.
PLACEHOLDER = 1

# Fifty of them stay below what a web server takes as one request. A logo may be a picture of a megabyte.
LONGEST_IN_BATCH = 100_000

IdOf = Callable[["Group", str], "int | Reference"]


@dataclass(frozen=True)
class Commands:
    """Builds what is sent. `tables`: the portal has the newer family."""

    bi: BIConnector
    setup: Setup
    values: SettingValues
    tables: bool

    def build(self, step: Step, id_of: IdOf) -> Command[Any]:
        """The command of a step, with references where `id_of` gives one. Raises what a wrong reference to a secret raises."""
        if step.operation == "add":
            return self._add(step, id_of)
        id = step.id or 0
        if step.operation == "delete":
            return self._delete(step.group, id)
        if step.operation == "columns":
            return self.bi.datasets.commands.update_columns(id, column_changes(step.columns))
        if step.group == "connector":
            return self.bi.connectors.commands.update(id, self.connector_changes(step))
        if step.group == "source":
            return self.bi.sources.commands.update(id, self.source_changes(step))
        return self.bi.datasets.commands.update(id, self.dataset_changes(step))

    def travels(self, step: Step) -> bool:
        """Whether a step can be part of a batch: booleans, some texts and whole pictures cannot."""
        if step.operation == "hide":
            return False
        try:
            text = encode_command(self.build(step, lambda _group, _key: PLACEHOLDER))
        except InvalidRequestError:
            return False
        return not isinstance(text, str) or len(text) <= LONGEST_IN_BATCH

    def connector_fields(self, step: Step) -> ConnectorFields:
        """What creates a connector."""
        return ConnectorFields.model_validate(wire(self.setup.connectors[step.key or ""]))

    def connector_changes(self, step: Step) -> ConnectorChanges:
        """What changes it."""
        held = wire(self.setup.connectors[step.key or ""])
        return ConnectorChanges.model_validate({name: held[name] for name in _names(step)})

    def source_fields(self, step: Step, connector_id: int) -> SourceFields:
        """What creates a source."""
        entry = self.setup.sources[step.key or ""]
        return SourceFields(
            title=entry.title,
            connector_id=connector_id,
            settings=self._revealed(step.key or "", entry.settings),
            description=entry.description,
            active=entry.active,
        )

    def source_changes(self, step: Step) -> SourceChanges:
        """What changes it: of the settings only those that differ."""
        entry = self.setup.sources[step.key or ""]
        held = wire(entry)
        plain = {name: held[name] for name in _names(step) if name != "settings"}
        codes = [name.removeprefix("settings.") for name in step.fields if name.startswith("settings.")]
        chosen = {code: entry.settings[code] for code in codes}
        settings = self._revealed(step.key or "", chosen) if codes else None
        return SourceChanges(**plain, settings=settings)

    def dataset_fields(self, step: Step, source_id: int) -> DatasetFields:
        """What creates a dataset."""
        key = step.key or ""
        entry = self.setup.datasets[key]
        return DatasetFields(
            name=self.setup.dataset_name(key),
            source_id=source_id,
            external_code=entry.external_code,
            external_name=entry.external_name,
            description=entry.description,
            fields=[_new(column) for column in entry.columns],
        )

    def dataset_changes(self, step: Step) -> DatasetChanges:
        """What changes it."""
        return DatasetChanges(description=self.setup.datasets[step.key or ""].description or "")

    def _add(self, step: Step, id_of: IdOf) -> Command[int]:
        key = step.key or ""
        if step.group == "connector":
            return self.bi.connectors.commands.add(self.connector_fields(step))
        if step.group == "source":
            made = self.bi.sources.commands.add(self.source_fields(step, PLACEHOLDER))
            return _with_parent(made, "connectorId", id_of("connector", self.setup.sources[key].connector))
        alone = self.tables and not self.setup.datasets[key].builder_dataset
        commands = self.bi.datasets.table_commands if alone else self.bi.datasets.commands
        made = commands.add(self.dataset_fields(step, PLACEHOLDER))
        return _with_parent(made, "sourceId", id_of("source", self.setup.datasets[key].source))

    def _delete(self, group: Group, id: int) -> Command[None]:
        if group == "connector":
            return self.bi.connectors.commands.delete(id)
        if group == "source":
            return self.bi.sources.commands.delete(id)
        # Where the newer family exists, dataset.delete ends with HTTP 500.
        commands = self.bi.datasets.table_commands if self.tables else self.bi.datasets.commands
        return commands.delete(id)

    def _revealed(self, key: str, settings: Mapping[str, SettingValue]) -> dict[str, Secret]:
        connector = self.setup.connectors[self.setup.sources[key].connector]
        declared = [
            ReceivedParameter(code=parameter.code, name=parameter.name) for parameter in connector.settings
        ]
        return self.values.resolve(settings, declared, connector.addresses)


def column_changes(columns: ColumnChange) -> ColumnChanges:
    """The columns of a step, as they are sent."""
    return ColumnChanges(
        delete=[id for id, _ in columns.delete] or None,
        add=[_new(column) for column in columns.add] or None,
        update=[ColumnVisibility(id=id, visible=visible) for id, visible in columns.show] or None,
    )


def _new(column: ColumnEntry) -> NewColumn:
    return NewColumn(name=column.name, external_code=column.external_code, type=column.type)


def _names(step: Step) -> list[str]:
    return list(dict.fromkeys(name.split(".")[0] for name in step.fields))


def _with_parent(command: Command[int], field: str, id: int | Reference) -> Command[int]:
    fields = command.parameters["fields"]
    assert isinstance(fields, dict)  # noqa: S101  an `add` always has some
    return replace(command, parameters={"fields": fields | {field: id}})
