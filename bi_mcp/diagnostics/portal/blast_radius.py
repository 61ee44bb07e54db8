"""The blast radius of a destructive act: the object by name and all that depends on it, through the layers.

Read from the portal with few requests. Where a list will do, the values of a source's settings are not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.base.language import say, say_count, text
from bi_mcp.base.quoting import quote
from bi_mcp.diagnostics.portal.moved_addresses import ENDPOINTS, describe_losses, describe_moves
from bi_mcp.rest.kinds import KINDS
from bi_mcp.vault.travel import tell_travel

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.models import Connector, ConnectorChanges, Dataset, Source
    from bi_mcp.vault.named_secrets import NamedSecrets

# A preview is read by a person; the state that it is bound to knows all of them.
MOST_NAMED = 20
# The API tells nothing about charts.
UNSEEN = text("Charts are not visible from here.")


@dataclass(frozen=True)
class Thing:
    """One object that would be touched. `state` shows whether it has changed; it holds no value of a setting."""

    group: str
    id: int
    name: str
    state: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.id} {quote(self.name)}"


@dataclass(frozen=True)
class BlastRadius:
    """The scope of an act. `act` names it, `consequences` are its effects, each a sentence.

    `dependents` are the objects of a portal that depend on the target; None where nobody looked for them.
    """

    act: str
    target: Thing
    dependents: Sequence[Thing] | None = ()
    consequences: Sequence[str] = ()

    def text(self) -> str:
        """The act, the objects that depend on the target, and the consequences, for a person."""
        if self.dependents is None:
            return " ".join([self.act, *self.consequences])
        groups = dict.fromkeys(thing.group for thing in self.dependents)
        named = [
            _count(group, [thing for thing in self.dependents if thing.group == group]) for group in groups
        ]
        depends = (
            say("Depends on it: {things}.", things="; ".join(named))
            if named
            else say("Nothing depends on it.")
        )
        return " ".join([self.act, depends, *self.consequences])

    def state(self) -> list[object]:
        """Everything that must still be so when the act is confirmed, fit for JSON."""
        things = [
            [thing.group, thing.id, thing.name, thing.state]
            for thing in (self.target, *(self.dependents or ()))
        ]
        return [self.act, *self.consequences, *things]


async def of_connector_deletion(bi: BIConnector, id: int) -> BlastRadius:
    """The blast radius of a connector's deletion. Raises the portal's errors, like all functions here."""
    connector = await bi.connectors.get(id)
    dependents = await _below_connector(bi, id)
    refused = say(
        "Bitrix24 refuses this while sources use the connector: datasets go first, then sources, then the connector."
    )
    return BlastRadius(
        act=say("Connector {id} {title} would be deleted.", id=id, title=quote(connector.title)),
        target=_connector(connector),
        dependents=dependents,
        consequences=[refused] if dependents else [],
    )


async def of_connector_changes(
    bi: BIConnector, id: int, changes: ConnectorChanges, named: NamedSecrets | None = None
) -> BlastRadius | None:
    """The blast radius of a connector's changes. None if they move no endpoint and drop no parameter; these need no confirmation.

    Raises `SecretReferenceError` for changes that would send a stored secret (`named`) to a host that it is not bound to.
    """
    if changes.settings is None and not any(getattr(changes, name) for name in ENDPOINTS):
        return None
    connector = await bi.connectors.get(id)
    travelling = await tell_travel(bi, connector, changes, named)
    consequences = [*describe_moves(connector, changes), *travelling, *describe_losses(connector, changes)]
    if not consequences:
        return None
    return BlastRadius(
        act=say(
            "Connector {id} {title} would be changed, and with it all its sources and datasets.",
            id=id,
            title=quote(connector.title),
        ),
        target=_connector(connector),
        dependents=await _below_connector(bi, id),
        consequences=consequences,
    )


async def of_source_deletion(bi: BIConnector, id: int) -> BlastRadius:
    """A source with its datasets."""
    source = await bi.sources.find(id)
    dependents = await _below_sources(bi, [id])
    refused = say("Bitrix24 refuses this while datasets use the source: datasets go first.")
    return BlastRadius(
        act=say(
            "Source {id} {title} would be deleted, with the credentials that it holds.",
            id=id,
            title=quote(source.title),
        ),
        target=_source(source),
        dependents=dependents,
        consequences=[refused] if dependents else [],
    )


async def of_dataset_deletion(datasets: Datasets, id: int) -> BlastRadius:
    """A dataset with its columns and, where there is one, its BI Builder dataset. What depends on it are charts, which nobody sees."""
    dataset = await datasets.get(id)
    count = len(dataset.fields or ())
    has = say_count("It has {count} column.", "It has {count} columns.", count)
    builder = _builder_of(dataset)
    if builder and await datasets.generation() == "tables":
        builder = [
            say(
                "Its BI Builder dataset {id} stays behind; remove it by hand in BI Builder.",
                id=dataset.external_id,
            )
        ]
    return BlastRadius(
        act=say("Dataset {id} {name} would be deleted.", id=id, name=quote(dataset.name)),
        target=_dataset(dataset),
        dependents=None,
        consequences=[has, *builder, say("Charts and dashboards that use it break."), say(UNSEEN)],
    )


async def of_column_deletion(datasets: Datasets, id: int, column_ids: Sequence[int]) -> BlastRadius:
    """The blast radius of a deletion of columns, which it lists by name. An id that is not a column of the dataset is marked; `update_columns` refuses it."""
    dataset = await datasets.get(id)
    names = {column.id: column.name or "" for column in dataset.fields or []}
    listed = [
        f"{column} {quote(names[column])}"
        if column in names
        else say("{id} (not a column of this dataset)", id=column)
        for column in dict.fromkeys(column_ids)
    ]
    return BlastRadius(
        act=say(
            "These columns of dataset {id} {name} would be deleted: {columns}.",
            id=id,
            name=quote(dataset.name),
            columns=", ".join(listed),
        ),
        target=_dataset(dataset),
        dependents=None,
        consequences=[*_builder_of(dataset), say("Charts that use these columns break."), say(UNSEEN)],
    )


async def find_dependents(bi: BIConnector, group: str, id: int) -> list[Thing]:
    """Find what depends on an object that is about to be changed."""
    if group == "connector":
        return await _below_connector(bi, id)
    return await _below_sources(bi, [id]) if group == "source" else []


async def _below_connector(bi: BIConnector, id: int) -> list[Thing]:
    # All fields: newer portals omit a moment that is requested by name.
    sources = [source async for source in bi.sources.iterate(filter={"connectorId": id})]
    return [*map(_source, sources), *await _below_sources(bi, [source.id for source in sources])]


async def _below_sources(bi: BIConnector, ids: list[int]) -> list[Thing]:
    if not ids:
        return []
    found = bi.datasets.iterate(filter={"@sourceId": ids})
    datasets = [dataset async for dataset in found]
    return [*map(_dataset, datasets), *(thing for dataset in datasets for thing in _builder(dataset))]


def _builder(dataset: Dataset) -> list[Thing]:
    if not dataset.external_id:
        return []
    return [Thing("BI Builder dataset", dataset.external_id, dataset.name or "")]


def _builder_of(dataset: Dataset) -> list[str]:
    return [say("Its BI Builder dataset: {dataset}.", dataset=thing) for thing in _builder(dataset)]


def _connector(connector: Connector) -> Thing:
    state = connector.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Thing("connector", connector.id, connector.title or "", state)


def _source(source: Source) -> Thing:
    state = {
        # A moment has no fractions: it does not distinguish two changes within a second.
        "description": source.description,
        "active": source.active,
        "connector": source.connector_id,
        "settings": [setting.code for setting in source.settings or []],
        "changed": source.date_update,
    }
    return Thing("source", source.id, source.title or "", state)


def _dataset(dataset: Dataset) -> Thing:
    columns = [[column.id, column.name, column.type, column.visible] for column in dataset.fields or []]
    state = {
        "description": dataset.description,
        "source": dataset.source_id,
        "changed": dataset.date_update,
        "columns": columns,
    }
    return Thing("dataset", dataset.id, dataset.name or "", state)


_COUNTED: Mapping[str, Callable[[int], str]] = {
    **{name: kind.count for name, kind in KINDS.items()},
    "BI Builder dataset": lambda count: say_count(
        "{count} BI Builder dataset", "{count} BI Builder datasets", count
    ),
}


def _count(group: str, things: Sequence[Thing]) -> str:
    named = ", ".join(str(thing) for thing in things[:MOST_NAMED])
    if len(things) > MOST_NAMED:
        named = say("{named} and {more} more", named=named, more=len(things) - MOST_NAMED)
    return f"{_COUNTED[group](len(things))} ({named})"
