"""The share of equal questions that each endpoint answers: a symptom that comes and goes is not seen in one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.charts.asking import UNREADABLE
from bi_mcp.diagnostics.findings import check_rules
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.endpoints.answers import Columns, EndpointAnswer, ListedTables, Rows
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import EndpointError

Answered: TypeAlias = EndpointAnswer | ListedTables | Columns | Rows
Ask: TypeAlias = Callable[[], Awaitable[Answered]]


@dataclass
class Rate:
    """Answers of one endpoint to one question, by what was wrong with them. `empty` are those without any element."""

    asked: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    empty: int = 0

    def count(self, outcome: str) -> None:
        """Count an answer: "" for a right one, "empty", or what is wrong with it."""
        self.asked += 1
        if outcome == "empty":
            self.empty += 1
        elif outcome:
            self.wrong[outcome] += 1

    @property
    def failures(self) -> Counter[str]:
        """What was wrong, by kind. An empty answer is wrong where others are not empty."""
        varies = self.empty and self.asked > self.empty + self.wrong.total()
        return self.wrong + (Counter({"empty": self.empty}) if varies else Counter())

    @property
    def answered(self) -> int:
        """How many were right."""
        return self.asked - self.failures.total()

    def __str__(self) -> str:
        return say("{answered} of {asked}", answered=self.answered, asked=self.asked)

    def finding(self, endpoint: str) -> Finding | None:
        """The finding about an endpoint that answers only sometimes. One that never does is a failure of its own."""
        if not self.failures or not self.answered:
            return None
        kinds = ", ".join(f"{times} × {kind}" for kind, times in self.failures.most_common())
        return check_rules.ANSWERS_AT_A_RATE.finding(
            endpoint, answered=self.answered, asked=self.asked, failures=kinds
        )


async def measure_rates(
    caller: EndpointCaller,
    urls: Mapping[str, str],
    connection: Mapping[str, Secret],
    table: str | None,
    repeat: int,
) -> dict[str, Rate]:
    """Ask each endpoint one cheap question that often, one call after the other. Never raises EndpointError."""
    rates: dict[str, Rate] = {}

    async def ask_often(endpoint: str, ask: Ask) -> None:
        rate = rates[endpoint] = Rate()
        for _ in range(repeat):
            rate.count(await _judge(ask))

    questions = _questions(caller, urls, connection, table)
    async with anyio.create_task_group() as tasks:
        for endpoint, ask in questions.items():
            tasks.start_soon(ask_often, endpoint, ask)
    return rates


def _questions(
    caller: EndpointCaller, urls: Mapping[str, str], connection: Mapping[str, Secret], table: str | None
) -> dict[str, Ask]:
    named = table or ""
    asks: dict[str, Callable[[str], Awaitable[Answered]]] = {
        "urlCheck": lambda url: caller.check(url, connection),
        "urlTableList": lambda url: caller.table_list(url, connection),
    }
    if table:
        asks["urlTableDescription"] = lambda url: caller.table_description(url, connection, named)
        asks["urlData"] = lambda url: caller.data(url, connection, named, limit=1)
    return {name: _bind(ask, urls[name]) for name, ask in asks.items() if urls.get(name)}


def _bind(ask: Callable[[str], Awaitable[Answered]], url: str) -> Ask:
    return lambda: ask(url)


async def _judge(ask: Ask) -> str:
    try:
        answer = await ask()
    except EndpointError as error:
        if error.status not in {None, 200}:
            return f"HTTP {error.status}"
        return "no_body" if error.reason == "empty" else error.reason
    if isinstance(answer, EndpointAnswer):
        return ""
    unreadable = [breach.rule for breach in answer.breaches if breach.rule in UNREADABLE | {"not_array"}]
    if unreadable:
        return unreadable[0]
    return "" if (answer.rows if isinstance(answer, Rows) else answer.items) else "empty"
