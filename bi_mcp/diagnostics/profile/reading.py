"""The profile of a dataset of a portal: its first rows, asked for as a chart asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.progress import report
from bi_mcp.diagnostics.dataset.outside import open_dataset
from bi_mcp.diagnostics.dataset.preview import dataset_columns
from bi_mcp.diagnostics.findings.endpoint_rules import BREACHES
from bi_mcp.diagnostics.profile.counting import MOST_COLUMNS, MOST_ROWS, build_profile
from bi_mcp.diagnostics.profile.profile import DatasetProfile
from bi_mcp.endpoints.question import Question
from bi_mcp.endpoints.request import build_request
from bi_mcp.endpoints.wording import one_line
from bi_mcp.errors import EndpointError, InvalidRequestError

if TYPE_CHECKING:
    from bi_mcp.endpoints.answers import Breach
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector


async def read_profile(bi: BIConnector, caller: EndpointCaller, dataset_id: int) -> DatasetProfile:
    """Read the first rows of a dataset's visible columns and count what is in them.

    Raises InvalidRequestError where no column is visible, and EndpointError where the connector gives no rows.
    """
    await report(0, 2, "Reading the dataset and its source")
    dataset, outside = await open_dataset(bi, caller, dataset_id)
    columns = dataset_columns(dataset)
    visible = [column for column in columns if column.visible]
    if not visible:
        raise InvalidRequestError(
            say(
                "dataset {id} has no visible column. Show a column, or add one, before charts can use it.",
                id=dataset_id,
            )
        )
    shown = visible[:MOST_COLUMNS]
    question = Question(columns=tuple(column.name for column in shown), limit=MOST_ROWS)
    await report(1, 2, "Reading rows")
    request = build_request(dataset.external_code or "", columns, question, outside.dialect)
    try:
        rows = await outside.ask(request)
    except EndpointError as error:
        # What it says next is to have the dataset diagnosed.
        error.dataset = dataset_id
        raise
    profile = build_profile(
        dataset_id,
        dataset.name or "",
        shown,
        rows.columns or rows.header,
        rows.rows,
        complete=not rows.truncated and len(rows.rows) < MOST_ROWS,
        left_out=len(visible) - len(shown),
    )
    return profile.model_copy(update={"breaches": list(_describe(rows.breaches))})


def _describe(breaches: Sequence[Breach]) -> Iterator[str]:
    """Say what is wrong, where and what follows, once for each rule. The caller has masked what the answer repeats of the connection."""
    for rule in dict.fromkeys(breach.rule for breach in breaches):
        kind = BREACHES[rule]
        places = dict.fromkeys(
            f"{breach.where} ({breach.detail})" if breach.detail else breach.where
            for breach in breaches
            if breach.rule == rule
        )
        yield f"{say(kind.what)}: {one_line(', '.join(places))}. {say(kind.means)}".rstrip()
