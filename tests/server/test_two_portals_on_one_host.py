"""Two portals on one host name and different ports: what was done to one is never undone or changed on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.server.build import build_server
from tests.practice.portal.serving import served
from tests.server.talking import Talk
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio

TOKEN = Secret("a-token-of-both")
SETUP = """\
version: 1
connectors:
  shop:
    title: Shop
    logo: https://example.com/logo.png
    urlCheck: https://shop.example/check
    urlTableList: https://shop.example/tables
    urlTableDescription: https://shop.example/table
    urlData: https://shop.example/data
    settings: []
"""


@asynccontextmanager
async def on(address: str, folder: Path) -> AsyncIterator[Talk]:
    settings = Settings(
        portal_url=f"http://{address}",
        access_token=TOKEN,
        configuration_folder=folder,
        workspace_folder=folder,
        confirm="off",
    )
    with system_keyring(Keyring()):
        async with Client(build_server(settings)) as client:
            yield Talk(client)


@asynccontextmanager
async def two_portals() -> AsyncIterator[tuple[str, str]]:
    one, other = (create_app(LocalPortalSettings(access_token=TOKEN)) for _ in range(2))
    async with served(one) as first, served(other) as second:
        yield first, second


async def test_an_undo_does_not_reach_what_another_portal_holds_under_the_same_id(tmp_path: Path) -> None:
    async with two_portals() as (a, b):
        async with on(b, tmp_path) as talk:
            assert await talk.add_connector("A stranger's") == 1
        (folder := tmp_path / "history").rename(tmp_path / "elsewhere")
        async with on(a, tmp_path) as talk:
            assert await talk.add_connector("Ours") == 1
            entry = await talk.last_entry()
        assert folder.exists()
        async with on(b, tmp_path) as talk:
            assert (await talk.done("history_list"))["entries"] == []
            assert "no entry" in await talk.refused("workspace_undo", entry=entry)
            assert [item["title"] for item in (await talk.done("connector_list"))["items"]] == [
                "A stranger's"
            ]


async def test_an_application_does_not_change_what_another_portal_holds_under_the_same_id(
    tmp_path: Path,
) -> None:
    (tmp_path / "bi.yaml").write_text(SETUP, encoding="utf-8")
    async with two_portals() as (a, b):
        async with on(a, tmp_path) as talk:
            plan = await talk.done("workspace_plan", file="bi.yaml")
            await talk.done("workspace_apply", token=plan["token"])
        async with on(b, tmp_path) as talk:
            assert await talk.add_connector("A stranger's") == 1
            plan = await talk.done("workspace_plan", file="bi.yaml")
            assert plan["summary"] == "1 to create."
            await talk.done("workspace_apply", token=plan["token"])
            assert [item["title"] for item in (await talk.done("connector_list"))["items"]] == [
                "A stranger's",
                "Shop",
            ]
