"""`bi-mcp chart`: how conditions are typed, and what is printed of a chart on the practice portal."""

from __future__ import annotations

import csv
import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import anyio
import httpx
import pytest
from click.testing import CliRunner, Result
from mcp import Client

from bi_mcp.cli import main
from bi_mcp.cli.actions.chart import REASONS
from bi_mcp.cli.actions.chart_conditions import PHRASES, parse_condition_group
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice import sample
from bi_mcp.practice.portal.chart_failures import FailureKind
from bi_mcp.practice.portal.chart_question import OPERATOR_NAMES
from bi_mcp.server.build import build_server
from tests.server.talking import Talk

DATASET = {
    "name": "flights",
    "externalCode": "flights",
    "externalName": "Flights",
    "fields": [
        {"name": name, "externalCode": name, "type": column_type}
        for name, column_type in (
            ("FLIGHT_DATE", "date"),
            ("CARRIER", "string"),
            ("TAIL_NUMBER", "string"),
            ("DEPARTURE_DELAY", "int"),
        )
    ],
}


def condition(column: str, operator: str, *values: str, exclude: bool = False) -> dict[str, Any]:
    return {"column": column, "operator": operator, "values": list(values), "exclude": exclude}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("CARRIER = UA", [condition("CARRIER", "one of", "UA")]),
        ("carrier=UA, AA", [condition("CARRIER", "one of", "UA", "AA")]),
        ("CARRIER != UA", [condition("CARRIER", "one of", "UA", exclude=True)]),
        ("CARRIER IS NOT ONE OF UA,AA", [condition("CARRIER", "one of", "UA", "AA", exclude=True)]),
        ("CARRIER not in UA", [condition("CARRIER", "one of", "UA", exclude=True)]),
        ("INNER in 1", [condition("INNER", "one of", "1")]),
        ("CARRIER contains U", [condition("CARRIER", "contains", "U")]),
        ("CARRIER does not contain U", [condition("CARRIER", "contains", "U", exclude=True)]),
        ("DELAY between 1 and 5", [condition("DELAY", "between", "1", "5")]),
        ("DELAY not between -1 and 5", [condition("DELAY", "between", "-1", "5", exclude=True)]),
        ("DELAY>100", [condition("DELAY", ">", "100")]),
        ("DELAY not >= 100", [condition("DELAY", ">=", "100", exclude=True)]),
        ("DELAY <= 1", [condition("DELAY", "<=", "1")]),
        ("TAIL is empty", [condition("TAIL", "empty")]),
        ("TAIL is  not empty", [condition("TAIL", "empty", exclude=True)]),
        (
            "TAIL is empty OR CARRIER = UA, AA",
            [condition("TAIL", "empty"), condition("CARRIER", "one of", "UA", "AA")],
        ),
        ('NAME = "this, that or more", x', [condition("NAME", "one of", "this, that or more", "x")]),
        ('NAME between "a and b" and c', [condition("NAME", "between", "a and b", "c")]),
        ('NAME = ""', [condition("NAME", "one of", "")]),
        ('NAME = " a "', [condition("NAME", "one of", " a ")]),
        ("DAY >= 2013-01-01 10:00:00", [condition("DAY", ">=", "2013-01-01 10:00:00")]),
    ],
)
def test_a_condition_is_read_as_it_is_typed(typed: str, meant: list[dict[str, Any]]) -> None:
    assert parse_condition_group(typed) == meant


def test_every_operator_of_the_portal_can_be_typed_with_and_without_not() -> None:
    assert set(PHRASES.values()) == {(name, exclude) for name in OPERATOR_NAMES for exclude in (False, True)}


def test_every_reason_of_the_portal_has_a_sentence() -> None:
    assert set(REASONS) == set(get_args(FailureKind))


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A practice portal in a file, with a dataset `flights` of the sample connector."""
    database = str(tmp_path / "portal.sqlite3")
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")
    monkeypatch.setenv("BI_MCP_PORTAL_DB", database)
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "100")

    async def fill() -> None:
        async with Client(build_server(Settings(embedded=LocalPortalSettings(database=database)))) as client:
            talk = Talk(client)
            source = await talk.add_source(await talk.add_connector())
            await talk.done("dataset_add", fields={**DATASET, "sourceId": source})

    anyio.run(fill)


def ran(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, ["chart", *arguments], env=variables)


FLIGHTS = Path(sample.__file__).with_name("data") / "flights.csv"


def flights() -> list[dict[str, str]]:
    """The shipped data, read independently of connector and portal."""
    with FLIGHTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("generation", ["classic", "tables"])
@pytest.mark.parametrize("culture", ["ru", "iso"])
def test_a_chart_shows_the_rows_that_the_conditions_leave_and_their_sum(
    culture: str, generation: str
) -> None:
    wanted = [
        int(row["DEPARTURE_DELAY"])
        for row in flights()
        if row["FLIGHT_DATE"] == "2013-01-02" and row["CARRIER"] in {"UA", "AA"} and row["DEPARTURE_DELAY"]
    ]
    assert wanted
    result = ran(
        "flights",
        *("--column", "CARRIER", "--from", "2013-01-02", "--to", "2013-01-02", "--sum", "departure_delay"),
        *("--where", "CARRIER = UA, AA", "--where", "DEPARTURE_DELAY is not empty"),
        BI_MCP_PORTAL_CULTURE=culture,
        BI_MCP_PORTAL_GENERATION=generation,
    )
    assert result.exit_code == 0, result.output
    header, *_, count, total = result.output.splitlines()
    assert header.split() == ["CARRIER", "DEPARTURE_DELAY"]
    assert (count, total) == (f"{len(wanted)} rows", f"Sum of DEPARTURE_DELAY: {sum(wanted)}")


@pytest.mark.usefixtures("filled")
def test_a_chart_as_json_is_that_of_the_practice_route() -> None:
    result = ran("1", "--json", "--limit", "2", "--where", "DEPARTURE_DELAY between 1 and 5")
    body = json.loads(result.output)
    assert result.exit_code == 0
    assert (len(body["rows"]), body["failure"], body["status"]) == (2, None, 200)
    assert body["sent"]["filter[0][0][><DEPARTURE_DELAY][1]"] == "5"
    assert body["sent"]["limit"] == "2"


@pytest.mark.usefixtures("filled")
def test_an_empty_chart_says_why_and_what_was_sent_and_ends_with_status_1(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "portal.sqlite3") as database:
        database.execute("UPDATE source_settings SET value = 'canary-password' WHERE code = 'password'")
    database.close()
    result = ran("flights", "--column", "CARRIER")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith("The chart is empty. The connector answered HTTP 401")
    assert lines[1:4] == [
        "Sent, beside the settings of the source:",
        "  table=flights",
        "  select[0]=CARRIER",
    ]
    assert lines[-1].startswith("Answer: ")
    assert "canary-password" not in result.output
    russian = CliRunner().invoke(main, ["--language", "ru", "chart", "flights"])
    assert russian.output.startswith("График пуст.")


@pytest.mark.usefixtures("filled")
def test_values_of_another_type_are_counted(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "portal.sqlite3") as database:
        database.execute("UPDATE dataset_columns SET type = 'int' WHERE name = 'CARRIER'")
    database.close()
    result = ran("flights", "--limit", "2", "--where", "DEPARTURE_DELAY > 0")
    assert "not of type int: 2 in CARRIER." in result.output


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "The practice portal has no dataset 'nothing'. `bi-mcp map` shows what it has."),
        (["flights", "--column", "nowhere"], "no visible column 'NOWHERE'. It has FLIGHT_DATE"),
        (["flights", "--where", "CARRIER"], "'CARRIER' is not a condition. Write it as"),
        (["flights", "--where", 'CARRIER = "U"A'], "is not a condition"),
        (["flights", "--where", "DEPARTURE_DELAY between 1"], "takes 2 values"),
        (["flights", "--time-column", "FLIGHT_DATE"], "--time-column goes with --from or --to."),
        (["flights", "--from", "31.12.2013"], "31.12.2013"),
        (["flights", "--sum", "CARRIER", "--limit", "2"], "CARRIER holds no numbers"),
        (
            ["flights", "--sum", "nowhere", "--limit", "2"],
            "The chart has no column NOWHERE. It shows FLIGHT_DATE",
        ),
    ],
)
def test_what_cannot_be_a_chart_is_said_in_a_sentence(arguments: list[str], said: str) -> None:
    result = ran(*arguments)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_charts_of_a_real_portal_are_left_to_its_bi_builder(tmp_path: Path) -> None:
    real = {
        "BI_MCP_PORTAL_URL": "https://portal.example",
        "BI_MCP_ACCESS_TOKEN": "canary",
        "BI_MCP_CONFIG_DIR": str(tmp_path),
    }
    result = ran("flights", **real)
    assert result.exit_code == 1
    assert "portal.example is a real portal, and its charts are seen in its BI Builder" in result.output


@pytest.mark.usefixtures("filled")
def test_the_portal_on_a_port_opens_charts_in_the_culture_of_its_option() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-u", "-m", "bi_mcp", "portal", "--port", str(port), "--culture", "en-gb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as portal:  # noqa: S603  our own command
        try:
            assert portal.stdout is not None
            portal.stdout.readline()
            token = portal.stdout.readline().strip().rpartition("BI_MCP_ACCESS_TOKEN=")[2]
            question = {
                "auth": token,
                "dataset": "flights",
                "dates": {"from": "2013-01-02", "to": "2013-01-02"},
            }
            # The portal names its address before it listens there.
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as http:
                chart = http.post(
                    f"http://127.0.0.1:{port}/practice/charts", json=question, timeout=60
                ).json()
        finally:
            portal.terminate()
    assert chart["failure"] is None
    assert {row[0] for row in chart["rows"]} == {"2013-01-02"}
    assert chart["sent"]["filter[<=FLIGHT_DATE]"] == "02/01/2013 23:59:59"
