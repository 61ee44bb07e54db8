"""Charts of the practice portal: BI Builder's question, the request to the connector, and the picture for the user."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bi_mcp.base.secret import Secret, redact
from bi_mcp.config import Culture
from bi_mcp.practice.portal.chart_answer import Picture, Row, read_answer
from bi_mcp.practice.portal.chart_dataset import ChartDataset, load_dataset
from bi_mcp.practice.portal.chart_failures import ChartFailure, ChartFailureError
from bi_mcp.practice.portal.chart_question import ChartQuestion
from bi_mcp.practice.portal.chart_request import Pair, build_form
from bi_mcp.practice.portal.chart_values import Value
from bi_mcp.practice.portal.context import Context
from bi_mcp.practice.portal.outbound import ConnectorAnswer, Outbound
from bi_mcp.practice.portal.records import Reach

LONGEST_EXCERPT = 500


@dataclass(frozen=True)
class Chart:
    """A chart as its user sees it, and the reason why it is empty, which the user does not see.

    `sent` leaves out the source's settings. `status` is None if the connector did not answer, and `answer` is the
    beginning of its answer, with those settings masked.
    """

    picture: Picture
    failure: ChartFailure | None
    sent: Sequence[Pair]
    status: int | None = None
    answer: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; none in an empty chart."""
        return self.picture.columns

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, in the order of the columns."""
        return self.picture.rows

    def values(self, column: str) -> list[Value]:
        """Return the values of one column, row by row."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def as_json(self) -> dict[str, object]:
        """Build the JSON of the chart. `failure` is null if the user sees rows."""
        failure = self.failure
        return {
            "columns": self.columns,
            "rows": self.rows,
            "notes": [str(unread) for unread in self.picture.unread],
            "failure": failure and {"kind": failure.kind, "reason": failure.reason, "values": failure.values},
            "sent": dict(self.sent),
            "status": self.status,
            "answer": self.answer,
        }


class Charts:
    """Opener of charts, as BI Builder is."""

    def __init__(self, context: Context, outbound: Outbound, culture: Culture) -> None:
        self._context = context
        self._outbound = outbound
        self._culture = culture

    async def open(self, question: ChartQuestion, reach: Reach | None = None) -> Chart:
        """Ask the dataset's connector and show the rows, or an empty chart with its reason.

        A dataset that is out of `reach` is not found.

        Raises `ModuleFault`: DATASET_NOT_FOUND, and CHART_QUESTION for a question that BI Builder would not offer.
        """
        with self._context.database.snapshot() as database:
            dataset = load_dataset(database, question.dataset, reach or Reach())
        sent = build_form(question, dataset, self._context.generation, self._culture)
        if not dataset.active:
            return Chart(Picture(), ChartFailure("inactive", {}), sent=())
        try:
            connection = [
                (f"connection[{code}]", value.reveal()) for code, value in dataset.connection.items()
            ]
            answer = await self._outbound.url_data(dataset.url_data, [*sent, *connection])
        except ChartFailureError as error:
            return Chart(Picture(), error.failure, sent)
        return self._show(answer, dataset, question.columns, sent)

    def _show(
        self, answer: ConnectorAnswer, dataset: ChartDataset, asked: Sequence[str], sent: Sequence[Pair]
    ) -> Chart:
        excerpt = _excerpt(answer.body, dataset.connection)
        try:
            picture = read_answer(answer.status, answer.body, dataset, asked, self._context.generation)
        except ChartFailureError as error:
            return Chart(Picture(), error.failure, sent, answer.status, excerpt)
        return Chart(picture, None, sent, answer.status, excerpt)


def _excerpt(body: bytes, settings: Mapping[str, Secret]) -> str:
    # Cut first: of a long answer only the beginning is worth searching. The mask knows secrets that were cut, too.
    cut = len(body) > LONGEST_EXCERPT
    # A letter that was cut in two is left out: behind its beginning the mask would not see the end of the text.
    reader = getincrementaldecoder("utf-8")("replace")
    return redact(reader.decode(body[:LONGEST_EXCERPT], final=not cut), settings.values(), cut=cut)
