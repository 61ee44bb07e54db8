"""Asks a connector the questions of charts, and reports the ones that it does not understand.

Every answer is judged by the rows that came without a filter. Conditions are asked several at once; where such a
request fails, each of them is asked alone. Levels follow section 2 of the reference of requests: a request that portals
certainly send makes an error, one that they may send a warning, and wrong rows are always an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.charts.asking import Asker, Verdict, find
from bi_mcp.diagnostics.charts.probes import (
    Pack,
    QuestionShape,
    choose_alternatives,
    choose_columns,
    choose_equality,
    choose_range,
    choose_shapes,
    pack_shapes,
)
from bi_mcp.diagnostics.charts.sample import ChartSample
from bi_mcp.diagnostics.connector.report import Notebook
from bi_mcp.diagnostics.findings import chart_rules as rules
from bi_mcp.diagnostics.findings.finding import Kind
from bi_mcp.endpoints.dates import CultureName
from bi_mcp.endpoints.question import Condition, DatasetColumn, Question
from bi_mcp.endpoints.request import Dialect, build_request

# For one table, those that read the sample included.
MOST_CALLS = 40
# Enough to judge by; a large table is not sent as a whole.
ASKED_ROWS = 200
LONGEST_NAME = 32
ISO_ONLY = text("Dates in ISO format are understood, those in the portal's own format are not.")


class ChartCheckFailure(NamedTuple):
    """A shape that is not answered correctly; `shape` is None for a question that is more than one condition."""

    label: str
    verdict: Verdict
    shape: QuestionShape | None = None


@dataclass
class ChartCheck:
    """The questions of charts to one table. `portal_known`: `dialect` is that of the portal in question, not a guess."""

    asker: Asker
    notes: Notebook
    dialect: Dialect
    portal_known: bool
    columns: Sequence[DatasetColumn] = field(default_factory=list)
    refused: list[ChartCheckFailure] = field(default_factory=list)
    wrong: list[ChartCheckFailure] = field(default_factory=list)
    dates: list[tuple[Kind, str, Verdict, str]] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    later: list[tuple[QuestionShape, Dialect]] = field(default_factory=list)

    @property
    def sample(self) -> ChartSample:
        """The rows that came without a filter."""
        return self.asker.sample

    async def run(self) -> None:
        """Ask everything, and note the findings."""
        self.columns = choose_columns(self.sample)
        other = await self._other_way()
        if not self._names_differ and (self.dialect.maps or not self.portal_known):
            await self._mapping()
        filters = await self._filters()
        if filters != "none":
            readable = await self._date_ranges()
            if filters == "all":
                await self._operators(other, readable)
                # As far as calls are left: what failed on a column of another type already.
                for shape, dialect in self.later:
                    if shape.label not in {failure.label for failure in self._failures}:
                        await self._ask_one(shape, dialect)
        self._report()

    # Names

    @property
    def _names_differ(self) -> bool:
        return any(column.name != column.code for column in self.sample.columns)

    async def _other_way(self) -> Dialect | None:
        """Ask by names as the other generation of portals does; None where that is not understood."""
        other = replace(self.dialect, maps=not self.dialect.maps)
        names = tuple(column.name for column in self.sample.columns)
        verdict = await self.asker.settle(Question(columns=names, limit=3), other)
        if verdict is None or verdict.right:
            return other
        kind = rules.NAMES_UNKNOWN_ELSEWHERE if self.portal_known else rules.NAMES_UNKNOWN
        self._add(kind, verdict, way=describe_way(other))
        return None

    async def _mapping(self) -> None:
        """Ask for a column by another name than its code, where all names are the codes."""
        column = self.sample.columns[0]
        renamed = replace(column, name=f"X_{column.name}"[:LONGEST_NAME])
        question = Question(columns=(renamed.name,), limit=1)
        request = build_request(self.asker.table, [renamed], question, replace(self.dialect, maps=True))
        verdict = await self.asker.send(request, question)
        if verdict is not None and not verdict.right:
            self._add(rules.MAPPING_IGNORED, verdict)

    # Filters

    async def _filters(self) -> str:
        """Ask for equality, lists and groups; returns which filters are understood: all, plain conditions only, or none."""
        equality = choose_equality(self.sample, self.columns)
        if equality is None:
            return "none"
        question = Question(columns=(equality.column,), groups=((equality,),), limit=ASKED_ROWS)
        verdict = await self.asker.settle(question, self.dialect)
        if verdict is None:
            return "none"
        if not verdict.right:
            return await self._find_fault(question, equality, verdict)
        await self._alternatives()
        return "all"

    async def _find_fault(self, question: Question, equality: Condition, verdict: Verdict) -> str:
        """Find out which part of a list in a numbered group is not understood."""
        key, value = f"={equality.column}", str(equality.values[0])
        one = replace(question, groups=((replace(equality, values=equality.values[:1]),),))
        if await self._understands(question, {key: [str(value) for value in equality.values]}):
            kinds: tuple[Kind, ...] = (rules.GROUPS_REFUSED,)
        elif await self._understands(one, {"0": {"LOGIC": "OR", "0": {key: value}}}):
            kinds = (rules.LISTS_REFUSED,)
        elif await self._understands(one, {key: value}) or await self._understands(
            one, {equality.column: value}
        ):
            kinds = (rules.LISTS_REFUSED, rules.GROUPS_REFUSED)
        else:
            by_outcome = {"ignored": rules.FILTER_IGNORED, "refused": rules.FILTER_REFUSED}
            kind = by_outcome.get(verdict.outcome, rules.OPERATOR_WRONG_ROWS)
            types = {column.name: column.type for column in self.sample.columns}
            shape = QuestionShape(equality, types[equality.column])
            self._add(kind, verdict, shapes=shape.label)
            return "none"
        for kind in kinds:
            self._add(kind, verdict)
        return "plain"

    async def _understands(self, question: Question, filter: Mapping[str, object]) -> bool:
        request = build_request(self.asker.table, self.sample.columns, question, self.dialect)
        verdict = await self.asker.send(replace(request, filter=filter), question)
        return verdict is not None and verdict.right

    async def _alternatives(self) -> None:
        question = choose_alternatives(self.sample, self.columns)
        if question is None:
            return
        verdict = await self.asker.settle(replace(question, limit=ASKED_ROWS), self.dialect)
        if verdict is None or verdict.right:
            return
        if verdict.outcome == "refused":
            # Where the same without an excluded condition is understood, that operator is at fault and is asked alone later.
            either = replace(question, groups=question.groups[:1] * 2, limit=ASKED_ROWS)
            again = await self.asker.settle(either, self.dialect)
            if again is not None and not again.right:
                self._add(rules.GROUPS_REFUSED, verdict)
        else:
            self.wrong.append(ChartCheckFailure(say("several conditions, joined by OR and by AND"), verdict))

    # Dates

    async def _date_ranges(self) -> set[CultureName]:
        """Ask for a date range on each type of time column; returns the formats that are understood on all of them."""
        understood: set[CultureName] = {self.dialect.culture, "iso"}
        for column in self.columns:
            dates = choose_range(self.sample, column)
            if dates is None:
                continue
            question = Question(columns=(column.name,), dates=dates, limit=ASKED_ROWS)
            native = await self.asker.settle(question, self.dialect)
            iso = (
                native
                if self.dialect.culture == "iso"
                else await self.asker.settle(question, replace(self.dialect, culture="iso"))
            )
            if native is None or iso is None:
                continue
            self._judge_range(column, native, iso)
            if not native.right:
                understood.discard(self.dialect.culture)
            if not iso.right:
                understood.discard("iso")
        return understood

    def _judge_range(self, column: DatasetColumn, native: Verdict, iso: Verdict) -> None:
        if native.right:
            self._judge_iso(column, iso)
        elif native.outcome == "refused":
            self.dates.append(
                (rules.DATE_RANGE_REFUSED, column.type, native, f"{say(ISO_ONLY)} " if iso.right else "")
            )
        elif iso.right:
            self.dates.append((rules.DATE_FORMAT_MISREAD, column.type, native, ""))
        else:
            self.wrong.append(ChartCheckFailure(say("date range ({type})", type=column.type), native))

    def _judge_iso(self, column: DatasetColumn, iso: Verdict) -> None:
        if iso.outcome == "refused":
            self.dates.append((rules.DATE_FORMAT_REFUSED, column.type, iso, ""))
        elif not iso.right:
            self.wrong.append(
                ChartCheckFailure(say("date range in ISO format ({type})", type=column.type), iso)
            )

    # Operators

    async def _operators(self, other: Dialect | None, readable: set[CultureName]) -> None:
        shapes = choose_shapes(self.sample, self.columns)
        timed = [shape for shape in shapes if shape.on_dates]
        if self.dialect.culture not in readable:
            shapes = [shape for shape in shapes if not shape.on_dates]
        await self._ask_shapes(shapes, self.dialect)
        if "iso" in readable and self.dialect.culture != "iso":
            await self._ask_shapes(timed, replace(self.dialect, culture="iso"), alone_seen=True)
        if other is not None and self._names_differ:
            await self._ask_shapes(shapes, other, alone_seen=True)

    async def _ask_shapes(
        self, shapes: Iterable[QuestionShape], dialect: Dialect, *, alone_seen: bool = False
    ) -> None:
        settled = {failure.label for failure in self._failures}
        left = [shape for shape in shapes if shape.label not in settled]
        for pack in pack_shapes(left, self.sample, alone_seen=alone_seen):
            verdict = await self._ask_pack(pack, dialect)
            if verdict is None or not verdict.right:
                await self._ask_alone(pack, dialect)

    async def _ask_alone(self, pack: Pack, dialect: Dialect) -> None:
        """Ask each condition once more without the others, so that none is blamed for its company."""
        for shape in pack.shapes:
            if any(failure.shape and failure.shape.is_like(shape) for failure in self._failures):
                self.later.append((shape, dialect))
            else:
                await self._ask_one(shape, dialect)

    async def _ask_one(self, shape: QuestionShape, dialect: Dialect) -> None:
        verdict = await self._ask_pack(Pack((shape,)), dialect)
        if verdict is None:
            self.unasked.append(shape.label)
        elif not verdict.right:
            failures = self.refused if verdict.outcome == "refused" else self.wrong
            failures.append(ChartCheckFailure(shape.label, verdict, shape))

    @property
    def _failures(self) -> list[ChartCheckFailure]:
        return [*self.refused, *self.wrong]

    async def _ask_pack(self, pack: Pack, dialect: Dialect) -> Verdict | None:
        return await self.asker.once(replace(pack.question, limit=ASKED_ROWS), dialect)

    # Report

    def _report(self) -> None:
        self.notes.breaches_once("urlData", self.asker.spelling)
        for kind in dict.fromkeys(kind for kind, *_ in self.dates):
            alike = [
                (type_, verdict, formats) for other, type_, verdict, formats in self.dates if other is kind
            ]
            types = ", ".join(type_ for type_, *_ in alike)
            self._add(kind, alike[0][1], types=types, formats=alike[0][2])
        for kind, failures in (
            (rules.OPERATOR_REFUSED, self.refused),
            (rules.OPERATOR_WRONG_ROWS, self.wrong),
        ):
            if failures:
                shapes = ", ".join(dict.fromkeys(failure.label for failure in failures))
                self._add(kind, failures[0].verdict, shapes=shapes)
        if self.unasked:
            shapes = ", ".join(dict.fromkeys(self.unasked))
            asked = self.asker.tally.calls
            self.notes.add(rules.NOT_EVERYTHING_ASKED.finding("urlData", asked=asked, shapes=shapes))

    def _add(self, kind: Kind, verdict: Verdict, **values: str) -> None:
        self.notes.add(find(kind, verdict, **values))


def describe_way(dialect: Dialect) -> str:
    """The way in which a portal asks for columns, as the beginning of a sentence."""
    return say(text("With mapFields") if dialect.maps else text("Without mapFields, as older portals ask"))
