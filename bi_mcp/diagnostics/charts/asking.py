"""Puts a chart's question to `urlData` and says how it fared: within a number of calls, and never accusing after one answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bi_mcp.base.language import say
from bi_mcp.diagnostics.charts.answers import judge_rows
from bi_mcp.diagnostics.charts.sample import ChartSample
from bi_mcp.diagnostics.findings.finding import Finding, Kind
from bi_mcp.diagnostics.tables.steadiness import Tally, ask_steadily
from bi_mcp.endpoints.answers import Breach, Rows, Rule
from bi_mcp.endpoints.question import Question
from bi_mcp.endpoints.request import DataRequest, Dialect, build_request
from bi_mcp.endpoints.wording import Connection, safe_text
from bi_mcp.errors import EndpointError

LONGEST_SENT = 300

# The rules whose breach spoils every answer, so that judging the rows would only repeat it.
UNREADABLE = frozenset[Rule](
    {
        "header_missing",
        "header_not_text",
        "header_duplicate",
        "column_missing",
        "row_not_array",
        "ragged_row",
        "nested_value",
    }
)

Ask = Callable[[DataRequest], Awaitable[Rows]]
Outcome = Literal["right", "ignored", "wrong", "refused"]


class Verdict(NamedTuple):
    """The outcome of a question. `sent` and `reply` are for a sentence and hold no value of the connection."""

    outcome: Outcome
    sent: str
    reply: str = ""

    @property
    def right(self) -> bool:
        return self.outcome == "right"


@dataclass
class Asker:
    """Asks about one table. `tally` counts all calls of `urlData`; after `most` of them every answer is None.

    `spelling` collects errors of headers, for which no single answer is to blame.
    """

    ask: Ask
    connection: Connection
    table: str
    sample: ChartSample
    tally: Tally
    most: int
    spelling: list[Breach] = field(default_factory=list)

    async def settle(self, question: Question, dialect: Dialect) -> Verdict | None:
        """Ask, and where it fails once more. None where no call is left."""
        verdict = await self.once(question, dialect)
        if verdict is None or verdict.right:
            return verdict
        again = await self.once(question, dialect)
        if again is None or not again.right:
            return verdict
        # The same question was answered both ways.
        self.tally.add_failures(1, EndpointError(f"{verdict.reply}.", reason="status"))
        return again

    async def once(self, question: Question, dialect: Dialect) -> Verdict | None:
        """Ask and judge the rows. None where no call is left."""
        request = build_request(self.table, self.sample.columns, question, dialect)
        return await self.send(request, question)

    async def send(self, request: DataRequest, question: Question) -> Verdict | None:
        """Send a request for the question, and judge the rows. None where no call is left."""
        if self.tally.calls >= self.most:
            return None
        sent = describe_request(request, self.connection)
        try:
            rows = await ask_steadily(lambda: self.ask(request), self.tally, repeated=1)
        except EndpointError as error:
            return Verdict("refused", sent, describe_error(error))
        self.spelling += [
            breach for breach in rows.breaches if breach.rule in {"header_in_codes", "header_in_names"}
        ]
        lost = [name for name in request.select if name not in rows.columns]
        if lost:
            header = safe_text(", ".join(rows.header), self.connection)
            return Verdict("refused", sent, say("the header {header}", header=header))
        judged = judge_rows(rows, question, self.sample)
        return Verdict(judged.outcome, sent, safe_text(judged.reply, self.connection))


def find(kind: Kind, verdict: Verdict, **values: str) -> Finding:
    """Make a finding about `urlData` that quotes the request and the answer."""
    said = say(kind.what, sent=verdict.sent, reply=verdict.reply, **values)
    return kind.finding("urlData", said=said)


def describe_error(error: EndpointError) -> str:
    """The answer in place of rows, as part of a sentence."""
    text = str(error).rstrip(".")
    return say('{text} and said "{said}"', text=text, said=error.said.rstrip(".")) if error.said else text


def describe_request(request: DataRequest, connection: Connection) -> str:
    """The request without the connection: the filter if there is one, else the columns."""
    lines = request.lines()
    filters = [line for line in lines if line.startswith("filter")] or [
        line for line in lines if line.startswith(("select", "mapFields"))
    ]
    return safe_text("&".join(filters), connection, longest=LONGEST_SENT)
