"""The commands that look into the blind spot, on a practice portal in a file that a client has filled."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import anyio
import pytest
from click.testing import CliRunner, Result
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.cli import main
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.server.build import build_server
from tests.auth import command as processes
from tests.practice.portal.serving import served
from tests.server.talking import Talk
from tests.server.test_diagnosis import INSTRUCTION, a_shop, add_orders


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal with one connector, one source and one dataset, each with id 1, which the commands then find."""
    database = str(tmp_path / "portal.sqlite3")
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")
    monkeypatch.setenv("BI_MCP_PORTAL_DB", database)
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "none"))

    async def fill() -> None:
        async with Client(build_server(Settings(embedded=LocalPortalSettings(database=database)))) as client:
            talk = Talk(client)
            await talk.add_dataset(await talk.add_source(await talk.add_connector()))

    anyio.run(fill)


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.usefixtures("filled")
def test_each_command_tells_what_its_tool_tells() -> None:
    assert ran("check", "1").output.splitlines()[:3] == [
        "ok",
        " ✓ urlCheck: the values are accepted",
        " ✓ urlTableList: 4 tables: airlines, airports, flights, weather",
    ]
    assert "flights  Flights" in ran("tables", "1").output
    assert ran("tables", "1", "--search", "weather").output == "weather  Weather\n"
    assert json.loads(ran("propose", "1", "airlines").stdout)["fields"][0]["externalCode"] == "CARRIER"
    assert "UA" in ran("preview", "1", "--limit", "1").output
    assert ran("--language", "ru", "diagnose", "1").output.startswith("flights: исправен")
    assert ran("diagnose", "1").output.startswith("flights: healthy")
    for command in (("check", "1"), ("preview", "1"), ("diagnose", "1"), ("tables", "1")):
        finished = ran(*command, "--json")
        assert finished.exit_code == 0
        assert json.loads(finished.output)


@pytest.mark.usefixtures("filled")
def test_a_profile_is_printed_as_text_or_json_or_drawn(tmp_path: Path) -> None:
    shown = ran("profile", "flights").output
    assert shown.startswith("flights: Counted from the first 1,000 rows; there may be more.\n")
    assert "CARRIER (string): 0% empty; 14 distinct; 9E … WN; commonest: UA 201" in shown
    assert "посчитано" in ran("--language", "ru", "profile", "1").output.casefold()
    assert json.loads(ran("profile", "1", "--json").output)["counted"] == 1000
    picture = tmp_path / "flights.svg"
    drawn = ran("profile", "1", "--svg", str(picture))
    assert (drawn.exit_code, drawn.output) == (0, "")
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  our own
    both = ran("profile", "1", "--json", "--svg", str(tmp_path / "other.svg"))
    assert both.exit_code == 2
    assert "exclude each other" in both.output
    assert not (tmp_path / "other.svg").exists()


@pytest.mark.usefixtures("filled")
def test_a_preview_says_that_there_are_more_rows() -> None:
    assert ran("preview", "1", "--limit", "1").output.splitlines()[-1] == "There are more rows."
    assert json.loads(ran("preview", "1", "--limit", "1", "--json").output)["truncated"] is True


def test_an_order_in_a_row_is_pointed_out_beside_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(tmp_path / "portal.sqlite3"))
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "none"))
    said: dict[str, Result] = {}

    async def play() -> None:
        local = LocalPortalSettings(database=str(tmp_path / "portal.sqlite3"))
        async with (
            a_shop([["note"], ["fine"], [INSTRUCTION]], {"note": "string"}) as urls,
            Client(build_server(Settings(embedded=local))) as client,
        ):
            column = {"name": "NOTE", "externalCode": "note", "type": "string"}
            dataset = str(await add_orders(Talk(client), urls, [column]))
            for command in ("preview", "profile"):
                for form in ((), ("--json",)):
                    arguments = (command, dataset, *form)
                    said[" ".join(arguments)] = await anyio.to_thread.run_sync(lambda: ran(*arguments))  # noqa: B023  awaited at once

    anyio.run(play)
    for result in said.values():
        assert "row 2, NOTE: an order to the reader" in result.stderr
        assert "order to the reader" not in result.stdout


@pytest.mark.usefixtures("filled")
def test_the_map_says_not_checked_until_it_is_told_to_diagnose() -> None:
    first, *nodes, last = ran("map").output.splitlines()
    assert first == "1 connector: 1 not checked; 1 source: 1 not checked; 1 dataset: 1 not checked"
    assert [line.strip()[0] for line in nodes[:3]] == ["?", "?", "?"]
    assert last.startswith("No endpoint was called. `bi-mcp map --diagnose`")
    checked = ran("map", "--diagnose")
    assert checked.output.startswith("1 connector: 1 ok; 1 source: 1 ok; 1 dataset: 1 ")
    assert "not checked" not in checked.output
    assert "не проверено: 1" in ran("map", "--language", "ru").output


@pytest.mark.usefixtures("filled")
def test_rows_too_wide_for_the_terminal_are_a_line_per_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    shown = [line.split() for line in ran("preview", "1", "--limit", "2").output.splitlines()]
    assert shown[:2] == [["Row", "1"], ["CARRIER", "UA"]]
    assert ["Row", "2"] in shown


@pytest.mark.usefixtures("filled")
def test_what_does_not_exist_is_one_message() -> None:
    finished = ran("diagnose", "99")
    assert finished.exit_code == 1
    assert "DATASET_NOT_FOUND" in finished.output
    # In words for a person in a terminal, who has no tools.
    assert "`bi-mcp map` shows what this application can see" in finished.output
    assert "dataset_list" not in finished.output
    assert ran("check", "0").exit_code == 2


@pytest.mark.usefixtures("filled")
def test_a_table_that_is_gone_says_what_to_do() -> None:
    gone = ran("propose", "1", "flightz")
    assert gone.exit_code == 1
    assert "does not know the table 'flightz'" in gone.output
    assert "'flights'" in gone.output


@pytest.mark.anyio
async def test_what_a_portal_refuses_is_told_with_a_command_and_to_an_assistant_with_a_tool(
    tmp_path: Path,
) -> None:
    token = Secret("token-of-the-tests")
    async with served(create_app(LocalPortalSettings(access_token=token))) as host:
        reached = {"BI_MCP_PORTAL_URL": f"http://{host}", "BI_MCP_ACCESS_TOKEN": token.reveal()}
        for arguments in (("check", "7"), ("tables", "7"), ("diagnose", "7")):
            async with processes.command(tmp_path, *arguments, **reached) as running:
                assert await running.end() == 1
            assert "`bi-mcp map` shows what this application can see" in running.output
        settings = Settings(portal_url=f"http://{host}", access_token=token)
        async with Client(build_server(settings)) as client:
            text = await Talk(client).refused("source_tables", source=7)
    assert "source_list shows what this application can see" in text


async def add_lost(database: str) -> None:
    """A dataset, with the id 2, of a table that the sample does not have."""
    columns = [{"name": "CARRIER", "externalCode": "CARRIER", "type": "string"}]
    fields = {"name": "old", "sourceId": 1, "externalCode": "flights_2012", "externalName": "F"}
    async with Client(build_server(Settings(embedded=LocalPortalSettings(database=database)))) as client:
        await Talk(client).done("dataset_add", fields=fields | {"fields": columns})


@pytest.mark.usefixtures("filled")
def test_a_dataset_whose_table_is_gone_says_so_and_what_to_type(tmp_path: Path) -> None:
    anyio.run(add_lost, str(tmp_path / "portal.sqlite3"))
    lost = ran("diagnose", "2")
    assert lost.exit_code == 1
    first, finding, _, command = lost.output.splitlines()
    assert first == "old: table gone. Charts of this dataset show nothing."
    assert finding.startswith(" ✗ table: The connector no longer lists the table 'flights_2012'")
    assert "Similar ones: 'flights'." in finding
    assert command == "   → bi-mcp propose 1 flights --like 2"
    # What is offered is typed as it stands.
    assert json.loads(ran(*command.split()[2:]).stdout)["externalCode"] == "flights"
    assert "→ bi-mcp propose 1 flights" in ran("diagnose", "--all").output
    assert ran("--language", "ru", "diagnose", "2").output.startswith("old: таблицы больше нет")
    assert json.loads(ran("diagnose", "2", "--json").output)["verdict"] == "table_gone"


@pytest.mark.usefixtures("filled")
def test_what_is_to_be_changed_is_changed_in_the_setup_file() -> None:
    # The dataset of these tests lacks columns of its table.
    told = ran("diagnose", "1").output
    assert "Add those that are wanted to the dataset's columns in the setup file." in told
    assert told.splitlines()[-1].startswith("Repair the portal through its setup file")
    assert "the call" not in told


@pytest.mark.usefixtures("filled")
def test_a_file_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "bi.yaml"
    for command in (("export", str(file)), ("map", "--svg", str(file))):
        finished = ran(*command)
        assert finished.exit_code == 1
        assert isinstance(finished.exception, SystemExit)
        assert str(file) in finished.output.replace("\n", "")


@pytest.mark.usefixtures("filled")
def test_a_whole_portal_is_diagnosed_with_the_worst_first() -> None:
    whole = ran("diagnose", "--all")
    assert "that the dataset lacks" in " ".join(whole.output.split())
    assert whole.output.splitlines()[-1].startswith("note: 1 connector: 1 ok; ")
    found = json.loads(ran("diagnose", "--all", "--source", "1", "--json").output)
    assert [node["key"] for node in found["nodes"]] == ["connector 1", "source 1", "dataset 1"]
    assert whole.exit_code == 0
    for wrong in (("diagnose",), ("diagnose", "1", "--all"), ("diagnose", "1", "--source", "1")):
        assert ran(*wrong).exit_code == 2
