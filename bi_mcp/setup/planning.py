"""Setup, portal and state -> a plan. Pure except for the values behind references, which are compared and never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text
from bi_mcp.errors import BiMcpError, SecretReferenceError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.models import Connector, Dataset, Source
from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.setup.changes import creation, deletion, replacement, update
from bi_mcp.setup.consequences import (
    Seen,
    tell_contacts,
    tell_trouble,
    tell_values,
    warn_of_losses,
    warn_of_travel,
)
from bi_mcp.setup.difference import (
    compare_connector,
    compare_dataset,
    compare_source,
    immutable_differences,
)
from bi_mcp.setup.feasibility import (
    doubtful_fields,
    doubtful_replacements,
    doubtful_types,
    names_exchanged,
    names_of_others,
    unusable_addresses,
)
from bi_mcp.setup.matching import Pairs, match
from bi_mcp.setup.plan import Change, FieldChange, Plan
from bi_mcp.setup.plan_digest import plan_digest
from bi_mcp.setup.setup import ConnectorEntry, Setup, SourceEntry
from bi_mcp.setup.state import State
from bi_mcp.vault.known_values import NOTHING_KNOWN, KnownValues
from bi_mcp.vault.travel import addresses_of, find_travel

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.vault.setting_values import SettingValue, SettingValues

CHARTS_BREAK = text("Charts and dashboards that use it break.")


@dataclass(frozen=True)
class PlanInput:
    """The input of a plan. `prune` deletes objects that the portal has and the file does not."""

    setup: Setup
    snapshot: Snapshot
    state: State
    values: SettingValues
    generation: PortalGeneration = "tables"
    prune: bool = False
    known: KnownValues = NOTHING_KNOWN

    @property
    def seen(self) -> Seen:
        """What the plan may show of plain values."""
        return Seen(self.values.shown, self.known)


def make_plan(wanted: PlanInput) -> tuple[Plan, Pairs]:
    """Compare, and put the changes into the order in which they can be made. Raises `PlanError` where an object cannot be identified."""
    pairs = match(wanted.setup, wanted.snapshot, wanted.state)
    planning = _Planning(wanted, pairs)
    changes = planning.changes()
    plan = Plan(
        portal=wanted.state.portal,
        changes=tuple(changes),
        notes=tuple(planning.notes()),
        obstacles=(*planning.obstacles, *planning.names_of_others()),
        state_digest=plan_digest(pairs, wanted.setup, wanted.snapshot, changes),
    )
    return plan, pairs


class _Planning:
    """One run over a setup: connectors, sources, datasets, then deletions."""

    def __init__(self, wanted: PlanInput, pairs: Pairs) -> None:
        self._wanted = wanted
        self._setup = wanted.setup
        self._pairs = pairs
        self._unknown = list[str]()
        self.obstacles = list[str]()

    def changes(self) -> list[Change]:
        """All changes in order. Sources are made before the datasets that move to them; a replaced object is deleted only after its successor is made."""
        connectors = [change for key in self._setup.connectors for change in self._connector(key)]
        sources = [change for key in self._setup.sources for change in self._source(key)]
        datasets = [change for key in self._setup.datasets for change in self._dataset(key)]
        gone = list(self._gone())
        # Names are unique on a portal: deletions make room before additions.
        leaving_datasets = [change for change in gone if change.group == "dataset"]
        others = [change for change in gone if change.group != "dataset"]
        return [*connectors, *sources, *leaving_datasets, *datasets, *others]

    def notes(self) -> Iterator[str]:
        """Notes that the reader should know beside the changes."""
        yield from dict.fromkeys(self._unknown)
        unmanaged = [group for group, item in self._strangers()]
        if unmanaged and not self._wanted.prune:
            counts = {group: unmanaged.count(group) for group in KINDS}
            counted = ", ".join(KINDS[group].count(count) for group, count in counts.items() if count)
            yield say(
                "The portal also has {counted} that the file does not; they stay. {advice}",
                counted=counted,
                advice=advise(AdviceKind.PRUNE),
            )
        if self._wanted.snapshot.vanished:
            yield say("Objects were deleted while the portal was read; plan again if you need them.")

    def names_of_others(self) -> Iterator[str]:
        """Obstacles from datasets that would be deleted because another table takes their name.

        With `prune` it was asked for that the datasets of a source go that the file does not have.
        """
        strangers = {item.id for _, item in self._strangers() if isinstance(item, Source)}
        of_sources = {item.id: key for key, item in self._pairs.sources.items()}
        named = {(entry.source, entry.external_code) for entry in self._setup.datasets.values()}
        unknown, renamed = dict[tuple[int, str], list[str]](), dict[int, list[str]]()
        for key, entry in self._setup.datasets.items():
            item = self._pairs.datasets.get(key)
            if item is None or item.source_id is None:
                continue
            held_table = (of_sources.get(item.source_id), item.external_code)
            if item.source_id in strangers and not self._wanted.prune:
                unknown.setdefault((item.source_id, entry.source), []).append(key)
            elif held_table in named and held_table != (entry.source, entry.external_code):
                renamed.setdefault(item.source_id, []).append(key)
        held = self._wanted.snapshot.sources
        for (id, source), keys in unknown.items():
            yield names_of_others(keys, held[id], source, is_new=source not in self._pairs.sources)
        for id, keys in renamed.items():
            yield names_exchanged(keys, held[id])

    def _connector(self, key: str) -> Iterator[Change]:
        entry = self._setup.connectors[key]
        item = self._pairs.connectors.get(key)
        if item is None:
            self.obstacles.extend(unusable_addresses(key, entry))
            self._unknown.extend(doubtful_fields(key, entry, self._wanted.generation))
            yield self._creation("connector", key)
            return
        compared = compare_connector(entry, item, self._applied_digests("connector", key))
        differing = [field.field for field in compared.fields]
        self.obstacles.extend(unusable_addresses(key, entry, differing))
        self._unknown.extend(doubtful_fields(key, entry, self._wanted.generation, differing))
        consequences = (
            *warn_of_travel(compared, item),
            *warn_of_losses(compared),
            *self._stored_secrets(key, entry, item),
        )
        yield from update(self._setup, "connector", key, item, compared, consequences)

    def _source(self, key: str) -> Iterator[Change]:
        entry = self._setup.sources[key]
        item = self._pairs.sources.get(key)
        reveal = partial(self._reveal, entry)
        if item is None:
            self._check_values(key, entry)
            yield self._creation("source", key)
            return
        connector = self._pairs.connectors.get(entry.connector)
        if self._is_replaced(key, item):
            self._check_values(key, entry)
            moved = FieldChange(
                "connector", item.connector_id, connector.id if connector else entry.connector
            )
            yield replacement(
                self._setup, "source", key, item, (moved,), say("Its datasets are created again, too.")
            )
            return
        compared = compare_source(
            entry,
            item,
            self._applied_digests("source", key),
            reveal,
            active_counts=self._wanted.generation == "classic",
        )
        self._unknown.extend(compared.unknown)
        told = tell_values(self._setup, key, {change.field for change in compared.fields}, self._wanted.seen)
        yield from update(self._setup, "source", key, item, compared, told=told)

    def _dataset(self, key: str) -> Iterator[Change]:
        entry = self._setup.datasets[key]
        item = self._pairs.datasets.get(key)
        if item is None:
            self._unknown.extend(doubtful_types(key, entry.columns, self._wanted.generation))
            yield self._creation("dataset", key)
            return
        source = self._pairs.sources.get(entry.source)
        stays = source is not None and not self._is_replaced(entry.source, source)
        fixed = tuple(
            self._with_names(change, entry.source)
            for change in immutable_differences(key, entry, item, source.id if source and stays else None)
        )
        if fixed:
            self.obstacles.extend(doubtful_replacements(key, entry.columns, self._wanted.generation))
            yield replacement(
                self._setup, "dataset", key, item, fixed, say(CHARTS_BREAK), *self._orphan(item)
            )
            return
        compared = compare_dataset(entry, item, self._applied_digests("dataset", key))
        if compared.columns.delete:
            added = compared.columns.add
            self.obstacles.extend(doubtful_replacements(key, added, self._wanted.generation))
        else:
            self._unknown.extend(doubtful_types(key, compared.columns.add, self._wanted.generation))
        lost = ", ".join(name for _, name in compared.columns.delete)
        warned = (say("Charts that use the columns {columns} break.", columns=lost),) if lost else ()
        yield from update(self._setup, "dataset", key, item, compared, warned)

    def _with_names(self, change: FieldChange, wanted: str) -> FieldChange:
        """The change of a dataset's source with names beside the ids: a source that is still to be made has only a name."""
        if change.field != "source":
            return change
        held = self._wanted.snapshot.sources.get(change.before if isinstance(change.before, int) else 0)
        return FieldChange(
            "source",
            f"{held.label} ({held.id})" if held else change.before,
            f"{wanted} ({change.after})" if change.after else wanted,
        )

    def _gone(self) -> Iterator[Change]:
        """Objects that have a successor or, with `prune`, are not in the file: datasets first."""
        leaving, order = self._wanted.state.leaving, list(KINDS)
        for group, item in sorted(self._strangers(), key=lambda pair: order.index(pair[0]), reverse=True):
            if (group, item.id) in leaving:
                yield deletion(group, item, say("It was replaced; only its deletion is left."))
            elif self._wanted.prune:
                warned = (say(CHARTS_BREAK), *self._orphan(item)) if isinstance(item, Dataset) else ()
                yield deletion(group, item, say("It is not in the file."), warned)

    def _strangers(self) -> list[tuple[Group, PortalObject]]:
        return list(self._pairs.find_unmanaged(self._wanted.snapshot))

    def _is_replaced(self, key: str, source: Source) -> bool:
        connector = self._pairs.connectors.get(self._setup.sources[key].connector)
        if source.connector_id is None:
            # If a portal does not answer the connector, that is not a reason to make the source again.
            return False
        return connector is None or connector.id != source.connector_id

    def _orphan(self, item: Dataset) -> Iterator[str]:
        if item.external_id and self._wanted.generation == "tables":
            yield say(
                "Its BI Builder dataset {id} stays behind; remove it by hand in BI Builder.",
                id=item.external_id,
            )

    def _creation(self, group: Group, key: str) -> Change:
        known = self._wanted.state.known(group).get(key)
        return creation(
            self._setup, group, key, known, *tell_contacts(self._setup, group, key, self._wanted.seen)
        )

    def _applied_digests(self, group: Group, key: str) -> Mapping[str, str]:
        known = self._wanted.state.known(group).get(key)
        return known.fields if known else {}

    def _reveal(self, entry: SourceEntry, code: str, value: SettingValue) -> Secret:
        """Reveal the value of a setting. Raises the errors of an unusable reference."""
        connector = self._setup.connectors[entry.connector]
        return self._wanted.values.resolve({code: value}, connector.settings, connector.addresses)[code]

    def _stored_secrets(self, key: str, entry: ConnectorEntry, item: Connector) -> list[str]:
        """The stored secrets that the connector would take along. If one may not go there, the plan gets an obstacle."""
        named = self._wanted.values.named
        if named is None:
            return []
        held = [source for source in self._wanted.snapshot.sources.values() if source.connector_id == item.id]
        try:
            return find_travel(named, held, addresses_of(item), entry.addresses)
        except SecretReferenceError as error:
            self.obstacles.append(f"connectors.{key}: {error}")
            return []

    def _check_values(self, key: str, entry: SourceEntry) -> None:
        """Check that every value of an object that is about to be made can be found."""
        for code, value in entry.settings.items():
            try:
                self._reveal(entry, code, value)
            except BiMcpError as error:
                connector = self._setup.connectors[entry.connector]
                told = tell_trouble(error, self._wanted.values, connector)
                self.obstacles.append(f"sources.{key}: {told}")
