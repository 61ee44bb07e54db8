"""A dataset with the id of its source, which a portal gives only in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bi_mcp.errors import BiMcpError

if TYPE_CHECKING:
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.models import Dataset


async def read_with_source(datasets: Datasets, id: int) -> Dataset:
    """Read a dataset and, at the same time, its entry in the list: issued together, both are one request.

    Without an entry, or where the list is refused, `source_id` stays unknown.
    """
    read: list[Dataset | BiMcpError] = []
    sources: list[int | None] = []

    async def get() -> None:
        try:
            read.append(await datasets.get(id))
        except BiMcpError as error:
            read.append(error)

    async def find_source() -> None:
        try:
            listed = await datasets.list_page(select=["id", "sourceId"], filter={"id": id})
            sources.extend(item.source_id for item in listed.items if item.id == id)
        except BiMcpError:
            # The dataset itself says what is wrong.
            return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get)
        tasks.start_soon(find_source)
    [dataset] = read
    if isinstance(dataset, BiMcpError):
        raise dataset
    known = dataset.source_id or next(iter(sources), None)
    return dataset.model_copy(update={"source_id": known})
