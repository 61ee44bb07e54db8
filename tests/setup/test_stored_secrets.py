"""A setup whose connector moves takes no stored secret along to a host that it is not bound to."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.advice import use_words
from bi_mcp.base.secret import Secret
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.server.advice import WORDS
from bi_mcp.setup.plan import Plan
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state_file import StateFile
from bi_mcp.setup.workspace import Workspace
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.setting_values import EnvReference, SecretReference, SettingValues
from tests.rest.calling import CHECK, Portal, a_portal, connector_fields, source_fields

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse"
HOME = destination(CHECK)


def workspace(portal: Portal, folder: Path, stored: NamedSecrets) -> Workspace:
    values = SettingValues(lambda _: None, None, allow_literal_secrets=False, named=stored)
    return Workspace(
        portal.bi, StateFile(folder / "setup.state.json", PortalIdentity("portal.example")), values
    )


async def planned(workspace: Workspace, moved_to: str, *, referring: bool = False) -> Plan:
    """The plan of the portal's own setup, with another urlData, and the source's password by name or left alone."""
    setup = (await workspace.export()).setup
    connectors = {
        key: entry.model_copy(update={"url_data": moved_to}) for key, entry in setup.connectors.items()
    }
    password = {"password": SecretReference(secret="shop")} if referring else {}
    sources = {
        key: entry.model_copy(update={"settings": {"login": "ann", **password}})
        for key, entry in setup.sources.items()
    }
    changed = Setup.model_validate(setup.model_copy(update={"connectors": connectors, "sources": sources}))
    with use_words(WORDS):
        return (await workspace.plan(changed)).plan


@pytest.mark.parametrize("referring", [True, False])
async def test_a_move_is_an_obstacle_until_the_user_allows_it(tmp_path: Path, *, referring: bool) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("shop", Secret(PASSWORD), [HOME], "file")
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password=PASSWORD))
        own = workspace(portal, tmp_path, stored)
        assert (await planned(own, f"{CHECK}/elsewhere", referring=referring)).obstacles == ()

        plan = await planned(own, "https://evil.example/data", referring=referring)
        told = " ".join(plan.obstacles)
        assert "holds the secret shop" in told
        assert f"`bi-mcp secret set shop --for {HOME} --for evil.example`" in told
        assert PASSWORD not in told

        stored.store("shop", Secret(PASSWORD), [HOME, "evil.example"], "file")
        plan = await planned(own, "https://evil.example/data", referring=referring)
        assert plan.obstacles == ()
        consequences = [text for change in plan.changes for text in change.consequences]
        assert any("The secret shop" in text and "sent to evil.example" in text for text in consequences)


async def test_a_new_source_takes_a_stored_secret_only_to_its_hosts(tmp_path: Path) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("shop", Secret(PASSWORD), [HOME], "file")
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        source = await portal.bi.sources.add(source_fields(connector))
        own = workspace(portal, tmp_path, stored)
        setup = (await own.export()).setup
        sources = {
            key: entry.model_copy(
                update={"settings": {"login": "ann", "password": SecretReference(secret="shop")}}
            )
            for key, entry in setup.sources.items()
        }
        setup = setup.model_copy(update={"sources": sources})
        await portal.bi.sources.delete(source)
        assert (await own.plan(setup)).plan.obstacles == ()
        await own.apply(setup, (await own.plan(setup)).plan.checksum)
        assert portal.check.received[-1]["connection[password]"] == PASSWORD

        found = [item async for item in portal.bi.sources.iterate()]
        await portal.bi.sources.delete(found[0].id)
        await portal.bi.connectors.update(connector, ConnectorChanges(url_data="https://evil.example/data"))
        moved = {
            key: entry.model_copy(update={"url_data": "https://evil.example/data"})
            for key, entry in setup.connectors.items()
        }
        plan = (await own.plan(setup.model_copy(update={"connectors": moved}))).plan
        assert "would be sent to evil.example" in " ".join(plan.obstacles)


@pytest.mark.parametrize("host", [HOME, "elsewhere.example"])
async def test_an_export_names_a_stored_secret_that_may_go_where_the_connector_leads(
    tmp_path: Path, host: str
) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("shop", Secret(PASSWORD), [host], "file")
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password=PASSWORD))
        exported = await workspace(portal, tmp_path, stored).export()
        (source,) = exported.setup.sources.values()
        named = source.settings["password"] == SecretReference(secret="shop")
        assert named is (host == HOME)


@pytest.mark.parametrize("alone", [True, False])
async def test_what_a_write_refers_to_is_looked_up_once(tmp_path: Path, *, alone: bool) -> None:
    looked_up = list[str]()

    def variable(name: str) -> Secret:
        looked_up.append(name)
        return Secret(PASSWORD)

    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        titles = ["Air"] if alone else ["Air", "Sea", "Rail"]
        for title in titles:
            await portal.bi.sources.add(source_fields(connector).model_copy(update={"title": title}))
        values = SettingValues(variable, None, allow_literal_secrets=False)
        own = Workspace(portal.bi, StateFile(tmp_path / "bi.yaml", PortalIdentity("portal.example")), values)
        setup = (await own.export()).setup
        for source in [item async for item in portal.bi.sources.iterate()]:
            await portal.bi.sources.delete(source.id)
        application = await own.prepare(setup, (await own.plan(setup)).plan.checksum)
        looked_up.clear()
        assert (await application.run()).complete
    assert len(looked_up) == len(set(looked_up)) == len(titles)


async def test_an_export_never_writes_a_known_value_whatever_its_code_is_called(tmp_path: Path) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("shop", Secret("ann"), ["elsewhere.example"], "file")
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password=PASSWORD))
        exported = await workspace(portal, tmp_path, stored).export(shown_settings=frozenset({"login"}))
        (source,) = exported.setup.sources.values()
        assert isinstance(source.settings["login"], EnvReference)
        assert any("settings.login: the value is not written" in text for text in exported.left_out)

        stored.remove("shop")
        exported = await workspace(portal, tmp_path, stored).export(shown_settings=frozenset({"login"}))
        (source,) = exported.setup.sources.values()
        assert isinstance(source.settings["login"], EnvReference)

        stored.forget_former(["shop"])
        exported = await workspace(portal, tmp_path, stored).export()
        (source,) = exported.setup.sources.values()
        assert source.settings["login"] == "ann"


async def test_a_move_is_an_obstacle_where_a_source_holds_a_former_value(tmp_path: Path) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("shop", Secret(PASSWORD), [HOME], "file")
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password=PASSWORD))
        own = workspace(portal, tmp_path, stored)
        stored.store("shop", Secret("rotated"), [HOME, "evil.example"], "file")
        told = " ".join((await planned(own, "https://evil.example/data")).obstacles)
        assert f'a former value of the secret shop in "password", which was bound to {HOME}' in told
        assert "`bi-mcp secret forget-former shop`" in told
        assert PASSWORD not in told

        stored.forget_former(["shop"])
        assert (await planned(own, "https://evil.example/data")).obstacles == ()


async def test_an_export_keeps_the_reference_of_a_file_for_a_code_that_would_be_shown(tmp_path: Path) -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password=PASSWORD))
        own = workspace(portal, tmp_path, NamedSecrets(tmp_path))
        setup = (await own.export()).setup
        reference = EnvReference(env="BI_MCP_SECRET_NOT_SET_HERE")
        sources = {
            key: entry.model_copy(update={"settings": {**entry.settings, "login": reference}})
            for key, entry in setup.sources.items()
        }
        exported = await own.export(existing=setup.model_copy(update={"sources": sources}))
        (source,) = exported.setup.sources.values()
        assert source.settings["login"] == reference
