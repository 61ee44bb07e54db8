"""One file: restarts, several servers, several processes."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import anyio
import pytest

from bi_mcp.practice.portal.database import Database
from tests.practice.portal.calling import a_portal, add_connector, add_source, dataset_fields

pytestmark = pytest.mark.anyio

BY_ID = {"id": "ASC"}
SERVERS = 3
CONNECTORS_EACH = 10


async def test_what_is_stored_survives_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    async with a_portal(database=database) as portal:
        source_id = await add_source(portal.caller)
    async with a_portal(database=database) as portal:
        item = (await portal.caller.result("biconnector.source.get", id=source_id))["item"]

    assert item["settings"][0]["value"] == "ann"


async def test_an_id_is_never_given_twice_even_after_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    async with a_portal(database=database) as portal:
        assert await add_connector(portal.caller) == 1
        await portal.caller.result("biconnector.connector.delete", id=1)
    async with a_portal(database=database) as portal:
        assert await add_connector(portal.caller) == 2


async def test_portals_in_memory_share_nothing() -> None:
    async with a_portal() as one, a_portal() as two:
        await add_connector(one.caller)
        assert await two.caller.result("biconnector.connector.list") == []


async def test_two_servers_on_one_file_see_each_others_work_at_once(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    async with a_portal(database=database) as one, a_portal("classic", database=database) as two:
        source_id = await add_source(one.caller)
        fields = dataset_fields(source_id)
        made = await two.caller.result("biconnector.dataset.add", fields=fields)
        refused = await one.caller.code("biconnector.table.add", fields=fields)
        await one.caller.result("biconnector.table.delete", id=made["id"])
        gone = await two.caller.code("biconnector.dataset.get", id=made["id"])

    assert (refused, gone) == ("NAME_EXISTS", "DATASET_NOT_FOUND")


async def test_an_issued_token_is_good_on_every_server_of_the_file(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    async with a_portal(database=database) as one, a_portal(database=database) as two:
        token = one.other_application().token
        answer = await two.caller.http.post("biconnector.connector.list", json={"auth": token})

    assert answer.json()["result"] == []


def test_servers_in_several_processes_lose_nothing_and_agree_on_names(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    with ProcessPoolExecutor(SERVERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        outcomes = list(pool.map(_serve_in_another_process, [database] * SERVERS))
    ids = [connector_id for given, _ in outcomes for connector_id in given]

    assert sorted(ids) == list(range(1, SERVERS * CONNECTORS_EACH + 1))
    assert sorted(code for _, code in outcomes) == ["NAME_EXISTS", "NAME_EXISTS", "added"]


def _serve_in_another_process(database: str) -> tuple[list[int], str]:
    return anyio.run(_work, database)


async def _work(database: str) -> tuple[list[int], str]:
    """Add connectors, then a dataset whose name every other process wants too."""
    async with a_portal(database=database) as portal:
        ids = [await add_connector(portal.caller) for _ in range(CONNECTORS_EACH - 1)]
        source_id = await add_source(portal.caller)
        source = (await portal.caller.result("biconnector.source.get", id=source_id))["item"]
        answer = await portal.caller.post("biconnector.table.add", fields=dataset_fields(source_id))
        result = answer.json()["result"]
        code = "added" if "id" in result else result["error"]["error"]
        return [*ids, source["connectorId"]], code


def test_a_failed_transaction_leaves_nothing_behind() -> None:
    database = Database(":memory:")
    database.create("CREATE TABLE notes (text TEXT UNIQUE)")
    with pytest.raises(sqlite3.IntegrityError):
        _write_twice(database)
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone()[0] == 0


def _write_twice(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES ('kept?')")
        connection.execute("INSERT INTO notes VALUES ('kept?')")


def test_the_tables_may_be_created_again() -> None:
    database = Database(":memory:")
    for _ in range(2):
        database.create(
            "CREATE TABLE IF NOT EXISTS notes (text TEXT);\nCREATE TABLE IF NOT EXISTS more (n INT);\n"
        )
    with database.snapshot() as connection:
        names = {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema")}

    assert names == {"notes", "more"}


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "portal.sqlite"
    database = Database(str(path))
    database.create("CREATE TABLE notes (text TEXT)")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    database.close()

    assert modes == {0o600}
