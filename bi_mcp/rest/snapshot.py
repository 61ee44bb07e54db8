"""Everything that a portal shows this application, read with as few requests as possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from anyio.lowlevel import checkpoint

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

# Pages that the first batch asks for without knowing whether they exist: an empty one costs the portal little, one more
# request costs half a second of its limit. Together they fill the batch.
FIRST_DATASET_PAGES = 35
FIRST_SOURCE_PAGES = 10
FIRST_CONNECTOR_PAGES = 5


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
    listed_connectors = _Listing(bi.connectors, FIRST_CONNECTOR_PAGES)
    listed_sources = _Listing(bi.sources, FIRST_SOURCE_PAGES)
    listed_datasets = _Listing(bi.datasets, FIRST_DATASET_PAGES)
    # Dependent objects are listed first and read last: the source of a dataset that appears meanwhile is then listed, too.
    listings: list[_Listing[Any]] = [listed_datasets, listed_sources, listed_connectors]
    await report(0, 2, "Reading the lists")
    try:
        await _read_pages(bi, listings)
    except MethodMissingError:
        listed_datasets.methods = bi.tables
        await _read_pages(bi, listings)
        bi.datasets.families.use_tables()
    shallow = [*listed_connectors.shallow(), *listed_sources.shallow(), *listed_datasets.shallow()]
    await report(1, 2, f"Reading {len(shallow)} objects in full")
    vanished = await _read_details(bi, shallow)
    return Snapshot(listed_connectors.items, listed_sources.items, listed_datasets.items, vanished)


class _Listing(Generic[Item]):
    """A list that is being read: the objects so far, and the way to ask for more."""

    def __init__(self, methods: KindMethods[Item, Any, Any], first_pages: int) -> None:
        self.methods = methods
        self.items: dict[int, Item] = {}
        self.complete = False
        self._first_pages = first_pages

    def ask(self, share: int) -> list[Command[list[Item]]]:
        """Ask for the pages after the last known id: page numbers would shift when something before them is deleted."""
        commands, last = self.methods.commands, max(self.items, default=0)
        if not last:
            return [commands.page(Query(page=page)) for page in range(1, self._first_pages + 1)]
        return [commands.page(Query(filter={">id": last}, page=page)) for page in range(1, share + 1)]

    def take(self, asked: Command[list[Item]], pages: Sequence[Sequence[Item]]) -> None:
        known = len(self.items)
        self.items.update((item.id, item) for page in pages for item in page)
        self.complete = len(pages[-1]) < PAGE_SIZE
        if not self.complete and len(self.items) == known:
            raise unexpected_answer(asked.method, 200, say("the same page for every number"))

    def shallow(self) -> list[tuple[_Listing[Any], Any]]:
        """Objects that the list gives in part only: it may omit a source's values, and it always omits the columns."""
        return [
            (self, item)
            for item in self.items.values()
            if not isinstance(item, Connector) or item.settings is None
        ]


async def _read_pages(bi: BIConnector, listings: Sequence[_Listing[Any]]) -> None:
    while unfinished := [listing for listing in listings if not listing.complete]:
        await remark(f"Reading lists; {sum(len(listing.items) for listing in listings)} objects so far")
        asked = [listing.ask(MAX_COMMANDS // len(unfinished)) for listing in unfinished]
        outcomes = await bi.batch([command for commands in asked for command in commands])
        pages = iter([_value(outcome) for outcome in outcomes])
        for listing, commands in zip(unfinished, asked, strict=True):
            listing.take(commands[0], [next(pages) for _ in commands])


async def _read_details(
    bi: BIConnector, shallow: Sequence[tuple[_Listing[Any], Any]]
) -> tuple[Vanished, ...]:
    outcomes = await bi.batch([listing.methods.commands.get(item.id) for listing, item in shallow])
    vanished = []
    for position, ((listing, item), outcome) in enumerate(zip(shallow, outcomes, strict=True)):
        if position % MAX_COMMANDS == 0:
            # Others wait for this loop.
            await checkpoint()
        if isinstance(outcome, NotFoundError):
            gone = listing.items.pop(item.id)
            vanished.append(Vanished(listing.methods.kind.name, gone.id, gone.label))
        elif not isinstance(outcome, PortalError) or outcome.code != ORPHANED:
            read = _value(outcome)
            # Only the list gives a dataset's source.
            missing = {name: value for name, value in item if getattr(read, name, None) is None}
            listing.items[item.id] = read.model_copy(update=missing)
        # A source whose connector is gone cannot be read: the fields from the list are kept.
    return tuple(vanished)


def _value(outcome: Value | BiMcpError) -> Value:
    if isinstance(outcome, BiMcpError):
        raise outcome
    return outcome
