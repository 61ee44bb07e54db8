"""Every table of a source, examined as Bitrix24 and its charts ask for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bi_mcp.base.progress import as_one_step, report
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings import check_rules
from bi_mcp.diagnostics.findings.finding import Finding, Level, worst
from bi_mcp.errors import EndpointError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.diagnostics.connector.report import ConnectorReport
    from bi_mcp.endpoints.caller import EndpointCaller

OF_A_SOURCE = ("urlCheck", "urlTableList")
OF_A_TABLE = ("urlTableDescription", "urlData")
# For one table: whoever checks a connector of their own wants to know everything.
MOST_CALLS = 1000


class TableReport(BaseModel):
    """A table: what its endpoints hold in short, what is wrong, and the time that the examination took."""

    code: str
    title: str
    verdict: Level
    columns: str | None = None
    rows: str | None = None
    calls: int = 0
    seconds: float = 0
    findings: list[Finding] = []


class SourceReport(BaseModel):
    """A source with its tables. `findings` are those that belong to no table."""

    verdict: Level
    findings: list[Finding]
    tables: list[TableReport]


async def examine_source(
    caller: EndpointCaller,
    urls: Mapping[str, str],
    connection: Mapping[str, Secret],
    *,
    tables: Collection[str] = (),
    quick: bool = False,
) -> SourceReport:
    """Examine the tables with these codes (`*` stands for any text), all by default, one after the other.

    The endpoints lie on one host. Never raises `EndpointError`.
    """
    first = await examine_connector(caller, _choose(urls, OF_A_SOURCE), connection, quick=quick)
    listed = await _titles(caller, urls["urlTableList"], connection)
    wanted = {code: listed.get(code, code) for code in choose_tables(listed, tables)}
    reports = []
    for number, (code, title) in enumerate(wanted.items()):
        await report(number, len(wanted), code)
        with as_one_step():
            examined = await examine_connector(
                caller,
                _choose(urls, OF_A_TABLE),
                connection,
                table=code,
                quick=quick,
                most_calls=MOST_CALLS,
            )
        reports.append(_table(code, title, examined))
    await report(len(wanted), len(wanted), "")
    unlisted = [
        check_rules.TABLE_NOT_LISTED.finding("urlTableList", table=repr(code))
        for code in wanted
        if listed and code not in listed
    ]
    findings = [*first.findings, *unlisted]
    everything = [*findings, *(finding for each in reports for finding in each.findings)]
    return SourceReport(verdict=worst(everything), findings=findings, tables=reports)


def report_trouble(name: str, trouble: str) -> SourceReport:
    """Report a source that cannot be asked at all, with what its owner is told."""
    finding = check_rules.SOURCE_FAILS.finding(name, said=trouble)
    return SourceReport(verdict="error", findings=[finding], tables=[])


def choose_tables(listed: Collection[str], wanted: Collection[str]) -> list[str]:
    """The listed codes that are wanted, all if nothing is said; a code without `*` is wanted even if it is not listed."""
    if not wanted:
        return list(listed)
    chosen = [code for code in listed if any(fnmatchcase(code, pattern) for pattern in wanted)]
    return list(dict.fromkeys([*chosen, *(code for code in wanted if "*" not in code)]))


def _choose(urls: Mapping[str, str], endpoints: Collection[str]) -> dict[str, str]:
    return {endpoint: urls[endpoint] for endpoint in endpoints}


async def _titles(caller: EndpointCaller, url: str, connection: Mapping[str, Secret]) -> dict[str, str]:
    """The titles of the tables by their codes; none where the list fails, which is a finding already."""
    try:
        listed = await caller.table_list(url, connection)
    except EndpointError:
        return {}
    return {table.code: table.title for table in listed.items}


def _table(code: str, title: str, examined: ConnectorReport) -> TableReport:
    # What is to be said about the host is said of the source.
    findings = [finding for finding in examined.findings if finding.where != "address"]
    held = {facts.endpoint: facts.held for facts in examined.endpoints}
    return TableReport(
        code=code,
        title=title,
        verdict=worst(findings),
        columns=held.get("urlTableDescription"),
        rows=held.get("urlData"),
        calls=sum(facts.calls or 0 for facts in examined.endpoints),
        seconds=examined.seconds,
        findings=findings,
    )
