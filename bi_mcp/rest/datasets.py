"""`biconnector.dataset.*` and, where the portal has it, the newer family `biconnector.table.*` on the same storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError, MethodMissingError
from bi_mcp.rest.entity import Commands, Entity, check_id, parse_true
from bi_mcp.rest.methods import method
from bi_mcp.rest.models.dataset import ColumnChanges, Dataset, DatasetChanges, DatasetFields
from bi_mcp.rest.recovery import Done, NotDone, judge_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.batch import Command
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.transport import Transport


@dataclass(frozen=True)
class DatasetDeletion:
    """Remainder of a deletion: the id of a BI Builder dataset that must be removed by hand, or None."""

    id: int
    name: str
    orphaned_builder_dataset: int | None


class DatasetCommands(Commands[Dataset, DatasetFields, DatasetChanges]):
    """Methods of datasets as commands of a batch.

    They do not choose a family: if the table family exists, use `table.delete`, since `dataset.delete` ends with HTTP 500.
    """

    def update_columns(self, id: int, changes: ColumnChanges) -> Command[None]:
        """Add and delete columns. Showing or hiding one takes a boolean, which cannot travel in a batch.

        The ids must be those of columns of this dataset: a portal deletes by id alone, in any dataset.
        """
        check_id(self._group, id)
        parameters = {name: value for name, value in changes.to_wire().items() if value}
        if not parameters:
            raise InvalidRequestError(
                say(
                    "dataset {id}: nothing to change. Pass add, update or delete with at least one element.",
                    id=id,
                )
            )
        return self._command("fields.update", parse_true, id=id, **parameters)


class Datasets(Entity[Dataset, DatasetFields, DatasetChanges]):
    """Tables of a source. Finds out once which family the portal speaks, and remembers it."""

    group = "dataset"
    _item = Dataset

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._has_tables: bool | None = None
        self._has_datasets = True
        self._finding_out = anyio.Lock()

    @property
    def commands(self) -> DatasetCommands:
        """Commands for `BIConnector.batch`, of the newer family if the portal is known to have only that one."""
        return DatasetCommands(self.group, self.group if self._has_datasets else "table", self._item)

    @property
    def table_commands(self) -> DatasetCommands:
        """Commands of the newer family, for `BIConnector.batch`."""
        return DatasetCommands(self.group, "table", self._item)

    def use_tables(self) -> None:
        """Speak only the newer family from now on: this portal has no `dataset.*` any more."""
        self._has_datasets = False
        self._has_tables = True

    async def has_tables(self) -> bool:
        """Check whether the portal knows `biconnector.table.*`. Asks once, with a method that needs no rights but access."""
        async with self._finding_out:
            if self._has_tables is None:
                try:
                    await self._transport.call(method("table", "fields"), {})
                    self._has_tables = True
                except MethodMissingError:
                    self._has_tables = False
        return self._has_tables

    async def add(self, fields: DatasetFields, *, builder_dataset: bool = True) -> int:
        """Create a dataset and return its id.

        `builder_dataset=False` creates the table alone, without a dataset in BI Builder (newer portals only). A portal that
        has no `dataset.add` any more creates the table alone in any case.
        """
        if builder_dataset:
            return await super().add(fields)
        if not await self.has_tables():
            raise InvalidRequestError(
                say(
                    "This portal always makes a BI Builder dataset together with a dataset (it has no biconnector.table.add). Nothing was sent; create it with its BI Builder dataset."
                )
            )
        return await self._create(self.table_commands.add(fields), fields)

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
        if not await self.has_tables():
            await super().delete(id)
            return DatasetDeletion(id, dataset.name or "", None)
        await self._write(self.table_commands.delete(id), lambda: self._find_deleted(id))
        return DatasetDeletion(id, dataset.name or "", dataset.external_id or None)

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

    async def _call(self, called: Method, parameters: Mapping[str, object]) -> object:
        if called.group == "table":
            return await super()._call(called, parameters)
        if self._has_datasets:
            try:
                return await super()._call(called, parameters)
            except MethodMissingError:
                # An unknown method did nothing, so sending the call to the other family is safe.
                if not await self.has_tables():
                    raise
                self._has_datasets = False
        return await super()._call(method("table", called.operation), parameters)


class Tables(Datasets):
    """Datasets by the newer family alone, for portals that have it. `add` does not make a BI Builder dataset."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.use_tables()

    async def _call(self, called: Method, parameters: Mapping[str, object]) -> object:
        try:
            return await super()._call(called, parameters)
        except MethodMissingError as missing:
            raise MethodMissingError(
                method=missing.method,
                code=missing.code,
                message=missing.message,
                hint=say(
                    "This portal has no biconnector.table.*: it is older than that family, or lacks the module. Use biconnector.dataset.*, which every generation has."
                ),
                status=missing.status,
            ) from None
