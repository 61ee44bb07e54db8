"""Everything that a portal shows this application, read with as few requests as possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bi_mcp.base.language import say
from bi_mcp.base.progress import remark, report
from bi_mcp.errors import BiMcpError, MethodMissingError, NotFoundError, PortalError
from bi_mcp.rest.batch import MAX_COMMANDS
from bi_mcp.rest.envelope import unexpected_answer
from bi_mcp.rest.error_codes import ORPHANED
from bi_mcp.rest.kinds import EachKind
from bi_mcp.rest.models.connector import Connector
from bi_mcp.rest.models.dataset import Dataset
from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.models.source import Source
from bi_mcp.rest.query import PAGE_SIZE, Query

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.kind_methods import KindMethods
    from bi_mcp.rest.kinds import Group
    from bi_mcp.rest.request import Command

Item = TypeVar("Item", bound=PortalObject)
Value = TypeVar("Value")

# Pages of one list in one batch. Datasets are read one by one anyway: each page of them brings fifty reads, which fill the
# next batch. Lists that tell everything would wait for each page, so two may be asked for without knowing whether they exist.
PAGES_OF_DATASETS = 1
PAGES_OF_OTHERS = 3


@dataclass(frozen=True)
class Vanished:
    """An object that was listed and then no longer there to be read."""

    group: Group
    id: int
    label: str


@dataclass(frozen=True)
class Snapshot(EachKind[Mapping[int, Connector], Mapping[int, Source], Mapping[int, Dataset]]):
    """All objects by id, in the order of their ids: sources with their settings, datasets with their columns and `source_id`.

    A portal cannot be stopped while it is read. An object that was deleted meanwhile is left out and listed in `vanished`;
    an object may be missing when another of its group was deleted within the same second.
    """

    vanished: Sequence[Vanished] = ()


async def read_snapshot(bi: BIConnector) -> Snapshot:
    """Read everything in batches. Raises the first error of the portal, except for objects that are gone."""
    connectors = _Listing(bi.connectors, PAGES_OF_OTHERS)
    sources = _Listing(bi.sources, PAGES_OF_OTHERS)
    datasets = _Listing(bi.datasets, PAGES_OF_DATASETS)
    reading = _Reading(bi, [datasets, sources, connectors])
    await report(0, 2, "Reading the lists")
    try:
        await reading.go_on()
    except MethodMissingError:
        datasets.methods = bi.tables
        await reading.go_on()
        bi.datasets.families.use_tables()
    await reading.finish()
    return Snapshot(connectors.items, sources.items, datasets.items, reading.vanished())


class _Listing(Generic[Item]):
    """A list that is being read: the objects so far, and the way to ask for more. `ended` is the batch with its last page."""

    def __init__(self, methods: KindMethods[Item, Any, Any], pages_at_once: int) -> None:
        self.methods = methods
        self.items: dict[int, Item] = {}
        self.ended = 0
        self._last = 0
        self._pages_at_once = pages_at_once

    def ask(self) -> list[Command[list[Item]]]:
        """Ask for the pages after the last known id: page numbers would shift when something before them is deleted."""
        commands = self.methods.commands
        if not self._last:
            return [commands.page(Query())]
        pages = 1 if self.ended else self._pages_at_once
        return [commands.page(Query(filter={">id": self._last}, page=page)) for page in range(1, pages + 1)]

    def take(self, pages: Sequence[Sequence[Item]], batch: int) -> list[Item]:
        """Keep the objects of these pages. Returns those that were not known yet."""
        new = {item.id: item for page in pages for item in page if item.id not in self.items}
        self.items.update(new)
        self._last = max([self._last, *new])
        self.ended = batch if len(pages[-1]) < PAGE_SIZE else 0
        if not self.ended and not new:
            method = self.methods.commands.page(Query()).method
            raise unexpected_answer(method, 200, say("the same page for every number"))
        return list(new.values())


@dataclass
class _Reading:
    """The reading of a portal. Each batch holds the next pages of its lists and as many reads of listed objects as fit.

    `listings` are in the order of dependence: what depends on others comes before them.
    """

    bi: BIConnector
    listings: Sequence[_Listing[Any]]
    batches: int = 0
    waiting: list[tuple[_Listing[Any], Any]] = field(default_factory=list)
    gone: list[tuple[_Listing[Any], Any]] = field(default_factory=list)

    async def finish(self) -> None:
        """Go on until every list has ended and every object is read."""
        told = False
        while True:
            listed = all(listing.ended for listing in self.listings)
            if listed and not told:
                told = True
                await report(1, 2, f"Reading {len(self.waiting)} more objects in full")
            if not self.waiting and not self._unfinished():
                return
            known = sum(len(listing.items) for listing in self.listings)
            await remark(f"{known} objects so far, {len(self.waiting)} of them to be read in full")
            await self.go_on()

    async def go_on(self) -> None:
        """Send one batch."""
        pages = {listing: listing.ask() for listing in self._unfinished()}
        asked = [command for commands in pages.values() for command in commands]
        reads = self.waiting[: MAX_COMMANDS - len(asked)]
        commands = [*asked, *(listing.methods.commands.get(item.id) for listing, item in reads)]
        outcomes = await self.bi.batch(commands)
        self.batches += 1
        del self.waiting[: len(reads)]
        answered = iter([_value(outcome) for outcome in outcomes[: len(asked)]])
        for listing, commands in pages.items():
            new = listing.take([next(answered) for _ in commands], self.batches)
            self.waiting.extend((listing, item) for item in new if not _is_whole(item))
        for (listing, item), outcome in zip(reads, outcomes[len(asked) :], strict=True):
            self._take_read(listing, item, outcome)

    def _unfinished(self) -> list[_Listing[Any]]:
        """Lists that go on; after that, those that ended before a list of objects which depend on them.

        Whatever a dataset that appeared meanwhile belongs to is then listed, too.
        """
        going_on = [listing for listing in self.listings if not listing.ended]
        if going_on:
            return going_on
        ended = accumulate((listing.ended for listing in self.listings), max)
        return [listing for listing, last in zip(self.listings, ended, strict=True) if listing.ended < last]

    def _take_read(self, listing: _Listing[Any], item: Any, outcome: Any) -> None:
        if isinstance(outcome, NotFoundError):
            self.gone.append((listing, listing.items.pop(item.id)))
        elif not isinstance(outcome, PortalError) or outcome.code != ORPHANED:
            read = _value(outcome)
            # Only the list gives a dataset's source.
            missing = {name: value for name, value in item if getattr(read, name, None) is None}
            listing.items[item.id] = read.model_copy(update=missing)
        # A source whose connector is gone cannot be read: the fields from the list are kept.

    def vanished(self) -> tuple[Vanished, ...]:
        """Objects that were gone when they were to be read, what others depend on first."""
        return tuple(
            Vanished(listing.methods.kind.name, item.id, item.label)
            for listing in reversed(self.listings)
            for found, item in self.gone
            if found is listing
        )


def _is_whole(item: PortalObject) -> bool:
    """Return whether the list told all of an object: it never tells a dataset's columns, and may omit a source's values."""
    if isinstance(item, Source):
        return bool(item.settings) and all(setting.value for setting in item.settings or ())
    return isinstance(item, Connector) and item.settings is not None


def _value(outcome: Value | BiMcpError) -> Value:
    if isinstance(outcome, BiMcpError):
        raise outcome
    return outcome
