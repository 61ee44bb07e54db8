"""The three kinds of objects: connector, source, dataset. Everything that differs between them as a fact is in this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from bi_mcp.base.language import say, say_count, text
from bi_mcp.rest.models import (
    Connector,
    ConnectorChanges,
    ConnectorFields,
    Dataset,
    DatasetChanges,
    DatasetFields,
    Source,
    SourceChanges,
    SourceFields,
)

if TYPE_CHECKING:
    from bi_mcp.rest.models.portal_object import PortalObject
    from bi_mcp.rest.models.wire import Sent

Group = Literal["connector", "source", "dataset"]

Item = TypeVar("Item", bound="PortalObject")
New = TypeVar("New", bound="Sent")
Changes = TypeVar("Changes", bound="Sent")
OfConnectors = TypeVar("OfConnectors")
OfSources = TypeVar("OfSources")
OfDatasets = TypeVar("OfDatasets")


@dataclass(frozen=True)
class ObjectKind(Generic[Item, New, Changes]):
    """One kind of objects. Fields are spelled as the API spells them.

    `received`, `new`, `changes`: models of an object that is read, created and updated. `title`: the field that names an
    object. `identity`: fields that identify one, `title` first. `required`: text and ids without which none is created.
    `not_compared`: fields that a portal may store in another form than the sent one. `secret`: fields with values that are
    never shown. `in_every_update`: fields without which newer portals refuse an update.
    """

    name: Group
    count: Callable[[int], str]
    received: type[Item]
    new: type[New]
    changes: type[Changes]
    identity: tuple[str, ...]
    required: tuple[str, ...]
    noun_text: str
    parent: Group | None = None
    parent_field: str = ""
    not_compared: frozenset[str] = field(default=frozenset())
    secret: frozenset[str] = field(default=frozenset())
    in_every_update: frozenset[str] = field(default=frozenset())

    @property
    def noun(self) -> str:
        """The noun for people, in their language. Keys, files and JSON use `name`."""
        return say(self.noun_text)

    @property
    def title(self) -> str:
        """The field that names an object."""
        return self.identity[0]

    @property
    def own_identity(self) -> tuple[str, ...]:
        """The identity within the same parent."""
        return tuple(name for name in self.identity if name != self.parent_field)


_ADDRESSES = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")

CONNECTOR = ObjectKind(
    name="connector",
    noun_text=text("connector"),
    count=lambda count: say_count("{count} connector", "{count} connectors", count),
    received=Connector,
    new=ConnectorFields,
    changes=ConnectorChanges,
    identity=("title", *_ADDRESSES),
    required=("title", "logo", *_ADDRESSES),
    not_compared=frozenset({"logo"}),
)
SOURCE = ObjectKind(
    name="source",
    noun_text=text("source"),
    count=lambda count: say_count("{count} source", "{count} sources", count),
    received=Source,
    new=SourceFields,
    changes=SourceChanges,
    identity=("title", "connectorId"),
    required=("title", "connectorId"),
    parent="connector",
    parent_field="connectorId",
    not_compared=frozenset({"active"}),
    secret=frozenset({"settings"}),
    in_every_update=frozenset({"title"}),
)
DATASET = ObjectKind(
    name="dataset",
    noun_text=text("dataset"),
    count=lambda count: say_count("{count} dataset", "{count} datasets", count),
    received=Dataset,
    new=DatasetFields,
    changes=DatasetChanges,
    identity=("name", "sourceId", "externalCode"),
    required=("name", "sourceId", "externalCode", "externalName"),
    parent="source",
    parent_field="sourceId",
)

# Parents come before their children.
KINDS: Mapping[Group, ObjectKind[Any, Any, Any]] = {kind.name: kind for kind in (CONNECTOR, SOURCE, DATASET)}


@dataclass(frozen=True)
class EachKind(Generic[OfConnectors, OfSources, OfDatasets]):
    """One value for each kind."""

    connectors: OfConnectors
    sources: OfSources
    datasets: OfDatasets

    def of(self, group: Group) -> OfConnectors | OfSources | OfDatasets:
        """Return the value of a kind."""
        each: dict[Group, OfConnectors | OfSources | OfDatasets] = {
            "connector": self.connectors,
            "source": self.sources,
            "dataset": self.datasets,
        }
        return each[group]
