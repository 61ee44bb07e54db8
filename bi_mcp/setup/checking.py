"""A check before anything is made: the endpoints that new and changed sources would use must answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.errors import BiMcpError, PlanError
from bi_mcp.setup.difference import wire

if TYPE_CHECKING:
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.report import Report
    from bi_mcp.setup.setup import Setup
    from bi_mcp.vault.setting_values import SettingValues

AT_ONCE = 8
MOST_NAMED = 10


async def check_endpoints(
    plan: Plan, setup: Setup, values: SettingValues, caller: EndpointCaller
) -> list[str]:
    """Call the endpoints as Bitrix24 would, with the values of the file. Returns what was found good; raises `PlanError` with every error."""
    problems = dict[str, list[str]]()
    room = anyio.CapacityLimiter(AT_ONCE)

    async def check(key: str) -> None:
        async with room:
            problems[key] = await _errors(key, setup, values, caller)

    # Sources that are created or get values, and those of connectors that change.
    sources = {change.key for change in plan.of("source", "create", "update", "replace")}
    connectors = {change.key for change in plan.of("connector", "create", "update")}
    async with anyio.create_task_group() as group:
        for key, source in setup.sources.items():
            if key in sources or source.connector in connectors:
                group.start_soon(check, key)
    faults = [f"sources.{key}: {' '.join(errors)}" for key, errors in sorted(problems.items()) if errors]
    if faults:
        raise PlanError(
            say(
                "Nothing was sent: {faults}",
                faults="; ".join(faults),
            ),
            advise(AdviceKind.SKIP_CHECK),
        )
    if not problems:
        return []
    return [say("Checked before: the endpoints answer for {sources}.", sources=", ".join(sorted(problems)))]


def tell_unchecked(report: Report) -> list[str]:
    """Tell what was not looked at: the endpoints were asked for one table, and no dataset for its rows."""
    steps = [result.step for result in report.results]
    datasets = dict.fromkeys(
        step.label for step in steps if step.group == "dataset" and step.operation != "delete"
    )
    if not datasets:
        return []
    names = [*datasets][:MOST_NAMED]
    return [
        say(
            "Not checked: whether these datasets return rows: {datasets}.",
            datasets=", ".join([*names, "…"] if len(datasets) > len(names) else names),
        )
        + f" {advise(AdviceKind.SEE_ROWS)}"
    ]


async def _errors(key: str, setup: Setup, values: SettingValues, caller: EndpointCaller) -> list[str]:
    source = setup.sources[key]
    connector = setup.connectors[source.connector]
    try:
        connection = await to_thread.run_sync(
            values.resolve, source.settings, connector.settings, connector.addresses
        )
    except BiMcpError as error:
        return [str(error)]
    fields = wire(connector)
    report = await examine_connector(caller, {name: fields[name] for name in ENDPOINTS}, connection)
    return [f"{finding.where}: {finding.what}" for finding in report.findings if finding.level == "error"]
