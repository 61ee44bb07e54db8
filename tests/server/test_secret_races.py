"""A stored secret does not stay with a host it is not bound to, whoever moves the connector at the moment of the write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio import Lock
from mcp import Client
from starlette.types import ASGIApp

from bi_mcp.app.portals import build_portals
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.settled_addresses import settle_addresses
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorChanges, SourceFields
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.practice.portal.calling import Connector
from tests.racing import Race
from tests.server.talking import LOGIN, Talk, connector_fields

pytestmark = pytest.mark.anyio

PASSWORD = "demo-password"
HOME, ELSEWHERE = "https://home.example", "https://evil.example"
TOKEN = Secret("token-of-the-tests")
MOVE = ConnectorChanges(url_check=f"{ELSEWHERE}/check")
WITH_SECRET = {"login": LOGIN, "password": {"secret": "warehouse"}}


@dataclass
class Scene:
    talk: Talk
    behind: BIConnector
    race: dict[str, Callable[[], Awaitable[object]]]

    def move(self, when: str, connector: int) -> None:
        self.race[when] = lambda: self.behind.connectors.update(connector, MOVE)

    async def password(self, source: int) -> Secret:
        settings = (await self.behind.sources.get(source)).settings or []
        return next(each.value for each in settings if each.code == "password")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    connectors: dict[str, ASGIApp] = {
        sample.ORIGIN: sample.create_app(),
        HOME: Connector(),
        ELSEWHERE: Connector(),
    }
    app = create_app(LocalPortalSettings(access_token=TOKEN), connectors=connectors)
    behind = BIConnector(HttpTransport("http://localhost", AccessToken(TOKEN), app=app))
    NamedSecrets(tmp_path).store("warehouse", Secret(PASSWORD), ["sample.localhost", "home.example"], "file")
    race = dict[str, Callable[[], Awaitable[object]]]()
    racing = behind.through(lambda inner: Race(inner, race))
    settings = Settings(configuration_folder=tmp_path, history=False, confirm="off")
    async with Client(build_server(settings, connect=lambda: racing)) as client:
        yield Scene(Talk(client), behind, race)


@pytest.mark.parametrize("when", ["before biconnector.source.add", "after biconnector.source.add"])
async def test_a_new_source_whose_connector_moves_at_that_moment_is_taken_back(
    scene: Scene, when: str
) -> None:
    connector = await scene.talk.add_connector()
    scene.move(when, connector)
    fields = {"title": "Flights", "connectorId": connector, "settings": WITH_SECRET}
    text = await scene.talk.refused("source_add", fields=fields)
    assert "to which its stored secret may not be sent: evil.example. What was written was taken back" in text
    assert PASSWORD not in text
    assert [source.id async for source in scene.behind.sources.iterate()] == []


async def test_a_changed_source_whose_connector_moves_at_that_moment_has_its_former_value(
    scene: Scene,
) -> None:
    addresses = {name: f"{HOME}/{name}" for name in sample.ENDPOINTS}
    made = await scene.talk.done("connector_add", fields=connector_fields() | addresses)
    settings = {"login": Secret(LOGIN), "password": Secret("former")}
    source = await scene.behind.sources.add(
        SourceFields(title="Flights", connector_id=made["id"], settings=settings)
    )
    scene.move("after biconnector.source.update", made["id"])
    fields = {"settings": {"password": {"secret": "warehouse"}}}
    assert "was taken back" in await scene.talk.refused("source_update", id=source, fields=fields)
    assert await scene.password(source) == Secret("former")


async def test_a_source_that_stays_stays(scene: Scene) -> None:
    connector = await scene.talk.add_connector()
    scene.race["after biconnector.source.add"] = lambda: scene.behind.connectors.update(
        connector, ConnectorChanges(url_check=f"{sample.ORIGIN}/check", title="Renamed")
    )
    fields = {"title": "Flights", "connectorId": connector, "settings": WITH_SECRET}
    source = int((await scene.talk.done("source_add", fields=fields))["id"])
    assert await scene.password(source) == Secret(PASSWORD)


async def test_a_connector_that_gets_a_source_with_a_stored_secret_while_it_moves_moves_back(
    scene: Scene,
) -> None:
    connector = await scene.talk.add_connector()
    fields = {"urlCheck": f"{ELSEWHERE}/check"}

    async def give() -> None:
        settings = {"login": Secret(LOGIN), "password": Secret(PASSWORD)}
        await scene.behind.sources.add(SourceFields(title="Late", connector_id=connector, settings=settings))

    scene.race["before biconnector.connector.update"] = give
    text = await scene.talk.refused("connector_update", id=connector, fields=fields)
    assert "are again as they were" in text
    assert PASSWORD not in text
    assert (await scene.behind.connectors.get(connector)).url_check == f"{sample.ORIGIN}/check"


async def test_two_logins_of_one_portal_wait_for_each_other(tmp_path: Path) -> None:
    for name in ("one", "two"):
        profile = Profile(name=name, portal_url="https://portal.example")
        change_profiles(tmp_path, lambda known, profile=profile: known.with_profile(profile))  # type: ignore[misc]
    portals, _ = build_portals(Settings(configuration_folder=tmp_path))
    order: list[str] = []

    async def second() -> None:
        async with portals["two"].addresses_settled:
            order.append("two")

    async with anyio.create_task_group() as tasks, portals["one"].addresses_settled:
        tasks.start_soon(second)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        order.append("one")
    assert order == ["one", "two"]


@pytest.mark.parametrize("member", ["", "one"])
async def test_other_processes_are_kept_off_by_address_or_member_id(tmp_path: Path, member: str) -> None:
    a = PortalIdentity("https://a.example", member)
    b = replace(a, address="https://b.example")

    @asynccontextmanager
    async def held(identity: PortalIdentity) -> AsyncIterator[None]:
        async with settle_addresses(tmp_path, identity, Lock(), patience=0):
            yield

    async with held(a):
        with pytest.raises(InvalidRequestError, match="another bi-mcp process has been changing this portal"):
            await AsyncExitStack().enter_async_context(held(a))
        if not member:
            async with held(b):
                return
        with pytest.raises(InvalidRequestError, match="Nothing was sent"):
            await AsyncExitStack().enter_async_context(held(b))


async def test_a_call_does_not_wait_for_ever_for_another_of_the_same_process() -> None:
    identity, here = PortalIdentity("https://a.example"), Lock()

    async def refused() -> None:
        with pytest.raises(InvalidRequestError, match="another call has been changing this portal"):
            await AsyncExitStack().enter_async_context(settle_addresses(None, identity, here, patience=0))

    async with settle_addresses(None, identity, here), anyio.create_task_group() as tasks:
        tasks.start_soon(refused)
    async with settle_addresses(None, identity, here, patience=0):
        assert here.locked()
    assert not here.locked()


async def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "locks").write_text("in the way")
    async with settle_addresses(tmp_path, PortalIdentity("https://a.example"), Lock()):
        assert "Other processes are not kept off" in caplog.text
