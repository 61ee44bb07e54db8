"""The prompt `move_connector`, replayed: the new address is tried with the held values before anything moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.server.replaying import NEW, OLD, LineEndedError, Script, World, a_world, troubles
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("replays of prompts")]


@dataclass
class MoveConnector(Script):
    """Moves the connector of the shop to the other shop."""

    prompt = "move_connector"

    agrees: bool = True
    connector: dict[str, Any] = field(default_factory=dict)
    sources: list[int] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)

    async def agreed(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, show the person its preview, and call it again if they agree."""
        answer = await self.call(tool, **arguments)
        if "preview" not in answer:
            return answer
        if not self.agrees:
            raise LineEndedError("declined")
        return await self.call(tool, **arguments, confirm=answer["preview"]["confirm"])

    async def step_1(self) -> None:
        [self.connector] = (await self.call("connector_list"))["items"]
        found = await self.call("source_list", filter={"connectorId": self.connector["id"]})
        self.sources = [source["id"] for source in found["items"]]

    async def step_2(self) -> None:
        self.tried = [
            await self.agreed("connector_check", source=source, urls=self.world.other.urls)
            for source in self.sources
        ]

    async def step_2a(self) -> None:
        assert not self.sources
        self.tried = [await self.agreed("connector_check", urls=self.world.other.urls)]

    async def step_2b(self) -> None:
        assert "bi-mcp secret set" in self.refusal
        await self.step_2()

    async def step_3(self) -> None:
        await self.agreed("connector_update", id=self.connector["id"], fields=self.world.other.urls)

    async def step_4(self) -> None:
        for source in self.sources:
            check = await self.call("connector_check", source=source)
            if any("401" in trouble for trouble in troubles(check)):
                raise LineEndedError("it failed")
        datasets = (await self.call("dataset_list", filter={"@sourceId": self.sources}))["items"]
        for dataset in datasets:
            self.rows += (await self.call("dataset_preview", id=dataset["id"]))["rows"]

    async def step_4a(self) -> None:
        listed = await self.call("history_list", object=f"connector {self.connector['id']}")
        await self.agreed("workspace_undo", entry=listed["entries"][0]["id"])


@pytest.fixture(autouse=True)
def keyring() -> Iterator[None]:
    with system_keyring(Keyring()):
        yield


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await world.log_in()
        yield world


@pytest.fixture
async def moving(world: World) -> AsyncIterator[MoveConnector]:
    settings = Settings(configuration_folder=world.folder, profiles=("shop",), limits="off")
    async with Client(build_server(settings)) as client:
        yield MoveConnector(world, client)


async def address(world: World) -> str:
    return str((await world.behind.connectors.get(1)).url_data)


@MoveConnector.route("1 2 3 4")
async def test_a_connector_moves_once_the_new_address_took_the_held_values(
    moving: MoveConnector, route: str
) -> None:
    await moving.world.dataset(await moving.world.source())
    await moving.walk(route)
    assert await address(moving.world) == moving.world.other.urls["urlData"]
    assert len(moving.rows) == 2
    assert OLD not in moving.said


@MoveConnector.route("1 2a 3")
async def test_a_connector_without_sources_moves_too(moving: MoveConnector, route: str) -> None:
    await moving.world.connector(moving.world.shop)
    await moving.walk(route)
    assert await address(moving.world) == moving.world.other.urls["urlData"]


@MoveConnector.route("1 2! 2b 3 4")
async def test_a_stored_secret_goes_to_the_new_host_once_the_person_allows_it(
    moving: MoveConnector, route: str
) -> None:
    world = moving.world
    await world.dataset(await world.source())
    here = destination(world.shop.urls["urlData"])
    NamedSecrets(world.folder).store("shop", Secret(OLD), [here], "file")

    async def the_person_allows_it() -> None:
        world.store("shop", OLD)

    moving.meanwhile["2b"] = the_person_allows_it
    await moving.walk(route)
    assert await address(world) == world.other.urls["urlData"]


@MoveConnector.route("1 2")
async def test_an_address_that_does_not_take_the_values_moves_nothing(
    moving: MoveConnector, route: str
) -> None:
    await moving.world.dataset(await moving.world.source())
    moving.world.other.holds(NEW)
    await moving.walk(route)
    assert any("401" in trouble for check in moving.tried for trouble in troubles(check))
    assert await address(moving.world) == moving.world.shop.urls["urlData"]


@MoveConnector.route("1 2 3!")
async def test_a_move_that_the_person_declines_is_not_made(moving: MoveConnector, route: str) -> None:
    await moving.world.dataset(await moving.world.source())

    async def declined() -> None:
        moving.agrees = False

    moving.meanwhile["3"] = declined
    await moving.walk(route)
    assert moving.refusal == "declined"
    assert await address(moving.world) == moving.world.shop.urls["urlData"]


@MoveConnector.route("1 2 3 4! 4a")
async def test_a_move_after_which_a_source_fails_is_undone(moving: MoveConnector, route: str) -> None:
    await moving.world.dataset(await moving.world.source())

    async def the_password_changes_there() -> None:
        moving.world.other.holds(NEW)

    moving.meanwhile["4"] = the_password_changes_there
    await moving.walk(route)
    assert await address(moving.world) == moving.world.shop.urls["urlData"]


async def test_every_line_is_walked(moving: MoveConnector) -> None:
    assert MoveConnector.walked() == await moving.lines_with_tools()
