"""The columns of a dataset by pages: some tables have thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.dataset_source import read_with_source
from bi_mcp.rest.models import Column, Dataset
from bi_mcp.server.tools.answers import Found

if TYPE_CHECKING:
    from bi_mcp.rest.datasets import Datasets

COLUMNS_PER_PAGE = 200

# The docstrings of the tools say how many a page holds.
ColumnPage = Annotated[int, Field(ge=1)]


async def show_dataset(datasets: Datasets, id: int, page: int = 1) -> Found[Dataset]:
    """Read a dataset with the id of its source and one page of its columns."""
    return show_columns(await read_with_source(datasets, id), page)


def show_columns(dataset: Dataset, page: int = 1) -> Found[Dataset]:
    """The dataset with one page of its columns. Raises InvalidRequestError for a page that it does not have."""
    columns = [_view(column) for column in dataset.fields or []]
    pages = max(1, -(-len(columns) // COLUMNS_PER_PAGE))
    if page > pages:
        raise InvalidRequestError(
            say(
                "page {page}: the dataset has {count} columns; the last page is {pages}. Ask for a page up to that one.",
                page=page,
                count=len(columns),
                pages=pages,
            )
        )
    if pages == 1:
        return Found(item=dataset.model_copy(update={"fields": columns}))
    first = (page - 1) * COLUMNS_PER_PAGE
    part = columns[first : first + COLUMNS_PER_PAGE]
    place = f"Columns {first + 1} to {first + len(part)} of {len(columns)}."
    rest = f" Get page {page + 1} for the next." if page < pages else ""
    return Found(item=dataset.model_copy(update={"fields": part}), notice=place + rest)


def _view(column: Column) -> Column:
    """The column without what the dataset around it says already, and without a description that is always empty."""
    return column.model_copy(update={"dataset_id": None, "description": column.description or None})
