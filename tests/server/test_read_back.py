"""A write answers with the object as the portal has it, and is never called failed because that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.errors import UnreachableError
from bi_mcp.practice.run import build_portal
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.request import Request
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import COLUMNS, Talk, connector_fields, dataset_fields

pytestmark = pytest.mark.anyio


async def test_each_write_answers_with_what_get_would_answer(talk: Talk) -> None:
    connector = await talk.done("connector_add", fields=connector_fields())
    assert connector["item"] == (await talk.done("connector_get", id=connector["id"]))["item"]
    changed = await talk.done("connector_update", id=connector["id"], fields={"description": "new"})
    assert changed["item"]["description"] == "new"

    source = await talk.add_source(connector["id"])
    changed = await talk.done("source_update", id=source, fields={"title": "renamed"})
    assert changed["item"] == (await talk.done("source_get", id=source))["item"]
    assert changed["item"]["title"] == "renamed"
    assert "demo-password" not in str(changed)

    dataset = await talk.done("dataset_add", fields=dataset_fields(source))
    assert dataset["item"]["sourceId"] == source
    assert [column["name"] for column in dataset["item"]["fields"]] == [column["name"] for column in COLUMNS]
    changed = await talk.done("dataset_update", id=dataset["id"], fields={"description": "held"})
    assert changed["item"] == (await talk.done("dataset_get", id=dataset["id"]))["item"]


async def test_new_columns_come_with_their_ids(talk: Talk) -> None:
    dataset = await talk.add_dataset(await talk.add_source(await talk.add_connector()))
    day = {"name": "DAY", "externalCode": "FLIGHT_DATE", "type": "date"}
    changed = await talk.done("dataset_fields_update", id=dataset, add=[day])
    added = changed["item"]["fields"][-1]
    assert (added["name"], added["visible"]) == ("DAY", True)
    confirmed = await talk.confirmed("dataset_fields_update", id=dataset, delete=[added["id"]])
    assert added["id"] not in {column["id"] for column in confirmed["item"]["fields"]}


async def test_a_preview_has_nothing_to_show_yet(talk: Talk) -> None:
    dataset = await talk.done(
        "dataset_add", fields=dataset_fields(await talk.add_source(await talk.add_connector()))
    )
    column = dataset["item"]["fields"][0]["id"]
    preview = await talk.done("dataset_fields_update", id=dataset["id"], delete=[column])
    assert "item" not in preview


async def test_a_connector_without_a_logo_gets_a_neutral_one(talk: Talk) -> None:
    fields = {name: value for name, value in connector_fields().items() if name != "logo"}
    created = await talk.done("connector_add", fields=fields)
    assert created["item"]["logo"].startswith("data:image/svg+xml;base64,")


class GetsBreakOff:
    """A transport on which every `get` breaks off, alone or in a batch."""

    def __init__(self, inner: HttpTransport) -> None:
        self.inner = inner

    async def send(self, request: Request) -> Any:
        if request.method.name.endswith(".get"):
            raise UnreachableError("lost", method=request.method.name, may_have_happened=False)
        return await self.inner.send(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


async def test_a_write_whose_object_cannot_be_read_afterwards_is_done_all_the_same(
    settings: Settings, era: Era
) -> None:
    token = Secret("token")
    app = build_portal(LocalPortalSettings(access_token=token))
    bi = BIConnector(GetsBreakOff(HttpTransport("http://localhost", AccessToken(token), app=app)))
    async with Client(build_server(settings, connect=lambda: bi), mode=era) as client:
        talk = Talk(client)
        created = await talk.done("connector_add", fields=connector_fields())
        assert created["id"] == 1
        assert "item" not in created
        assert "could not be read afterwards" in created["notice"]
        assert [item["id"] for item in (await talk.done("connector_list"))["items"]] == [1]


async def test_an_update_says_which_endpoints_were_called(talk: Talk) -> None:
    connector = await talk.add_connector()
    source = await talk.add_source(connector)
    changed = await talk.done("source_update", id=source, fields={"title": "Renamed"})
    assert "urlCheck accepted the values" in changed["notice"]
    settings = [{"code": code, "name": code, "type": "STRING"} for code in ("login", "password", "region")]
    moved = await talk.done("connector_update", id=connector, fields={"settings": settings})
    assert "The endpoints were not called: portal_map" in moved["notice"]
    described = await talk.done("connector_update", id=connector, fields={"description": "x"})
    assert "were not called" not in described["notice"]
