"""The calls of `urlData` that a check of a connector needs for one table, by what is wrong with it."""

from __future__ import annotations

from benchmarks.outcome import Outcome
from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.endpoints.caller import EndpointCaller
from tests.charts.connector import CONNECTION, PATHS, HonestConnector
from tests.charts.flaws import DATA_FLAWS, FLAWS, OPERATOR_FLAWS
from tests.charts.tables import shop

GOAL = 40
_ORIGIN = "http://shop.localhost"


async def measure_check() -> Outcome:
    """Check an honest connector and each wrong one; the one that needs the most calls counts."""
    calls = {"nothing": await _count(HonestConnector(shop()))}
    for flaw in (*FLAWS, *OPERATOR_FLAWS, *DATA_FLAWS):
        calls[flaw.name] = await _count(flaw.build())
    return Outcome(
        benchmark=f"check of a connector, most calls of urlData for a table ({len(calls)} connectors)",
        measured=max(calls.values()),
        goal=GOAL,
        unit="calls",
        details={f"what is wrong: {name}": count for name, count in calls.items()},
    )


async def _count(connector: HonestConnector) -> int:
    caller = EndpointCaller(apps={_ORIGIN: connector})
    urls = {endpoint: _ORIGIN + path for endpoint, path in PATHS.items()}
    connection = {code: Secret(value) for code, value in CONNECTION.items()}
    await examine_connector(caller, urls, connection, table="orders")
    return connector.calls
