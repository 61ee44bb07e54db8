"""Pure: the object of the portal that each key of a setup means.

The state's id decides. Without one, an object is known by its title (a source: within its connector) or, a dataset, by
its name, which is unique on a portal. Where two objects are possible, neither is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import PlanError
from bi_mcp.rest.kinds import KINDS, EachKind, Group
from bi_mcp.rest.models import Connector, Dataset, Source
from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import State, StateDraft

Item = TypeVar("Item", Connector, Source, Dataset)
Grouped = TypeVar("Grouped")


class Pairs(EachKind[Mapping[str, Connector], Mapping[str, Source], Mapping[str, Dataset]]):
    """The portal's objects by key. A key that is missing here is still to be created."""

    def find_unmanaged(self, snapshot: Snapshot) -> Iterator[tuple[Group, PortalObject]]:
        """Objects that the portal has and the file does not."""
        for group in KINDS:
            paired = {item.id for item in self.of(group).values()}
            for item in snapshot.of(group).values():
                if item.id not in paired:
                    yield group, item


def match(setup: Setup, snapshot: Snapshot, state: State) -> Pairs:
    """Pair keys with objects. Raises `PlanError` where a title fits several, with the command that decides."""
    connectors = _Matching("connector", setup.connectors, snapshot.connectors, state).pair(
        lambda key: setup.connectors[key].title, lambda item: item.title
    )

    def place(key: str) -> object:
        connector = connectors.get(setup.sources[key].connector)
        return (setup.sources[key].title, connector.id if connector else None)

    sources = _Matching("source", setup.sources, snapshot.sources, state).pair(
        place, lambda item: (item.title, item.connector_id)
    )
    datasets = _Matching("dataset", setup.datasets, snapshot.datasets, state).pair(
        setup.dataset_name, lambda item: item.name
    )
    return Pairs(connectors, sources, datasets)


def add_pairs(pairs: Pairs, state: State) -> State:
    """The state with the objects that were matched by name added."""
    draft = StateDraft(state)
    for group in KINDS:
        for key, item in pairs.of(group).items():
            draft.adopt(group, key, item.id)
    return draft.state()


@dataclass(frozen=True)
class _Matching(Generic[Item]):
    group: Group
    keys: Mapping[str, object]
    items: Mapping[int, Item]
    state: State

    def pair(self, wanted: Callable[[str], object], shown: Callable[[Item], object]) -> dict[str, Item]:
        """Pair by the state's ids, then by what a key wants and an object shows."""
        known = self.state.known(self.group)
        by_id = {
            key: self.items[known[key].id]
            for key in self.keys
            if key in known and known[key].id in self.items
        }
        taken = {item.id for item in by_id.values()} | {
            id for group, id in self.state.leaving if group == self.group
        }
        # The file no longer has their keys. One of them is what a new key means only where nothing else can be meant.
        left = {item.id for item in known.values()} - taken
        free = _group_by((item for item in self.items.values() if item.id not in taken), shown)
        by_name = dict[str, Item]()
        for name, namesakes in _group_by((key for key in self.keys if key not in by_id), wanted).items():
            alike = free.get(name, [])
            strangers = [item for item in alike if item.id not in left]
            renamed = not strangers and len(alike) == len(namesakes)
            by_name.update(self._decide(namesakes, alike if renamed else strangers))
        pairs = {**by_id, **by_name}
        return {key: pairs[key] for key in self.keys if key in pairs}

    def _decide(self, namesakes: list[str], found: list[Item]) -> dict[str, Item]:
        """Pair as many objects as keys in their order, which is that of an export."""
        if not found or len(found) == len(namesakes):
            return dict(zip(namesakes, found, strict=False))
        ids = ", ".join(str(item.id) for item in found)
        keys = ", ".join(f"{self.group}s.{key}" for key in namesakes)
        raise PlanError(
            say(
                "{keys}: the portal has {found} {group}s of that name (ids {ids}), and it is unclear which one is meant. Give them different titles, or adopt one.",
                keys=keys,
                found=len(found),
                group=self.group,
                ids=ids,
            ),
            advise(AdviceKind.ADOPT, assignment=f"{self.group}s.{namesakes[0]}=ID"),
        )


def _group_by(members: Iterable[Grouped], name: Callable[[Grouped], object]) -> dict[object, list[Grouped]]:
    groups = dict[object, list[Grouped]]()
    for member in members:
        groups.setdefault(name(member), []).append(member)
    return groups
