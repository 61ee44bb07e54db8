"""`biconnector.dataset.*` and, where the portal has it, the newer family `biconnector.table.*` on the same storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.generation import DatasetFamilies
from bi_mcp.rest.kind_methods import (
    KindCommands,
    KindMethods,
    build_command,
    check_id,
    parse_id,
    parse_true,
)
from bi_mcp.rest.kinds import DATASET
from bi_mcp.rest.methods import method
from bi_mcp.rest.models.dataset import ColumnChanges, Dataset, DatasetChanges, DatasetFields
from bi_mcp.rest.recovery import Done, NotDone, judge_columns
from bi_mcp.rest.request import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Transport


@dataclass(frozen=True)
class DatasetDeletion:
    """Remainder of a deletion: the id of a BI Builder dataset that must be removed by hand, or None."""

    id: int
    name: str
    orphaned_builder_dataset: int | None


class DatasetCommands(KindCommands[Dataset, DatasetFields, DatasetChanges]):
    """Methods of datasets as commands of a batch, of the family that serves them as far as the portal is known.

    Ask `Datasets.generation` before a deletion: `dataset.delete` ends with HTTP 500 where the newer family exists.
    """

    def __init__(self, families: DatasetFamilies) -> None:
        super().__init__(DATASET)
        self._families = families

    def add(self, fields: DatasetFields, *, builder_dataset: bool = True) -> Command[int]:
        """Create a dataset; the value is its id. Without `builder_dataset` by the newer family."""
        if builder_dataset:
            return super().add(fields)
        return build_command(method("table", "add"), parse_id, fields=fields.to_wire())

    def update_columns(self, id: int, changes: ColumnChanges) -> Command[None]:
        """Add and delete columns. Showing or hiding one takes a boolean, which cannot be sent in a batch.

        The ids must be those of columns of this dataset: a portal deletes by id alone, in any dataset.
        """
        check_id("dataset", id)
        parameters = {name: value for name, value in changes.to_wire().items() if value}
        if not parameters:
            raise InvalidRequestError(
                say(
                    "dataset {id}: nothing to change. Pass add, update or delete with at least one element.",
                    id=id,
                )
            )
        return build_command(self._method("fields.update"), parse_true, id=id, **parameters)

    def _method(self, operation: str) -> Method:
        return self._families.method(operation)


class Datasets(KindMethods[Dataset, DatasetFields, DatasetChanges]):
    """Tables of a source, by the family of methods that the portal has."""

    kind = DATASET

    def __init__(self, transport: Transport, families: type[DatasetFamilies] = DatasetFamilies) -> None:
        super().__init__(transport)
        self.families = families(transport)
        self._send = self.families.send

    @property
    def commands(self) -> DatasetCommands:
        """Commands for `BIConnector.batch`."""
        return DatasetCommands(self.families)

    async def generation(self) -> PortalGeneration:
        """Return the portal generation. Asks the portal once."""
        return await self.families.generation()

    async def add(self, fields: DatasetFields, *, builder_dataset: bool = True) -> int:
        """Create a dataset and return its id.

        `builder_dataset=False` creates the table alone, without a dataset in BI Builder (newer portals only). A portal that
        has no `dataset.add` any more creates the table alone in any case.
        """
        if not builder_dataset and await self.generation() == "classic":
            raise InvalidRequestError(
                say(
                    "This portal always makes a BI Builder dataset together with a dataset (it has no biconnector.table.add). Nothing was sent; create it with its BI Builder dataset."
                )
            )
        return await self._create(self.commands.add(fields, builder_dataset=builder_dataset), fields)

    async def update_columns(self, id: int, changes: ColumnChanges) -> None:
        """Add columns, show or hide columns, delete columns by id, in one call.

        Raises `InvalidRequestError` for an id that is not of a column of this dataset, and `NotSynchronisedError` when the
        columns are saved but BI Builder did not follow.
        """
        command = self.commands.update_columns(id, changes)
        await self.check_columns(id, changes)
        await self._write(command, lambda: self._find_changed(id, changes.to_wire()))

    async def check_columns(self, id: int, changes: ColumnChanges) -> None:
        """Raise `InvalidRequestError` for a column that is not of this dataset.

        A portal deletes columns by their ids alone, so a wrong one would delete a column of another dataset. It passes over
        a wrong one that is to be shown or hidden, and calls that a success.
        """
        named = [*(change.id for change in changes.update or ()), *(changes.delete or ())]
        if not named:
            return
        own = {column.id for column in (await self.get(id)).fields or ()}
        foreign = [str(column) for column in dict.fromkeys(named) if column not in own]
        if foreign:
            raise InvalidRequestError(
                say(
                    "dataset {id} has no column with the id {foreign}. Nothing was sent: a portal would delete such a column of another dataset. Read the dataset again for its columns and their ids.",
                    id=id,
                    foreign=", ".join(foreign),
                )
            )

    async def delete(self, id: int) -> None:
        """Delete a dataset; see `delete_reporting` for what stays behind."""
        await self.delete_reporting(id)

    async def delete_reporting(self, id: int) -> DatasetDeletion:
        """Delete a dataset and say which BI Builder dataset stays behind.

        Where the table family exists, `dataset.delete` ends with HTTP 500, and `table.delete` leaves the BI Builder dataset.
        """
        dataset = await self.get(id)
        left = dataset.external_id if await self.generation() == "tables" else None
        await super().delete(id)
        return DatasetDeletion(id, dataset.label, left or None)

    async def _find_created(self, sent: Mapping[str, object], newest: int | None) -> Done[int] | NotDone:
        found = await super()._find_created(sent, newest)
        if isinstance(found, NotDone):
            return found
        columns = await self._find_changed(found.value, {"add": sent["fields"]})
        if isinstance(columns, Done):
            return found
        return NotDone(
            "partly", say("dataset {value} is there; {what}", value=found.value, what=columns.what)
        )

    async def _find_changed(self, id: int, changes: Mapping[str, object]) -> Done[None] | NotDone:
        columns = (await self.get(id)).fields or []
        return judge_columns(changes, [column.model_dump(by_alias=True) for column in columns])
