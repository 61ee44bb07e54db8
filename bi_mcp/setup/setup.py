"""The setup of a portal as a file holds it: objects by key instead of id, secrets by reference.

A field that is left out is not managed: the portal's value stays. An empty description empties it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator

from bi_mcp.base.language import say
from bi_mcp.rest.kinds import KINDS, EachKind, Group
from bi_mcp.rest.models.connector import ADDRESSES, EndpointUrl, Parameter, Title
from bi_mcp.rest.models.dataset import ColumnName, ColumnType, DatasetName, ExternalCode
from bi_mcp.rest.models.wire import CamelCased
from bi_mcp.vault.setting_values import SettingValue

VERSION = 1

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=230)]


class SetupEntry(CamelCased):
    """Base of all entries of a file. Unknown names are refused, since a misspelled one would silently not be managed."""

    model_config = ConfigDict(extra="forbid")

    @property
    def parent_key(self) -> str | None:
        """The key of the entry that this one belongs to."""
        return None


class ConnectorEntry(SetupEntry):
    """A connector: four endpoints of an external system and the parameters that its sources fill in."""

    title: Title
    description: str | None = None
    logo: Annotated[str, Field(min_length=1, description="Image URL or data: URI")]
    url_check: EndpointUrl
    url_table_list: EndpointUrl
    url_table_description: EndpointUrl
    url_data: EndpointUrl
    settings: list[Parameter] = []
    sort: StrictInt | None = None
    support_mapping: Annotated[StrictBool | None, Field(description="Newer portals only")] = None
    source_code: Annotated[str | None, Field(max_length=64, description="Newer portals only")] = None

    @property
    def addresses(self) -> list[str]:
        """The addresses that receive the values of its sources."""
        return [getattr(self, name) for name in ADDRESSES]

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        _check_once("settings: code", [parameter.code for parameter in self.settings])
        return self


class SourceEntry(SetupEntry):
    """A source: a connector plus the values of its parameters."""

    connector: Annotated[Key, Field(description="Key of a connector of this file")]
    title: Title
    description: str | None = None
    settings: Annotated[
        dict[str, SettingValue],
        Field(
            description="Parameter: value; a secret as {env: BI_MCP_SECRET_…}, {file: name} or {secret: name}"
        ),
    ] = {}
    active: Annotated[StrictBool | None, Field(description="Older portals only")] = None

    @property
    def parent_key(self) -> str | None:
        """The key of its connector."""
        return self.connector


class ColumnEntry(SetupEntry):
    """A column of a dataset. `externalCode` is its code in the external table."""

    name: ColumnName
    external_code: ExternalCode
    type: ColumnType
    visible: StrictBool = True


class DatasetEntry(SetupEntry):
    """A dataset: a table of a source. Without a `name` it is named as its key is."""

    source: Annotated[Key, Field(description="Key of a source of this file")]
    name: DatasetName | None = None
    external_code: Annotated[ExternalCode, Field(description="Code of the external table")]
    external_name: ExternalCode
    description: str | None = None
    builder_dataset: Annotated[
        StrictBool, Field(description="Whether creating it makes a BI Builder dataset, too")
    ] = True
    columns: Annotated[list[ColumnEntry], Field(min_length=1)]

    @property
    def parent_key(self) -> str | None:
        """The key of its source."""
        return self.source

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        _check_once("columns: name", [column.name for column in self.columns])
        _check_once("columns: externalCode", [column.external_code for column in self.columns])
        return self


def _check_once(what: str, values: Sequence[str]) -> None:
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise ValueError(say("{what} {values} is there more than once", what=what, values=", ".join(twice)))


class Setup(SetupEntry):
    """All that a file says. Keys are names for this file only; titles and names are what the portal shows."""

    version: Literal[1]
    connectors: dict[Key, ConnectorEntry] = {}
    sources: dict[Key, SourceEntry] = {}
    datasets: dict[Key, DatasetEntry] = {}

    def entries(self, group: Group) -> Mapping[str, ConnectorEntry | SourceEntry | DatasetEntry]:
        """The entries of a kind by key."""
        return EachKind(self.connectors, self.sources, self.datasets).of(group)

    def parent(self, group: Group, key: str) -> tuple[Group, str] | None:
        """The kind and the key of what an object of the file belongs to."""
        parent, parent_key = KINDS[group].parent, self.entries(group)[key].parent_key
        return (parent, parent_key) if parent and parent_key else None

    def dataset_name(self, key: str) -> str:
        """The name of the dataset on the portal."""
        return self.datasets[key].name or key

    def label(self, group: Group, key: str) -> str:
        """The name or title of any object of the file on the portal."""
        entry = self.entries(group)[key]
        return (entry.name or key) if isinstance(entry, DatasetEntry) else entry.title


def dangling(setup: Setup) -> Iterator[tuple[tuple[str, str, str], str]]:
    """References that lead nowhere and names given twice: the place and the problem of each."""
    for key, source in setup.sources.items():
        if source.connector not in setup.connectors:
            yield (
                ("sources", key, "connector"),
                say("there is no connector {key!r} in this file", key=source.connector),
            )
    for key, dataset in setup.datasets.items():
        if dataset.source not in setup.sources:
            yield (
                ("datasets", key, "source"),
                say("there is no source {key!r} in this file", key=dataset.source),
            )
    yield from _find_undeclared(setup)
    yield from _named_twice(setup)


def _find_undeclared(setup: Setup) -> Iterator[tuple[tuple[str, str, str], str]]:
    for key, source in setup.sources.items():
        connector = setup.connectors.get(source.connector)
        if connector is None:
            continue
        declared = [parameter.code for parameter in connector.settings]
        known = set(declared)
        unknown = [code for code in source.settings if code not in known]
        if unknown:
            yield (
                ("sources", key, "settings"),
                say(
                    "connector {key!r} declares no {codes} (declared: {declared})",
                    key=source.connector,
                    codes=", ".join(unknown),
                    declared=", ".join(declared) or "–",
                ),
            )


def _named_twice(setup: Setup) -> Iterator[tuple[tuple[str, str, str], str]]:
    first = dict[str, str]()
    for key in setup.datasets:
        name = setup.dataset_name(key)
        if name in first:
            yield (
                ("datasets", key, "name"),
                say(
                    "{name!r} is also the name of {key!r}; names are unique on a portal",
                    name=name,
                    key=first[name],
                ),
            )
        first.setdefault(name, key)
