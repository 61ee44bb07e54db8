"""A client that only reads: nothing that writes reaches the portal, by whichever way it is called."""

from __future__ import annotations

import pytest

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.models import ColumnChanges, ConnectorChanges, DatasetChanges
from tests.rest.calling import (
    Portal,
    add_dataset,
    columns,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio

REFUSED = r"was not sent: the portal is locked read-only"


async def test_every_write_is_refused_and_reads_are_not(tables: Portal) -> None:
    dataset = await add_dataset(tables.bi)
    before = await tables.bi.snapshot()
    bi = tables.bi.read_only()
    for write in (
        bi.connectors.add(connector_fields()),
        bi.connectors.update(1, ConnectorChanges(title="New")),
        bi.connectors.delete(1),
        bi.sources.add(source_fields(1)),
        bi.sources.delete(1),
        bi.datasets.add(dataset_fields(1, "more")),
        bi.datasets.update(dataset, DatasetChanges(description="New")),
        bi.datasets.update_columns(dataset, ColumnChanges(add=list(columns("MORE")))),
        bi.datasets.delete(dataset),
        bi.tables.add(dataset_fields(1, "more")),
        bi.tables.delete(dataset),
    ):
        with pytest.raises(InvalidRequestError, match=REFUSED):
            await write
    assert await bi.snapshot() == before
    assert (await bi.datasets.get(dataset)).name == "orders"


async def test_a_batch_is_sent_where_all_of_it_reads(tables: Portal) -> None:
    dataset = await add_dataset(tables.bi)
    bi = tables.bi.read_only()
    reads = [bi.datasets.commands.get(dataset), bi.tables.commands.get(dataset)]
    assert [getattr(found, "id", None) for found in await bi.batch(reads)] == [dataset, dataset]
    sent = len(tables.calls.methods)
    commands = [bi.connectors.commands.fields(), bi.connectors.commands.delete(1)]
    (first, second) = await bi.batch(commands)
    assert isinstance(first, InvalidRequestError)
    assert isinstance(second, Exception)
    assert len(tables.calls.methods) == sent
