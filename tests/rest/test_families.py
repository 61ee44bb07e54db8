"""`biconnector.dataset.*` and `biconnector.table.*`: which one is called, and how often a portal is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from bi_mcp.errors import (
    InvalidRequestError,
    LimitError,
    MethodMissingError,
    NotFoundError,
    PortalError,
    UnexpectedAnswerError,
)
from bi_mcp.rest.datasets import DatasetDeletion
from bi_mcp.rest.models import ColumnChanges, DatasetChanges
from tests.rest.calling import (
    Answering,
    Portal,
    Recorder,
    a_portal,
    add_dataset,
    add_source,
    columns,
    connect,
    dataset_fields,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tables_only() -> AsyncIterator[Portal]:
    """A portal of days to come, whose `dataset.*` is gone."""
    async with a_portal("tables", without_datasets=True) as made:
        yield made


async def test_the_generation_is_found_out_once(tables: Portal, classic: Portal) -> None:
    for portal, known in ((tables, "tables"), (classic, "classic")):
        assert [await portal.bi.datasets.generation() for _ in range(3)] == [known] * 3
        assert portal.calls.methods == ["table.fields"]


async def test_calls_at_the_same_time_ask_once(tables: Portal) -> None:
    slow = tables.faults.arm("slow")
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(tables.bi.datasets.generation)
        await slow.reached.wait()
        slow.release.set()
    assert tables.calls.methods == ["table.fields"]


async def test_a_failed_question_is_asked_again(tables: Portal) -> None:
    tables.faults.arm("query_limit")
    with pytest.raises(LimitError):
        await tables.bi.datasets.generation()
    assert await tables.bi.datasets.generation() == "tables"


async def test_a_classic_portal_deletes_with_dataset_delete_and_nothing_is_left(classic: Portal) -> None:
    dataset_id = await add_dataset(classic.bi)
    deletion = await classic.bi.datasets.delete_reporting(dataset_id)
    assert deletion == DatasetDeletion(dataset_id, "orders", None)
    assert classic.calls.methods[-3:] == ["dataset.get", "table.fields", "dataset.delete"]


async def test_a_portal_with_tables_deletes_with_table_delete_and_leaves_the_builder_dataset(
    tables: Portal,
) -> None:
    dataset_id = await add_dataset(tables.bi)
    external_id = (await tables.bi.datasets.get(dataset_id)).external_id
    assert external_id
    deletion = await tables.bi.datasets.delete_reporting(dataset_id)
    assert deletion == DatasetDeletion(dataset_id, "orders", external_id)
    assert "dataset.delete" not in tables.calls.methods
    with pytest.raises(NotFoundError):
        await tables.bi.datasets.delete(dataset_id)


async def test_a_table_without_a_builder_dataset_leaves_nothing(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.bi, builder_dataset=False)
    assert tables.calls.methods[-3:] == ["table.fields", "dataset.list", "table.add"]
    assert (await tables.bi.datasets.get(dataset_id)).external_id == 0
    assert await tables.bi.datasets.delete_reporting(dataset_id) == DatasetDeletion(
        dataset_id, "orders", None
    )


async def test_a_classic_portal_cannot_leave_the_builder_dataset_out(classic: Portal) -> None:
    with pytest.raises(InvalidRequestError, match="Nothing was sent"):
        await classic.bi.datasets.add(dataset_fields(1), builder_dataset=False)
    assert classic.calls.methods == ["table.fields"]


async def test_without_the_dataset_family_every_method_uses_tables(tables_only: Portal) -> None:
    datasets = tables_only.bi.datasets
    dataset_id = await add_dataset(tables_only.bi)
    await datasets.update(dataset_id, DatasetChanges(description="All"))
    await datasets.update_columns(dataset_id, ColumnChanges(add=list(columns("PRICE"))))
    dataset = await datasets.get(dataset_id)
    assert (dataset.description, len(dataset.fields or [])) == ("All", 3)
    assert [item.id for item in (await datasets.list_page()).items] == [dataset_id]
    assert [item.id async for item in datasets.iterate()] == [dataset_id]
    assert {field.title for field in await datasets.fields()} >= {"id", "name"}
    assert await datasets.delete_reporting(dataset_id) == DatasetDeletion(dataset_id, "orders", None)
    assert tables_only.calls.methods == [
        "connector.list",
        "connector.add",
        "source.list",
        "source.add",
        "dataset.list",
        "table.fields",
        "table.list",
        "table.add",
        "table.update",
        "table.fields.update",
        "table.get",
        "table.list",
        "table.list",
        "table.fields",
        "table.get",
        "table.delete",
    ]


async def test_an_error_names_the_method_that_was_called_in_the_end(tables_only: Portal) -> None:
    with pytest.raises(NotFoundError) as missing:
        await tables_only.bi.datasets.get(9)
    assert missing.value.method == "biconnector.table.get"


async def test_an_answer_that_cannot_be_read_names_the_method_that_gave_it() -> None:
    async with a_portal("tables", without_datasets=True) as portal:
        portal.faults.arm("html_ok", method="biconnector.table.get")
        with pytest.raises(UnexpectedAnswerError, match=r"^biconnector\.table\.get: .*an HTML page"):
            await portal.bi.datasets.get(1)


async def test_a_portal_without_the_module_says_so_for_every_method() -> None:
    missing = b'{"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}'
    calls = Recorder(Answering(missing, 404))
    async with connect(calls) as bi:
        for _ in range(2):
            with pytest.raises(MethodMissingError, match="module is missing") as raised:
                await bi.datasets.get(1)
        error: PortalError = raised.value
    assert (error.method, error.status) == ("biconnector.dataset.get", 404)
    assert calls.methods == ["dataset.get", "table.fields", "dataset.get"]


async def test_tables_use_the_newer_family_without_asking(tables: Portal) -> None:
    source_id = await add_source(tables.bi)
    before = len(tables.calls.methods)
    table_id = await tables.bi.tables.add(dataset_fields(source_id))
    await tables.bi.tables.update(table_id, DatasetChanges(description="All"))
    assert (await tables.bi.tables.get(table_id)).external_id == 0
    assert await tables.bi.tables.delete_reporting(table_id) == DatasetDeletion(table_id, "orders", None)
    assert tables.calls.methods[before:] == [
        "table.list",
        "table.add",
        "table.update",
        "table.get",
        "table.get",
        "table.delete",
    ]


async def test_tables_of_a_classic_portal_point_to_the_datasets(classic: Portal) -> None:
    for _ in range(2):
        with pytest.raises(
            MethodMissingError, match=r"no biconnector\.table\.\*: .* Use biconnector\.dataset"
        ):
            await classic.bi.tables.get(1)
    assert classic.calls.methods == ["table.get", "table.get"]
