"""Calls a connector's endpoints as Bitrix24 does, and says which rule each breaks. Reads only."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

import anyio

from bi_mcp.base.language import say, say_count
from bi_mcp.base.progress import report
from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.charts.asking import (
    UNREADABLE,
    Asker,
    Verdict,
    describe_error,
    describe_request,
    find,
)
from bi_mcp.diagnostics.charts.sample import ChartSample, read_sample
from bi_mcp.diagnostics.connector.chart_check import MOST_CALLS, ChartCheck, describe_way
from bi_mcp.diagnostics.connector.described_header import compare_header
from bi_mcp.diagnostics.connector.rate import measure_rates
from bi_mcp.diagnostics.connector.report import ConnectorReport, Notebook
from bi_mcp.diagnostics.findings import chart_rules, check_rules
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.findings.finding import worst
from bi_mcp.diagnostics.findings.folding import list_some
from bi_mcp.diagnostics.tables.external import Sample
from bi_mcp.diagnostics.tables.naming import name_as_dataset
from bi_mcp.diagnostics.tables.steadiness import REPEATED, ask_steadily
from bi_mcp.diagnostics.tables.value_hazards import find_hazards
from bi_mcp.endpoints.answers import Breach, Columns, EndpointAnswer, ListedTables, Rows
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.endpoints.question import DatasetColumn, Question
from bi_mcp.endpoints.request import DataRequest, Dialect, build_request
from bi_mcp.endpoints.wording import safe_text
from bi_mcp.errors import EndpointError
from bi_mcp.vault.secret_parameters import looks_secret

# What services answer at once by default.
PAGE_SIZES = frozenset({10, 20, 25, 30, 50, 100, 200, 250, 500})

Answered = TypeVar("Answered", bound=EndpointAnswer | ListedTables | Columns | Rows)


async def examine_connector(
    caller: EndpointCaller,
    urls: Mapping[str, str],
    connection: Mapping[str, Secret],
    *,
    table: str | None = None,
    secret_codes: Collection[str] | None = None,
    maps: bool | None = None,
    quick: bool = False,
    most_calls: int = MOST_CALLS,
    repeat: int = 0,
) -> ConnectorReport:
    """Call each endpoint in `urls` (by its name on the connector) as Bitrix24 would; a healthy one yields no finding.

    `table`: the external code of the table to read, else the first listed. `secret_codes`: the settings that a wrong
    password is tried in, else those whose codes look like it. `maps`: the portal sends `mapFields`, None where no portal is
    known. `quick`: leave out what charts ask; `most_calls` are made of urlData at most. `repeat`: ask one question of each endpoint
    that often instead. Never raises EndpointError: each becomes a finding.
    """
    started = anyio.current_time()
    if secret_codes is None:
        secret_codes = [code for code in connection if looks_secret(code)]
    examination = _Examination(
        caller, urls, connection, maps, most_calls=0 if quick or repeat else most_calls
    )
    async with anyio.create_task_group() as group:
        group.start_soon(examination.connection, secret_codes)
        group.start_soon(examination.tables, table)
    if repeat:
        rates = await measure_rates(caller, urls, connection, examination.table, repeat)
        for endpoint, rate in rates.items():
            examination.notes.keep_rate(endpoint, rate)
    if examination.notes.has_private_addresses:
        examination.notes.portal_is_local = await caller.is_portal_local()
    findings, facts = examination.notes.findings(), examination.notes.facts
    return ConnectorReport(
        verdict=worst(findings),
        table=examination.table,
        endpoints=[
            facts[endpoint].model_copy(update={"calls": examination.notes.tally(endpoint).calls})
            for endpoint in ENDPOINTS
            if endpoint in facts
        ],
        findings=findings,
        seconds=round(anyio.current_time() - started, 3),
    )


class _Examination:
    def __init__(
        self,
        caller: EndpointCaller,
        urls: Mapping[str, str],
        connection: Mapping[str, Secret],
        maps: bool | None,
        *,
        most_calls: int,
    ) -> None:
        self._caller = caller
        self._urls = urls
        self._connection = connection
        self._dialect = Dialect(caller.culture, maps is not False)
        self._portal_known = maps is not None
        self._most_calls = most_calls
        self._quick = not most_calls
        self.notes = Notebook(connection)
        self.table: str | None = None

    async def connection(self, secret_codes: Collection[str]) -> None:
        """`urlCheck` with the right values, then with a wrong password."""
        url = self._urls.get("urlCheck")
        if url is None:
            return
        answer = await self._ask_twice("urlCheck", lambda: self._caller.check(url, self._connection))
        if answer is None:
            return
        self.notes.hold("urlCheck", say("the values are accepted"))
        if answer.is_page:
            self.notes.add(check_rules.ANSWERS_WITH_A_PAGE.finding("urlCheck"))
        probed = [code for code in secret_codes if self._connection.get(code)]
        if not probed:
            return
        wrong = {**self._connection, **{code: Secret(secrets.token_hex(8)) for code in probed}}
        accepted = await self._try("urlCheck", lambda: self._caller.check(url, wrong))
        if not isinstance(accepted, EndpointError):
            self.notes.hold("urlCheck", say("any values are accepted"))
            codes = ", ".join(probed)
            self.notes.add(check_rules.WRONG_PASSWORD_ACCEPTED.finding("urlCheck", codes=codes))

    async def tables(self, table: str | None) -> None:
        """`urlTableList`, and with a table of it the other two."""
        self.table = table
        if url := self._urls.get("urlTableList"):
            await report(0, 4, "Checking the list of tables")
            await self._table_list(url)
        if self.table is None:
            for endpoint in ("urlTableDescription", "urlData"):
                if endpoint in self._urls:
                    self.notes.add(check_rules.NOT_CALLED.finding(endpoint))
            return
        described: Columns | None = None
        if url := self._urls.get("urlTableDescription"):
            await report(1, 4, "Checking the columns of a table")
            described = await self._description(url, self.table)
        if url := self._urls.get("urlData"):
            await report(2, 4, "Checking its data")
            await self._data(url, self.table, described)

    async def _table_list(self, url: str) -> None:
        tables = await self._ask_or_report(
            "urlTableList", lambda: self._caller.table_list(url, self._connection)
        )
        if tables is None:
            return
        self.notes.hold("urlTableList", self._list_codes([table.external_code for table in tables.items]))
        self.notes.breaches("urlTableList", tables.breaches)
        if not tables.items:
            if not tables.breaches:
                self.notes.add(check_rules.NO_TABLES.finding("urlTableList"))
            return
        codes = [table.external_code for table in tables.items]
        if self.table is None:
            self.table = codes[0]
        elif self.table not in codes and not tables.truncated:
            table = self.notes.quote(self.table)
            self.notes.add(check_rules.TABLE_NOT_LISTED.finding("urlTableList", table=table))
        # No table has such a name, so an endpoint that searches answers an empty array.
        word = secrets.token_hex(8)
        found = await self._try(
            "urlTableList", lambda: self._caller.table_list(url, self._connection, search=word)
        )
        if isinstance(found, EndpointError):
            self.notes.add(check_rules.SEARCH_FAILS.finding("urlTableList", error=found))
        elif len(found.items) >= len(tables.items):
            self.notes.add(check_rules.SEARCH_IGNORED.finding("urlTableList"))

    def _list_codes(self, codes: Sequence[str]) -> str:
        counted = say_count("{count} table", "{count} tables", len(codes))
        named = list_some(safe_text(code, self._connection) for code in codes)
        return f"{counted}: {named}" if codes else counted

    async def _description(self, url: str, table: str) -> Columns | None:
        columns = await self._ask_twice(
            "urlTableDescription", lambda: self._caller.table_description(url, self._connection, table)
        )
        if columns is not None:
            count = say_count("{count} column", "{count} columns", len(columns.items))
            self.notes.hold("urlTableDescription", count)
            self.notes.breaches("urlTableDescription", columns.breaches)
        return columns

    async def _data(self, url: str, table: str, described: Columns | None) -> None:
        """Call it without the optional parameters, and with them: both must work."""
        items = described.items if described else []
        columns = name_as_dataset([(column.code, column.name, column.type) for column in items])
        plain = await self._ask("urlData", lambda: self._caller.data(url, self._connection, table))
        # Backwards, to see whether the order is kept.
        names = tuple(column.name for column in columns[1::-1])
        request = build_request(table, columns, Question(columns=names, limit=1), self._dialect)
        chosen = await self._ask("urlData", lambda: self._caller.ask(url, self._connection, request))
        named = not await self._names_fail(url, request, chosen)
        if named:
            self._say_which_fails(plain, chosen)
        readable = self._compare(plain, chosen, described)
        if isinstance(plain, Rows):
            cut_off = await self._is_cut_off(url, table, plain)
            self._look_for_hazards(plain, columns)
            if named and readable and isinstance(chosen, Rows) and not self._quick:
                complete = not plain.truncated and not cut_off
                sample = read_sample(columns, plain.header, plain.rows, complete=complete)
                await self._charts(url, table, sample)

    def _compare(
        self, plain: Rows | EndpointError, chosen: Rows | EndpointError, described: Columns | None
    ) -> bool:
        """Note the rules that the answers break. Returns false if their rows cannot be judged."""
        breaches: list[Breach] = []
        if isinstance(plain, Rows):
            count = len(plain.rows)
            some = say("{count} rows and more", count=count)
            self.notes.hold(
                "urlData", some if plain.truncated else say_count("{count} row", "{count} rows", count)
            )
            breaches = [*plain.breaches, *compare_header(plain.header, described)]
        if isinstance(chosen, Rows):
            known = {breach.rule for breach in breaches}
            breaches += [breach for breach in chosen.breaches if breach.rule not in known]
        self.notes.breaches("urlData", breaches)
        return UNREADABLE.isdisjoint(breach.rule for breach in breaches)

    async def _names_fail(self, url: str, request: DataRequest, chosen: Rows | EndpointError) -> bool:
        """Return whether columns are found by their codes and not by their names. Asks only if the names failed."""
        if isinstance(chosen, Rows) and set(request.select) & set(chosen.columns):
            return False
        codes = tuple({name: code for code, name in request.names.items()}[name] for name in request.select)
        if codes == tuple(request.select):
            return False
        by_code = DataRequest(request.table, codes, limit=1)
        answered = await self._ask("urlData", lambda: self._caller.ask(url, self._connection, by_code))
        if isinstance(answered, EndpointError) or not set(codes) & set(answered.header):
            return False
        if isinstance(chosen, EndpointError):
            reply = describe_error(chosen)
        else:
            header = safe_text(", ".join(chosen.header), self._connection)
            reply = say("the header {header}", header=header)
        verdict = Verdict("refused", describe_request(request, self._connection), reply)
        self.notes.add(find(chart_rules.NAMES_UNKNOWN, verdict, way=describe_way(self._dialect)))
        return True

    def _look_for_hazards(self, plain: Rows, columns: Sequence[DatasetColumn]) -> None:
        types = {column.code: column.type for column in columns}
        sample = Sample(plain.header, plain.rows)
        for code, values in sample.columns.items():
            for hazard in find_hazards(values, types.get(code, "string")):
                masked = hazard._replace(value=safe_text(hazard.value, self._connection))
                self.notes.add(masked.finding("urlData", self.notes.quote(code)))

    async def _charts(self, url: str, table: str, sample: ChartSample) -> None:
        """Ask the questions of charts, if there are rows to judge the answers by."""
        if not sample.rows or not sample.columns:
            return
        await report(3, 4, "Asking what charts ask")
        asker = Asker(
            lambda request: self._caller.ask(url, self._connection, request),
            self._connection,
            table,
            sample,
            self.notes.tally("urlData"),
            self._most_calls,
        )
        await ChartCheck(asker, self.notes, self._dialect, self._portal_known).run()

    async def _is_cut_off(self, url: str, table: str, plain: Rows) -> bool:
        """Return whether the rows are only a page. As many rows as a page usually has may be one, and a second page cannot be asked for."""
        count = len(plain.rows)
        if plain.truncated or count not in PAGE_SIZES:
            return False
        more = await self._try(
            "urlData", lambda: self._caller.data(url, self._connection, table, limit=2 * count)
        )
        if isinstance(more, EndpointError) or len(more.rows) <= count:
            return False
        self.notes.add(check_rules.ROWS_CUT_OFF.finding("urlData", count=count))
        return True

    def _say_which_fails(self, plain: Rows | EndpointError, chosen: Rows | EndpointError) -> None:
        if isinstance(plain, EndpointError):
            alone = not isinstance(chosen, EndpointError)
            when = say("select, filter and limit are optional, and without them it fails") if alone else ""
            self.notes.fail("urlData", plain, when)
        elif isinstance(chosen, EndpointError):
            self.notes.fail("urlData", chosen, say("It fails if select and limit are given"))

    async def _ask_twice(self, endpoint: str, ask: Callable[[], Awaitable[Answered]]) -> Answered | None:
        """Repeat a question that was answered, because one answer may be luck. Returns the first answer."""
        answered = await self._ask_or_report(endpoint, ask)
        if answered is not None and not self._quick:
            again = await self._try(endpoint, ask, repeated=0)
            if isinstance(again, EndpointError):
                self.notes.tally(endpoint).add_failures(1, again)
        return answered

    async def _ask_or_report(self, endpoint: str, ask: Callable[[], Awaitable[Answered]]) -> Answered | None:
        answered = await self._ask(endpoint, ask)
        if not isinstance(answered, EndpointError):
            return answered
        self.notes.fail(endpoint, answered)
        return None

    async def _ask(self, endpoint: str, ask: Callable[[], Awaitable[Answered]]) -> Answered | EndpointError:
        answered = await self._try(endpoint, ask)
        if isinstance(answered, EndpointError):
            self.notes.keep_failure(endpoint, answered)
        else:
            answer = answered if isinstance(answered, EndpointAnswer) else answered.answer
            self.notes.keep_answer(endpoint, answer)
        return answered

    async def _try(
        self, endpoint: str, ask: Callable[[], Awaitable[Answered]], repeated: int = REPEATED
    ) -> Answered | EndpointError:
        """Make a call whose facts are not kept."""
        try:
            return await ask_steadily(ask, self.notes.tally(endpoint), repeated=repeated)
        except EndpointError as error:
            return error
