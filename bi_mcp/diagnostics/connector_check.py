"""Calls a connector's endpoints as Bitrix24 does, and says which rule each breaks. Reads only."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

import anyio

from bi_mcp.diagnostics import check_rules as rules
from bi_mcp.diagnostics.connector_report import ConnectorReport, Notebook
from bi_mcp.diagnostics.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.filter_probe import PROBED_ROWS, choose_probe
from bi_mcp.diagnostics.finding import worst
from bi_mcp.diagnostics.steadiness import ask_steadily
from bi_mcp.endpoints.answers import Breach, Columns, EndpointAnswer, Rows, Rule, Tables, compare_header
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import EndpointError
from bi_mcp.language import say, say_count
from bi_mcp.progress import report
from bi_mcp.secret import Secret
from bi_mcp.secret_references.secret_parameters import looks_secret

# What services answer at once by default.
PAGE_SIZES = frozenset({10, 20, 25, 30, 50, 100, 200, 250, 500})
# The rules whose breach loses an element of the description.
LOSING = frozenset[Rule]({"element_not_object", "empty_code", "empty_name", "empty_type"})

Answered = TypeVar("Answered", bound=EndpointAnswer | Tables | Columns | Rows)


async def examine_connector(
    caller: EndpointCaller,
    urls: Mapping[str, str],
    connection: Mapping[str, Secret],
    *,
    table: str | None = None,
    secret_codes: Collection[str] | None = None,
) -> ConnectorReport:
    """Call each endpoint in `urls` (by its name on the connector) as Bitrix24 would; a healthy one yields no finding.

    `table`: the external code of the table to read, else the first listed. `secret_codes`: the settings that a wrong
    password is tried in, else those whose codes look like it. Never raises EndpointError: each becomes a finding.
    """
    if secret_codes is None:
        secret_codes = [code for code in connection if looks_secret(code)]
    examination = _Examination(caller, urls, connection)
    async with anyio.create_task_group() as group:
        group.start_soon(examination.connection, secret_codes)
        group.start_soon(examination.tables, table)
    findings, facts = examination.notes.findings(), examination.notes.facts
    return ConnectorReport(
        verdict=worst(findings),
        table=examination.table,
        endpoints=[facts[endpoint] for endpoint in ENDPOINTS if endpoint in facts],
        findings=findings,
    )


class _Examination:
    def __init__(
        self, caller: EndpointCaller, urls: Mapping[str, str], connection: Mapping[str, Secret]
    ) -> None:
        self._caller = caller
        self._urls = urls
        self._connection = connection
        self.notes = Notebook(connection)
        self.table: str | None = None

    async def connection(self, secret_codes: Collection[str]) -> None:
        """`urlCheck` with the right values, then with a wrong password."""
        url = self._urls.get("urlCheck")
        if url is None:
            return
        answer = await self._ask("urlCheck", lambda: self._caller.check(url, self._connection))
        if isinstance(answer, EndpointError):
            self.notes.fail("urlCheck", answer)
            return
        if answer.is_page:
            self.notes.add(rules.ANSWERS_WITH_A_PAGE.found("urlCheck"))
        probed = [code for code in secret_codes if self._connection.get(code)]
        if probed:
            await self._try_wrong_password(url, probed)

    async def tables(self, table: str | None) -> None:
        """`urlTableList`, and with a table of it the other two."""
        self.table = table
        if url := self._urls.get("urlTableList"):
            await report(0, 3, "Checking the list of tables")
            await self._table_list(url)
        if self.table is None:
            self._say_what_is_left_out()
            return
        described: Columns | None = None
        if url := self._urls.get("urlTableDescription"):
            await report(1, 3, "Checking the columns of a table")
            described = await self._description(url, self.table)
        if url := self._urls.get("urlData"):
            await report(2, 3, "Checking its data")
            await self._data(url, self.table, described)

    def _say_what_is_left_out(self) -> None:
        for endpoint in ("urlTableDescription", "urlData"):
            if endpoint in self._urls:
                self.notes.add(rules.NOT_CALLED.found(endpoint))

    async def _try_wrong_password(self, url: str, codes: Sequence[str]) -> None:
        wrong = {
            code: Secret(secrets.token_hex(8)) if code in codes else value
            for code, value in self._connection.items()
        }
        try:
            await self._steadily("urlCheck", lambda: self._caller.check(url, wrong))
        except EndpointError:
            return
        self.notes.add(rules.WRONG_PASSWORD_ACCEPTED.found("urlCheck", codes=", ".join(codes)))

    async def _table_list(self, url: str) -> None:
        tables = await self._ask("urlTableList", lambda: self._caller.table_list(url, self._connection))
        if isinstance(tables, EndpointError):
            self.notes.fail("urlTableList", tables)
            return
        self.notes.hold("urlTableList", say_count("{count} table", "{count} tables", len(tables.items)))
        self.notes.breaches("urlTableList", tables.breaches)
        if not tables.items:
            if not tables.breaches:
                self.notes.add(rules.NO_TABLES.found("urlTableList"))
            return
        self._choose_table(tables)
        await self._try_search(url, tables)

    def _choose_table(self, tables: Tables) -> None:
        known = {table.external_code for table in tables.items}
        if self.table is None:
            self.table = tables.items[0].external_code
        elif self.table not in known and not tables.truncated:
            table = self.notes.quoted(self.table)
            self.notes.add(rules.TABLE_NOT_LISTED.found("urlTableList", table=table))

    async def _try_search(self, url: str, tables: Tables) -> None:
        # Nothing can be called that, so an endpoint that searches answers an empty array.
        word = secrets.token_hex(8)
        try:
            found = await self._steadily(
                "urlTableList", lambda: self._caller.table_list(url, self._connection, search=word)
            )
        except EndpointError as error:
            self.notes.add(rules.SEARCH_FAILS.found("urlTableList", error=error))
            return
        if len(found.items) >= len(tables.items):
            self.notes.add(rules.SEARCH_IGNORED.found("urlTableList"))

    async def _description(self, url: str, table: str) -> Columns | None:
        columns = await self._ask(
            "urlTableDescription", lambda: self._caller.table_description(url, self._connection, table)
        )
        if isinstance(columns, EndpointError):
            self.notes.fail("urlTableDescription", columns)
            return None
        self.notes.hold(
            "urlTableDescription", say_count("{count} column", "{count} columns", len(columns.items))
        )
        self.notes.breaches("urlTableDescription", columns.breaches)
        return columns

    async def _data(self, url: str, table: str, described: Columns | None) -> None:
        """Without the optional parameters, and with them: both must work."""
        plain = await self._ask("urlData", lambda: self._caller.data(url, self._connection, table))
        codes = [column.code for column in described.items] if described else []
        # Backwards, to see whether the order is kept.
        select = codes[1::-1]
        chosen = await self._ask(
            "urlData", lambda: self._caller.data(url, self._connection, table, select=select, limit=1)
        )
        self._say_which_fails(plain, chosen)
        breaches: list[Breach] = []
        if isinstance(plain, Rows):
            self.notes.hold("urlData", _rows_held(plain))
            breaches = [*plain.breaches, *_compared(plain.header, described)]
        if isinstance(chosen, Rows):
            told = {breach.rule for breach in breaches}
            breaches += [breach for breach in chosen.breaches if breach.rule not in told]
        self.notes.breaches("urlData", breaches)
        if isinstance(plain, Rows) and isinstance(chosen, Rows):
            await self._try_larger_limit(url, table, plain)
            await self._try_filter(url, table, plain, codes)

    async def _try_larger_limit(self, url: str, table: str, plain: Rows) -> None:
        """As many rows as a page usually has may be a page: there is no way to ask for a second one."""
        count = len(plain.rows)
        if plain.truncated or count not in PAGE_SIZES:
            return
        try:
            more = await self._caller.data(url, self._connection, table, limit=2 * count)
        except EndpointError:
            return
        if len(more.rows) > count:
            self.notes.add(rules.ROWS_CUT_OFF.found("urlData", count=count))

    async def _try_filter(self, url: str, table: str, plain: Rows, codes: Sequence[str]) -> None:
        """Accuse only where neither spelling of a filter works."""
        probe = choose_probe(plain, codes)
        if probe is None:
            return
        effects, failures = set[str](), list[EndpointError]()
        for filter in probe.filters:
            ask = partial(self._caller.data, url, self._connection, table, select=[probe.code])
            try:
                found = await self._steadily("urlData", partial(ask, filter=filter, limit=PROBED_ROWS))
            except EndpointError as error:
                failures.append(error)
                continue
            effects.add(probe.effect(found.rows))
            if "heeded" in effects:
                return
        if effects:
            kind = rules.FILTER_IGNORED if "ignored" in effects else rules.FILTER_FINDS_NOTHING
            self.notes.add(kind.found("urlData", column=self.notes.quoted(probe.code)))
        else:
            self.notes.fail("urlData", failures[0], say("It fails when a filter is given"))

    def _say_which_fails(self, plain: Rows | EndpointError, chosen: Rows | EndpointError) -> None:
        if isinstance(plain, EndpointError):
            alone = not isinstance(chosen, EndpointError)
            when = say("select, filter and limit are optional, and without them it fails") if alone else ""
            self.notes.fail("urlData", plain, when)
        elif isinstance(chosen, EndpointError):
            self.notes.fail("urlData", chosen, say("It fails when select and limit are given"))

    async def _ask(self, endpoint: str, ask: Callable[[], Awaitable[Answered]]) -> Answered | EndpointError:
        try:
            answered = await self._steadily(endpoint, ask)
        except EndpointError as error:
            self.notes.failed(endpoint, error)
            return error
        self.notes.answered(endpoint, answered if isinstance(answered, EndpointAnswer) else answered.answer)
        return answered

    async def _steadily(self, endpoint: str, ask: Callable[[], Awaitable[Answered]]) -> Answered:
        return await ask_steadily(ask, lambda error: self.notes.unsteady(endpoint, error))


def _rows_held(rows: Rows) -> str:
    if rows.truncated:
        return say("{count} rows and more", count=len(rows.rows))
    return say_count("{count} row", "{count} rows", len(rows.rows))


def _compared(header: Sequence[str], described: Columns | None) -> list[Breach]:
    """A description that could not be read in full is blamed for that alone, and not the header for what it holds besides."""
    if described is None or not described.items:
        return []
    breaches = compare_header(header, [column.code for column in described.items])
    whole = not described.truncated and LOSING.isdisjoint(breach.rule for breach in described.breaches)
    return breaches if whole else [breach for breach in breaches if breach.rule != "column_undescribed"]
