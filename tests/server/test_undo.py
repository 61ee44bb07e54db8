"""workspace_undo and bi://history, through a real client on a portal whose writes are recorded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mcp import Client, MCPError

from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import Talk, text_of
from tests.server.test_links import links
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def keyring() -> Iterator[None]:
    with system_keyring(Keyring()):
        yield


@pytest.fixture
def recording(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, configuration_folder=tmp_path, audit_file=tmp_path / "audit.jsonl")


@pytest.fixture
async def recorded(recording: Settings, era: Era) -> AsyncIterator[Talk]:
    async with Client(build_server(recording), mode=era) as client:
        yield Talk(client)


def everything_in(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


async def test_a_deleted_source_is_made_again_with_its_password_which_nobody_sees(
    recorded: Talk, tmp_path: Path
) -> None:
    source = await recorded.add_source(await recorded.add_connector())
    await recorded.confirmed("source_delete", id=source)
    entry = await recorded.last_entry()
    preview = (await recorded.done("workspace_undo", entry=entry))["preview"]
    assert f'create source {source} "Flights" again, with a new id' in preview["text"]
    assert "Note: with its values of login, password." in preview["text"]
    assert (await recorded.done("source_list"))["items"] == []
    undone = await recorded.done("workspace_undo", entry=entry, confirm=preview["confirm"])
    assert undone["undone"] is True
    [made] = (await recorded.done("source_list"))["items"]
    assert made["id"] == undone["steps"][0]["id"]
    # The portal calls urlCheck with what the source holds, on every update.
    await recorded.done("source_update", id=made["id"], fields={"title": "Again"})
    shown = await recorded.read("bi://history")
    assert "demo-password" not in shown + everything_in(tmp_path) + json.dumps(undone)


async def test_the_history_says_what_was_changed_and_what_was_undone(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    await recorded.done("connector_update", id=connector, fields={"title": "Renamed"})
    await recorded.confirmed("workspace_undo", entry=await recorded.last_entry())
    undo, update, add = json.loads(await recorded.read("bi://history"))["entries"]
    assert (add["tool"], add["object"], add["outcome"]) == ("connector_add", connector, "done")
    assert (update["tool"], update["fields"], update["undoneBy"]) == (
        "connector_update",
        ["title"],
        undo["id"],
    )
    assert (undo["tool"], undo["undoes"]) == ("workspace_undo", update["id"])
    assert (await recorded.done("connector_get", id=connector))["item"]["title"] == "Sample"


async def test_what_was_changed_since_is_refused_at_the_first_call(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    await recorded.done("connector_update", id=connector, fields={"title": "One"})
    [update, _] = json.loads(await recorded.read("bi://history"))["entries"]
    await recorded.done("connector_update", id=connector, fields={"title": "Two"})
    text = await recorded.refused("workspace_undo", entry=update["id"])
    assert "title was changed again since" in text
    assert "no entry 'nonsense'" in await recorded.refused("workspace_undo", entry="nonsense")


async def test_a_preview_does_not_hold_when_the_object_changes_meanwhile(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    entry = await recorded.last_entry()
    confirm = await recorded.preview("workspace_undo", entry=entry)
    await recorded.done("connector_update", id=connector, fields={"title": "Renamed"})
    await recorded.refused("workspace_undo", entry=entry, confirm=confirm)
    assert (await recorded.done("connector_get", id=connector))["item"]["title"] == "Renamed"


async def test_what_needs_no_step_is_told_without_a_question(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    [add] = json.loads(await recorded.read("bi://history"))["entries"]
    await recorded.confirmed("connector_delete", id=connector)
    done = await recorded.done("workspace_undo", entry=add["id"])
    assert (done["undone"], done["steps"]) == (True, [])
    assert f"connector {connector} is gone" in done["notice"]


async def test_without_a_history_undo_says_so(talk: Talk) -> None:
    assert "BI_MCP_HISTORY is off" in await talk.refused("workspace_undo", entry="1234")
    with pytest.raises(MCPError, match="BI_MCP_HISTORY is off"):
        await talk.read("bi://history")


async def test_the_history_outlives_the_server(settings: Settings, tmp_path: Path) -> None:
    portal = replace(settings.embedded, database=str(tmp_path / "portal.sqlite3"))
    recording = replace(settings, configuration_folder=tmp_path / "folder", embedded=portal)
    async with Client(build_server(recording)) as client:
        await Talk(client).add_connector()
    async with Client(build_server(recording)) as client:
        talk = Talk(client)
        undone = await talk.confirmed("workspace_undo", entry=await talk.last_entry())
        assert undone["undone"] is True
        assert (await Talk(client).done("connector_list"))["items"] == []


async def test_the_history_is_listed_by_object_newest_first_with_columns_and_what_was_undone(
    recorded: Talk,
) -> None:
    source = await recorded.add_source(await recorded.add_connector())
    dataset = await recorded.add_dataset(source)
    columns = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
    await recorded.confirmed("dataset_fields_update", id=dataset, delete=[columns[1]["id"]])
    deleted = await recorded.last_entry()
    text = text_of(await recorded.call("history_list", object=f"dataset {dataset}"))
    headline, _, latest, first = text.splitlines()
    assert "newest first" in headline
    assert f'dataset {dataset} "flights": delete columns DISTANCE (DISTANCE, int) · done' in latest
    assert latest.startswith(deleted)
    assert "dataset_add" in first
    assert "create, 2 columns" in first
    preview = (await recorded.done("workspace_undo", entry=deleted))["preview"]
    shown = preview["text"]
    assert "add columns DISTANCE (DISTANCE, int) again" in shown
    assert shown.startswith("This change would be undone: ")
    assert "epends on it" not in shown
    assert shown.count("Charts are not visible from here.") == 1
    undone = await recorded.call("workspace_undo", entry=deleted, confirm=preview["confirm"])
    [again] = (undone.structured_content or {})["columns"]
    assert (again["name"], again["externalCode"], again["type"]) == ("DISTANCE", "DISTANCE", "int")
    assert again["id"] > columns[1]["id"]
    assert f"bi://dataset/{dataset}" in links(undone)
    undo, before, _ = (await recorded.done("history_list", object="FLIGHT"))["entries"][:3]
    assert (undo["undoes"], before["undoneBy"]) == (deleted, undo["id"])


async def test_a_deletion_says_that_it_can_be_undone(recorded: Talk) -> None:
    dataset = await recorded.add_dataset(await recorded.add_source(await recorded.add_connector()))
    columns = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
    arguments = {"id": dataset, "delete": [columns[1]["id"]]}
    text = (await recorded.done("dataset_fields_update", **arguments))["preview"]["text"]
    assert "workspace_undo can add them again, with new ids" in text
    assert "for good" not in text
    text = (await recorded.done("dataset_delete", id=dataset))["preview"]["text"]
    revival = "workspace_undo can create it again, with a new id, which charts do not follow."
    assert text.endswith(revival)
    assert revival in (await recorded.confirmed("dataset_delete", id=dataset))["notice"]


async def test_without_a_history_a_deletion_says_that_it_is_final(talk: Talk) -> None:
    connector = await talk.add_connector()
    text = (await talk.done("connector_delete", id=connector))["preview"]["text"]
    assert text.endswith("This cannot be undone: no history is kept.")


async def test_the_undo_of_an_undo_gives_the_replacement_back(recorded: Talk) -> None:
    dataset = await recorded.add_dataset(await recorded.add_source(await recorded.add_connector()))
    code = [{"name": "DISTANCE", "externalCode": "AIR_TIME"}]
    await recorded.confirmed("dataset_columns_replace", id=dataset, columns=code)
    for expected in ("DISTANCE", "AIR_TIME", "DISTANCE"):
        undone = await recorded.confirmed("workspace_undo", entry=await recorded.last_entry())
        assert [column["externalCode"] for column in undone["columns"]] == [expected]
        fields = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
        assert expected in [column["externalCode"] for column in fields]


async def test_the_history_of_an_object_that_was_made_again_goes_on_under_both_ids(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    source = await recorded.add_source(connector)
    await recorded.confirmed("source_delete", id=source)
    entry = await recorded.last_entry()
    await recorded.confirmed("connector_delete", id=connector)
    deletion = await recorded.last_entry()
    shown = (await recorded.done("workspace_undo", entry=deletion))["preview"]["text"]
    assert f"what depended on it does not come back with it; undo {entry} afterwards" in shown
    await recorded.confirmed("workspace_undo", entry=deletion)
    made = (await recorded.confirmed("workspace_undo", entry=entry))["steps"][0]["id"]
    for id in (source, made):
        found = (await recorded.done("history_list", object=f"bi://source/{id}"))["entries"]
        assert [each["method"].rpartition(".")[2] for each in found] == ["add", "delete", "add"]
    assert "no objects of the kind" in await recorded.refused("history_list", object="chart 5")


async def test_an_undo_of_an_address_names_the_datasets_that_read_through_it(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    dataset = await recorded.add_dataset(await recorded.add_source(connector))
    moved = {"urlData": "http://sample.localhost/data?moved=1"}
    await recorded.confirmed("connector_update", id=connector, fields=moved)
    preview = (await recorded.done("workspace_undo", entry=await recorded.last_entry()))["preview"]
    assert f'1 dataset ({dataset} "flights")' in preview["text"]


async def test_the_history_comes_in_pages(recorded: Talk) -> None:
    connector = await recorded.add_connector()
    for number in range(20):
        await recorded.done("connector_update", id=connector, fields={"title": f"Title {number}"})
    first = await recorded.done("history_list")
    second = await recorded.done("history_list", page=2)
    assert (len(first["entries"]), first["more"]) == (20, True)
    assert ([each["tool"] for each in second["entries"]], second["more"]) == (["connector_add"], False)
    assert "no such changes" in text_of(await recorded.call("history_list", object="nothing"))
