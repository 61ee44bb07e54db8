"""A setup copied from one portal to another in one plan, through a real client: no value crosses, and nothing is retyped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client

from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Application, Grant, Token
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.server.build import build_server
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.practice.portal.serving import served
from tests.server.replaying import NEVER, NEW, OLD, ORDERS, TOKEN, World, a_world
from tests.server.talking import LOGIN, Talk, text_of

pytestmark = pytest.mark.anyio


@dataclass
class Copying:
    """A server with two portals: `shop`, with a connector, source and dataset, and `prod`, which is empty."""

    world: World
    talk: Talk

    @property
    def replacements(self) -> dict[str, str]:
        return {
            self.world.shop.address: self.world.other.address,
            "shop_test": "shop_prod",
            "Test": "Production",
        }

    def store(self, name: str, value: str, address: str) -> None:
        NamedSecrets(self.world.folder).store(
            name, Secret(value), [destination(f"http://{address}/")], "file"
        )


async def log_in(folder: Path, name: str, address: str) -> None:
    profile = Profile(name=name, portal_url=f"http://{address}", allow_private_addresses=True)
    change_profiles(folder, lambda known: known.with_profile(profile))
    application = Application("local.tests", Secret("-"), f"http://{address}")
    grant = Grant(application, Token(TOKEN, Secret("-"), expires_at=NEVER))
    await FileTokenStore(folder).save(name, grant)


def forget_secret(copying: Copying) -> None:
    """As on a computer where the source's password was never stored."""
    secrets = NamedSecrets(copying.world.folder)
    secrets.remove("shop_test")
    secrets.forget_former(["shop_test"])


@pytest.fixture
async def copying(tmp_path: Path) -> AsyncIterator[Copying]:
    async with (
        a_world(tmp_path) as world,
        served(create_app(LocalPortalSettings(access_token=TOKEN))) as prod,
    ):
        world.shop.holds(OLD, orders=ORDERS)
        world.other.holds(NEW, orders=ORDERS)
        await world.log_in()
        await log_in(tmp_path, "prod", prod)
        await world.dataset(await world.source(title="Test shop"))
        settings = Settings(configuration_folder=tmp_path, limits="off", history=False)
        async with Client(build_server(settings)) as client:
            copying = Copying(world, Talk(client))
            copying.store("shop_test", OLD, world.shop.address)
            yield copying


async def test_a_setup_is_copied_with_other_addresses_and_secrets(copying: Copying) -> None:
    copying.store("shop_prod", NEW, copying.world.other.address)
    plan = await copying.talk.done(
        "workspace_plan", portal="prod", from_portal="shop", replacements=copying.replacements
    )
    assert plan["summary"] == "3 to create."
    assert f"Bitrix24 calls it at {copying.world.other.address}." in plan["plan"]
    assert 'password: secret "shop_prod"' in plan["plan"]
    assert f'login: "{LOGIN}"' in plan["plan"]
    assert "Production shop" in str(plan["changes"])
    applied = await copying.talk.done("workspace_apply", portal="prod", token=plan["token"])
    assert applied["complete"] is True
    assert applied["checks"] == [
        "Checked before: the endpoints answer for test_shop.",
        "Checked afterwards: the portal is as the setup says.",
        "Not checked: whether these datasets return rows: orders. portal_map with diagnose asks all of them.",
    ]
    [dataset] = (await copying.talk.done("dataset_list", portal="prod"))["items"]
    rows = (await copying.talk.done("dataset_preview", portal="prod", id=dataset["id"]))["rows"]
    assert len(rows) == 2
    said = str(plan) + str(applied)
    assert OLD not in said
    assert NEW not in said
    again = await copying.talk.done(
        "workspace_plan", portal="prod", from_portal="shop", replacements=copying.replacements
    )
    assert again["changes"] == []


async def test_what_a_file_would_take_from_the_environment_is_taken_from_a_stored_secret(
    copying: Copying,
) -> None:
    forget_secret(copying)
    copying.store("shop_live", NEW, copying.world.other.address)
    moved = {copying.world.shop.address: copying.world.other.address}
    call = {"portal": "prod", "from_portal": "shop"}
    answer = await copying.talk.call("workspace_plan", **call, replacements=moved)
    refused = answer.structured_content
    assert refused is not None
    told = text_of(answer)
    assert refused.get("token") is None
    assert "Stored secrets that may be sent there: shop_live." in told
    assert told.count("BI_MCP_SECRET_TEST_SHOP_PASSWORD is not set") == 1
    assert "127.0.0.1:" not in told.split("Portal: ")[1].splitlines()[0]
    assert told.count("Portal: ") == 1
    ready = json.loads(told.split("replacements = ")[1].split("}")[0] + "}")
    assert ready == moved | {"BI_MCP_SECRET_TEST_SHOP_PASSWORD": "shop_live"}
    for meant in (
        "BI_MCP_SECRET_TEST_SHOP_PASSWORD",
        "Test shop password",
        "test_shop.password",
        "password",
        "sources.test_shop.settings.password",
    ):
        plan = await copying.talk.done("workspace_plan", **call, replacements=moved | {meant: "shop_live"})
        assert 'password: secret "shop_live"' in plan["plan"], meant
    applied = await copying.talk.done("workspace_apply", portal="prod", token=plan["token"])
    assert applied["complete"] is True
    assert NEW not in told + str(plan) + str(applied)


async def test_a_stored_secret_named_as_a_variable_is_said_to_be_a_secret(copying: Copying) -> None:
    copying.store("shop_live", NEW, copying.world.other.address)
    exported = (await copying.talk.done("workspace_export", portal="shop"))["setup"]
    wrong = exported.replace("secret: shop_test", "env: shop_live").replace(
        copying.world.shop.address, copying.world.other.address
    )
    assert wrong != exported
    plan = await copying.talk.done("workspace_plan", portal="prod", setup=wrong)
    assert "shop_live is a stored secret, not a variable" in str(plan["obstacles"])
    assert "Rename the variable" not in str(plan)


async def test_replacements_may_lie_within_each_other_but_not_be_empty(copying: Copying) -> None:
    copying.store("shop_prod", NEW, copying.world.other.address)
    shop, other = copying.world.shop.address, copying.world.other.address
    both = copying.replacements | {f"http://{shop}": f"http://{other}"}
    plan = await copying.talk.done("workspace_plan", portal="prod", from_portal="shop", replacements=both)
    assert plan["summary"] == "3 to create."
    refused = await copying.talk.refused(
        "workspace_plan", portal="prod", from_portal="shop", replacements={"": "x"}
    )
    assert "replaces an empty text" in refused


async def test_a_secret_does_not_cross_unless_it_may_go_there(copying: Copying) -> None:
    plan = await copying.talk.done(
        "workspace_plan",
        portal="prod",
        from_portal="shop",
        replacements={copying.world.shop.address: copying.world.other.address},
    )
    assert plan.get("token") is None
    assert "bi-mcp secret set shop_test" in str(plan["obstacles"])
    assert OLD not in str(plan)


async def test_what_cannot_be_copied_is_refused_with_the_portals_that_there_are(copying: Copying) -> None:
    talk = copying.talk
    for name in ("prod", "elsewhere"):
        refused = await talk.refused("workspace_plan", portal="prod", from_portal=name)
        assert "is not another portal of this server. Choose from: shop." in refused
    nowhere = {"no such text": "x"}
    refused = await talk.refused("workspace_plan", portal="prod", from_portal="shop", replacements=nowhere)
    assert "no such text" in refused
    wrong = {f"http://{copying.world.shop.address}": "nonsense"}
    plan = await talk.call("workspace_plan", portal="prod", from_portal="shop", replacements=wrong)
    assert plan.is_error or plan.structured_content["obstacles"]


async def test_with_one_portal_there_is_nothing_to_copy_from(talk: Talk) -> None:
    refused = await talk.refused("workspace_plan", from_portal="test")
    assert "It has: portal." in refused or "It has: embedded." in refused
    assert "`bi-mcp login`" in refused


async def test_texts_of_tools_speak_of_tools(copying: Copying) -> None:
    plan = await copying.talk.done("workspace_plan", portal="shop", setup="version: 1")
    assert "With prune, workspace_plan would delete them." in plan["plan"]
    assert "--prune" not in str(plan)
