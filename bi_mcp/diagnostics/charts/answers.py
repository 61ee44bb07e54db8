"""The judgement of rows: whether they are the ones that a chart asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

from bi_mcp.base.language import say, say_count
from bi_mcp.diagnostics.charts.conditions import satisfies
from bi_mcp.diagnostics.charts.sample import ChartSample, TypedRow, UnreadableError, read_value
from bi_mcp.diagnostics.tables.values import show_value
from bi_mcp.endpoints.answers import Rows
from bi_mcp.endpoints.question import Question

Outcome = Literal["right", "ignored", "wrong"]


class Judged(NamedTuple):
    """The verdict on an answer, and the rows that came back, as part of a sentence."""

    outcome: Outcome
    reply: str = ""


def judge_rows(rows: Rows, question: Question, sample: ChartSample) -> Judged:
    """Compare an answer with the rows of the sample that satisfy the question."""
    answered = _read(rows, sample)
    stray = next((row for row in answered if satisfies(row, question) is False), None)
    if stray is not None:
        outcome: Outcome = "ignored" if _is_beginning(answered, sample) else "wrong"
        return Judged(outcome, say("a row that does not satisfy it: {row}", row=_describe(stray, question)))
    verdicts = [satisfies(row, question) for row in sample.rows]
    surely = verdicts.count(True)
    expected = surely if question.limit is None else min(surely, question.limit)
    if len(answered) < expected:
        return Judged(
            "wrong",
            say(
                "{rows}, although {expected} of the rows that come without a filter satisfy it",
                rows=say_count("{count} row", "{count} rows", len(answered)),
                expected=surely,
            ),
        )
    if sample.complete and len(answered) > surely + verdicts.count(None):
        return Judged("wrong", say("{count} rows, more than there are", count=len(answered)))
    return Judged("right")


def _read(rows: Rows, sample: ChartSample) -> list[TypedRow]:
    """Read typed rows. A value that cannot be read is left out of its row, so that it does not count as an error."""
    columns = {column.name: column for column in sample.columns}
    places = {name: place for place, name in enumerate(rows.columns) if name in columns}
    read = list[TypedRow]()
    for row in rows.rows:
        typed = dict[str, object]()
        for name, place in places.items():
            try:
                typed[name] = read_value(row[place], columns[name].type)
            except (UnreadableError, IndexError):
                continue
        read.append(typed)  # type: ignore[arg-type] # read_value's values
    return read


def _is_beginning(answered: Sequence[TypedRow], sample: ChartSample) -> bool:
    """Did the first rows come as they come without a filter?"""
    unfiltered = sample.rows[: len(answered)]
    return len(unfiltered) == len(answered) and all(
        all(known.get(name) == value for name, value in row.items() if name in known)
        for row, known in zip(answered, unfiltered, strict=True)
    )


def _describe(row: TypedRow, question: Question) -> str:
    """The values of the columns that the question is about."""
    names = [condition.column for group in question.groups for condition in group]
    if question.dates is not None:
        names.insert(0, question.dates.column)
    values = {name: row.get(name) for name in names}
    return ", ".join(
        f"{name} = {show_value(str(value) if isinstance(value, date) else value)}"
        for name, value in values.items()
    )
