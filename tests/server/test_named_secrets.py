"""Stored secrets through a real client: they reach the hosts that they are bound to, and a misled assistant gets a refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.practice.portal.calling import Connector
from tests.server.conftest import Era
from tests.server.talking import LOGIN, Talk, connector_fields

pytestmark = pytest.mark.anyio

PASSWORD = "demo-password"
HOME = "sample.localhost"
ELSEWHERE = "https://evil.example"
ENDPOINTS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")
COMMAND = f"`bi-mcp secret set warehouse --for {HOME} --for evil.example`"


@dataclass
class Scene:
    """A server on a portal whose connectors are the sample at home and an eavesdropper elsewhere."""

    talk: Talk
    stored: NamedSecrets
    behind: BIConnector
    elsewhere: Connector

    async def add_source(self, connector: int) -> int:
        return int((await self.talk.done("source_add", fields=source_fields(connector)))["id"])

    async def moved(self) -> dict[str, Any]:
        return {"id": await self.talk.add_connector(), "fields": {"urlCheck": f"{ELSEWHERE}/check"}}


def source_fields(connector: int, name: str = "warehouse") -> dict[str, Any]:
    settings = {"login": LOGIN, "password": {"secret": name}}
    return {"title": "Flights", "connectorId": connector, "settings": settings}


@asynccontextmanager
async def a_scene(tmp_path: Path, era: Era, settings: Settings | None = None) -> AsyncIterator[Scene]:
    elsewhere = Connector()
    token = Secret("token-of-the-tests")
    connectors: dict[str, ASGIApp] = {sample.ORIGIN: sample.create_app(), ELSEWHERE: elsewhere}
    app = create_app(LocalPortalSettings(access_token=token), connectors=connectors)
    bi = BIConnector(HttpTransport("http://localhost", AccessToken(token), app=app))
    stored = NamedSecrets(tmp_path)
    stored.store("warehouse", Secret(PASSWORD), [HOME], "file")
    own = replace(settings or Settings(), configuration_folder=tmp_path)
    async with Client(build_server(own, connect=lambda: bi), mode=era) as client:
        yield Scene(Talk(client), stored, bi, elsewhere)


@pytest.fixture
async def scene(tmp_path: Path, era: Era) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path, era) as scene:
        yield scene


async def test_a_source_is_made_with_a_stored_secret_and_changed_with_it(scene: Scene) -> None:
    source = await scene.add_source(await scene.talk.add_connector())
    kept = {
        setting.code: setting.value for setting in (await scene.behind.sources.get(source)).settings or []
    }
    assert kept == {"login": Secret(LOGIN), "password": Secret(PASSWORD)}
    await scene.talk.done(
        "source_update", id=source, fields={"settings": {"password": {"secret": "warehouse"}}}
    )


async def test_a_connector_elsewhere_gets_no_stored_secret(scene: Scene) -> None:
    """All four endpoints count: the portal sends the values to each."""
    for endpoint in ENDPOINTS:
        fields = connector_fields() | {endpoint: f"{ELSEWHERE}/x"}
        connector = int((await scene.talk.done("connector_add", fields=fields))["id"])
        text = await scene.talk.refused("source_add", fields=source_fields(connector))
        assert "the secret warehouse is bound to sample.localhost and would be sent to evil.example" in text
        assert COMMAND in text
        assert PASSWORD not in text
    assert (await scene.talk.done("source_list"))["items"] == []
    assert scene.elsewhere.received == []


async def test_a_source_whose_connector_moved_meanwhile_gets_no_stored_secret(scene: Scene) -> None:
    connector = await scene.talk.add_connector()
    source = await scene.add_source(connector)
    # Someone else moves it, past this server.
    await scene.behind.connectors.update(connector, ConnectorChanges(url_check=f"{ELSEWHERE}/check"))
    fields = {"settings": {"password": {"secret": "warehouse"}}}
    assert COMMAND in await scene.talk.refused("source_update", id=source, fields=fields)
    assert scene.elsewhere.received == []


async def test_a_check_of_addresses_sends_a_stored_secret_only_to_its_hosts(scene: Scene) -> None:
    urls = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}
    settings = {"login": LOGIN, "password": {"secret": "warehouse"}}
    for endpoint in ENDPOINTS:
        text = await scene.talk.refused(
            "connector_check", urls=urls | {endpoint: f"{ELSEWHERE}/x"}, settings=settings
        )
        assert COMMAND in text
    text = await scene.talk.refused("connector_check", urls={"urlCheck": "evil"}, settings=settings)
    assert "settings.password: a stored secret was not sent." in text
    assert scene.elsewhere.received == []


async def test_a_new_address_of_a_source_is_not_tried_with_a_secret_of_other_hosts(
    tmp_path: Path, era: Era
) -> None:
    for confirm in ("elicit", "off"):
        settings = replace(Settings(), confirm=confirm)
        async with a_scene(tmp_path / confirm, era, settings) as scene:
            source = await scene.add_source(await scene.talk.add_connector())
            urls = {"urlCheck": f"{ELSEWHERE}/check"}
            text = await scene.talk.refused("connector_check", source=source, urls=urls, quick=True)
            assert "Nothing was sent" in text
            assert COMMAND in text
            assert scene.elsewhere.received == []


async def test_a_name_that_is_not_stored_is_told_with_the_command(scene: Scene) -> None:
    connector = await scene.talk.add_connector()
    text = await scene.talk.refused("source_add", fields=source_fields(connector, "shop"))
    assert f"`bi-mcp secret set shop --for {HOME}`" in text


async def test_a_connector_is_not_moved_while_its_sources_hold_a_secret_of_other_hosts(scene: Scene) -> None:
    arguments = await scene.moved()
    source = await scene.add_source(arguments["id"])
    text = await scene.talk.refused("connector_update", **arguments)
    assert f'source {source} "Flights" holds the secret warehouse in "password"' in text
    assert "is bound to sample.localhost and would be sent to evil.example" in text
    assert COMMAND in text
    assert PASSWORD not in text
    assert (await scene.behind.connectors.get(arguments["id"])).url_check == f"{sample.ORIGIN}/check"


async def test_without_confirmation_the_refusal_stays(tmp_path: Path, era: Era) -> None:
    async with a_scene(tmp_path, era, Settings(confirm="off")) as scene:
        arguments = await scene.moved()
        await scene.add_source(arguments["id"])
        assert COMMAND in await scene.talk.refused("connector_update", **arguments)
        scene.stored.store("warehouse", Secret(PASSWORD), [HOME, "evil.example"], "file")
        assert (await scene.talk.done("connector_update", **arguments))["updated"] is True


async def test_a_secret_that_may_travel_is_named_in_the_preview(scene: Scene) -> None:
    arguments = await scene.moved()
    source = await scene.add_source(arguments["id"])
    scene.stored.store("warehouse", Secret(PASSWORD), [HOME, "evil.example"], "file")
    preview = (await scene.talk.done("connector_update", **arguments))["preview"]
    assert (
        f'The secret warehouse, which source {source} "Flights" holds in "password", would be sent to evil.example.'
        in preview["text"]
    )
    assert "Secret by their names: password." in preview["text"]
    assert PASSWORD not in preview["text"]
    confirmed = await scene.talk.done("connector_update", **arguments, confirm=preview["confirm"])
    assert confirmed["updated"] is True


async def test_a_binding_that_is_taken_back_after_the_preview_counts(scene: Scene) -> None:
    arguments = await scene.moved()
    await scene.add_source(arguments["id"])
    scene.stored.store("warehouse", Secret(PASSWORD), [HOME, "evil.example"], "file")
    confirm = await scene.talk.preview("connector_update", **arguments)
    scene.stored.store("warehouse", Secret(PASSWORD), [HOME], "file")
    assert COMMAND in await scene.talk.refused("connector_update", **arguments, confirm=confirm)


async def test_changes_to_the_same_host_and_sources_of_others_need_no_look(scene: Scene) -> None:
    other = await scene.talk.add_connector("Other")
    await scene.add_source(other)
    arguments = await scene.moved()
    preview = (await scene.talk.done("connector_update", **arguments))["preview"]
    assert "The secret" not in preview["text"]
    same_host = {"urlData": f"{sample.ORIGIN}/check"}
    preview = (await scene.talk.done("connector_update", id=other, fields=same_host))["preview"]
    assert "The secret" not in preview["text"]


async def test_a_move_at_the_same_moment_as_a_source_does_not_take_the_secret_along(
    tmp_path: Path, era: Era
) -> None:
    async with a_scene(tmp_path, era, Settings(confirm="off")) as scene:
        arguments = await scene.moved()
        async with anyio.create_task_group() as group:
            group.start_soon(partial_call(scene, "source_add", fields=source_fields(arguments["id"])))
            group.start_soon(partial_call(scene, "connector_update", **arguments))
        sent = [form for form in scene.elsewhere.received if PASSWORD in str(form)]
        assert sent == []
        # One came first: then the other was refused.
        sources = (await scene.talk.done("source_list"))["items"]
        moved = (await scene.behind.connectors.get(arguments["id"])).url_check == f"{ELSEWHERE}/check"
        assert bool(sources) is not moved


def partial_call(scene: Scene, tool: str, **arguments: Any) -> Any:
    async def call() -> None:
        await scene.talk.call(tool, **arguments)

    return call


async def test_a_stored_secret_that_is_only_tried_stays_with_its_hosts_too(scene: Scene) -> None:
    connector = await scene.talk.add_connector()
    source = await scene.add_source(connector)
    await scene.behind.connectors.update(connector, ConnectorChanges(url_data=f"{ELSEWHERE}/data"))
    tried = {"password": {"secret": "warehouse"}}
    assert COMMAND in await scene.talk.refused("connector_check", source=source, settings=tried)
    assert scene.elsewhere.received == []


async def test_a_missing_value_is_offered_a_stored_secret_and_the_offer_works_once_it_is_stored(
    scene: Scene,
) -> None:
    connector = await scene.talk.add_connector()
    settings = connector_fields()["settings"]
    await scene.add_source(connector)
    more = [*settings, {"code": "apiToken", "name": "Token", "type": "STRING"}]
    await scene.talk.done("connector_update", id=connector, fields={"settings": more})
    nodes = (await scene.talk.done("portal_map"))["nodes"]
    [finding] = [finding for node in nodes for finding in node["findings"]]
    command = f"`bi-mcp secret set source-1-api-token --for {HOME}`"
    assert command in finding["fix"]
    # As it stands the call is refused with the same command, since nothing is stored yet.
    call = finding["call"]
    assert command in await scene.talk.refused(call["tool"], **call["arguments"])
    scene.stored.store("source-1-api-token", Secret("token-canary"), [HOME], "file")
    await scene.talk.done(call["tool"], **call["arguments"])
    kept = {setting.code: setting.value for setting in (await scene.behind.sources.get(1)).settings or []}
    assert kept["apiToken"] == Secret("token-canary")
