"""What the log and the metrics tell of requests: everything an operator needs, and no value of anybody's."""

from __future__ import annotations

import json
import logging

import pytest

from bi_mcp.base.logs import JsonFormatter
from bi_mcp.connector.refusal import SourceError
from tests.connector.service.serving import CONNECTION, app_of, ask, client_of, connector, listening, shop

pytestmark = pytest.mark.anyio

QUESTION = {
    "table": "orders",
    "select[0]": "ID",
    "select[1]": "NAME",
    "filter[0][LOGIC]": "OR",
    "filter[0][0][!=NAME][0]": "canary-value-of-a-filter",
    "filter[>=PAID]": "2025-01-31",
    "filter[ID]": "1",
}


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bi_mcp.connector")


def facts(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    """The facts of the last record as a machine reads them, without its time and its text."""
    record = [record for record in caplog.records if record.name == "bi_mcp.connector"][-1]
    entry: dict[str, object] = json.loads(JsonFormatter().format(record))
    assert "canary" not in json.dumps(entry)
    assert entry.pop("ms") is not None
    return {name: value for name, value in entry.items() if name not in {"time", "logger", "message"}}


async def test_an_answer_is_told_with_its_table_columns_operators_rows_and_bytes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connector(shop()) as client:
        size = len((await ask(client, "/data", QUESTION)).content)
    assert facts(caplog) == {
        "level": "info",
        "endpoint": "/data",
        "status": 200,
        "source": "shop",
        "table": "orders",
        "columns": 2,
        "operators": "!= = >=",
        "rows": 3,
        "bytes": size,
    }


async def test_a_failure_is_told_with_its_cause_and_the_causes_own_values_are_masked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = shop()
    source.fault = SourceError(
        503,
        "The database refuses.",
        'db.internal: bad literal "canary-value-of-a-filter" for canary-key-of-the-shop\nDETAIL',
    )
    async with connector(source) as client:
        await ask(client, "/data", QUESTION)
    told = facts(caplog)
    assert told["level"] == "error"
    assert told["reason"] == "The database refuses."
    assert told["cause"] == 'db.internal: bad literal "•••" for •••\nDETAIL'
    assert "\n" not in caplog.records[-1].getMessage()


async def test_a_cause_that_may_repeat_any_of_many_values_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = shop()
    source.fault = SourceError(503, "The database refuses.", "bad literal canary-300")
    async with connector(source) as client:
        await ask(
            client,
            "/data",
            {"table": "orders"} | {f"filter[=NAME][{at}]": f"canary-{at}" for at in range(500)},
        )
    assert str(facts(caplog)["cause"]).startswith("(left out")


async def test_what_nobody_foresaw_is_told_by_its_class_and_place(caplog: pytest.LogCaptureFixture) -> None:
    source = shop()
    source.fault = ZeroDivisionError("canary in a driver's text")
    async with connector(source) as client:
        await ask(client, "/check")
    told = facts(caplog)
    assert (told["level"], told["status"]) == ("error", 500)
    assert str(told["reason"]).startswith("ZeroDivisionError in MemorySource.check (line ")


async def test_a_wrong_key_is_told_with_its_caller_and_not_with_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connector(shop()) as client:
        await client.post("/check", data={**CONNECTION, "connection[key]": "canary-key-that-is-wrong"})
    told = facts(caplog)
    assert (told["level"], told["status"], told["caller"]) == ("info", 401, "127.0.0.1")


async def test_a_refused_value_stays_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with connector(shop()) as client:
        response = await ask(client, "/data", {"table": "orders", "filter[=ID]": "canary-no-number"})
    assert "canary-no-number" in response.json()["error"]
    told = facts(caplog)
    assert (told["level"], told["status"], told["reason"]) == ("info", 400, "refused")


async def test_lines_cannot_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    async with connector(shop()) as client:
        await ask(client, "/data", {"table": "x\nendpoint=/data status=200"})
    assert "\n" not in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.3", "10.0.0.3"),
    ],
)
async def test_behind_a_proxy_the_caller_is_the_one_that_it_names_and_not_what_that_one_wrote(
    forwarded: str, caller: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(app_of(shop()), behind_proxy=True) as (address, _), client_of(address) as client:
        await client.post("/check", data={"connection[key]": "wrong"}, headers={"X-Forwarded-For": forwarded})
    assert facts(caplog)["caller"] == caller
