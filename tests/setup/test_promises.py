"""What a plan promises: its checksum, what it deletes, what it tells beforehand, and what it never shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import PlanError, SetupFileError
from bi_mcp.rest.models import ConnectorFields
from bi_mcp.setup.commands import SetupCommands
from bi_mcp.setup.difference import wire
from bi_mcp.setup.file import read_setup
from bi_mcp.setup.plan_digest import _public_entry
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.steps import PlanStep
from bi_mcp.vault.setting_values import SettingValues
from tests.rest.calling import CHECK
from tests.setup.setups import Bench, a_bench

pytestmark = pytest.mark.anyio

URLS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")


def a_setup(**changes: Any) -> Setup:
    urls = dict.fromkeys(URLS, changes.get("address", f"{CHECK}/x"))
    codes = changes.get("codes", ("host", "password"))
    settings = [{"code": code, "name": code, "type": "STRING"} for code in codes]
    held = {"host": changes.get("host", "db1"), "password": {"env": "BI_MCP_SECRET_P"}}
    column = {"name": "SUM", "externalCode": "sum", "type": changes.get("type", "string")}
    return Setup.model_validate(
        {
            "version": 1,
            "connectors": {"shop": {"title": "Shop", "logo": "data:,", **urls, "settings": settings}},
            "sources": {
                "shop": {
                    "connector": "shop",
                    "title": changes.get("title", "Shop"),
                    "settings": {code: held[code] for code in codes},
                }
            },
            "datasets": {
                "orders": {
                    "source": "shop",
                    "externalCode": changes.get("table", "o"),
                    "externalName": "O",
                    "columns": [{"name": "ID", "externalCode": "id", "type": "int"}, column],
                }
            },
        }
    )


async def applied(bench: Bench, setup: Setup) -> None:
    planned = await bench.workspace().plan(setup)
    assert (await bench.workspace().apply(setup, planned.plan.checksum)).complete


@pytest.mark.parametrize(
    "change", [{"address": f"{CHECK}/y"}, {"host": "db2"}, {"type": "int"}, {"table": "p"}]
)
async def test_a_file_that_changed_after_its_plan_was_seen_is_not_applied(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    async with a_bench("tables", tmp_path) as bench:
        seen = (await bench.workspace().plan(a_setup())).plan.checksum
        with pytest.raises(PlanError, match="changed since this plan was made"):
            await bench.workspace().prepare(a_setup(**change), seen)


@pytest.mark.parametrize("table", ["o", "moved"])
async def test_nothing_is_deleted_for_a_type_that_the_portal_may_refuse(tmp_path: Path, table: str) -> None:
    async with a_bench("classic", tmp_path) as bench:
        await applied(bench, a_setup(table="o"))
        wanted = a_setup(type="money", table=table)
        planned = await bench.workspace().plan(wanted)
        assert "may not know the type money of the column SUM" in planned.plan.obstacles[0]
        with pytest.raises(PlanError, match="Nothing was sent"):
            await bench.workspace().apply(wanted, planned.plan.checksum)
        assert len((await bench.snapshot()).datasets[1].fields or ()) == 2


async def test_a_value_that_is_not_found_where_endpoints_are_checked_is_told_and_breaks_nothing(
    tmp_path: Path,
) -> None:
    async with a_bench("tables", tmp_path) as bench:
        await applied(bench, a_setup())
        workspace = bench.workspace(caller=EndpointCaller())
        workspace.values = SettingValues(variable=lambda _: None, folder=None, allow_literal_secrets=False)
        wanted = a_setup(address=f"{CHECK}/y")
        planned = await workspace.plan(wanted)
        with pytest.raises(PlanError, match="BI_MCP_SECRET_P is not set"):
            await workspace.prepare(wanted, planned.plan.checksum)


async def test_a_variable_of_the_file_is_given_to_no_other_value(tmp_path: Path) -> None:
    async with a_bench("tables", tmp_path) as bench:
        await applied(bench, a_setup())
        existing = read_setup(
            """
version: 1
connectors:
  shop:
    {title: Gone, logo: "data:,", urlCheck: x, urlTableList: x, urlTableDescription: x, urlData: x,
     settings: [{code: p, name: p, type: STRING}]}
sources:
  old: {connector: shop, title: Gone, settings: {p: {env: BI_MCP_SECRET_SHOP_PASSWORD}}}
""",
            "bi.yaml",
        )
        exported = await bench.workspace().export(existing=existing)
        written = exported.setup.sources["shop"].settings["password"]
        assert not isinstance(written, str | int)
        assert written.model_dump() == {"env": "BI_MCP_SECRET_SHOP_PASSWORD_2"}


async def test_it_is_told_that_values_are_lost_with_their_parameters(tmp_path: Path) -> None:
    async with a_bench("tables", tmp_path) as bench:
        await applied(bench, a_setup())
        (change,) = (await bench.workspace().plan(a_setup(codes=("host",)))).plan.changes
        assert change.consequences == ("The values that its sources hold for password are lost.",)


async def test_it_is_told_that_values_would_no_longer_be_encrypted_on_their_way(tmp_path: Path) -> None:
    async with a_bench("tables", tmp_path) as bench:
        await bench.portal.bi.connectors.add(
            ConnectorFields.model_validate(
                wire(a_setup(address="https://check.example/x").connectors["shop"])
            )
        )
        planned = await bench.workspace().plan(a_setup(address="http://check.example/x"))
        change = planned.plan.changes[0]
        assert "would be sent to http://check.example" in change.consequences[0]


async def test_whole_pictures_do_not_pile_up_in_one_request(tmp_path: Path) -> None:
    async with a_bench("tables", tmp_path) as bench:
        setup = a_setup()
        picture = setup.connectors["shop"].model_copy(update={"logo": f"data:,{'x' * 1_000_000}"})
        large = setup.model_copy(update={"connectors": {"shop": picture}})
        step = PlanStep("add", "connector", "Shop", "shop")
        built = [
            SetupCommands(bench.portal.bi, each, bench.values, generation="tables") for each in (setup, large)
        ]
        assert [commands.travels(commands.write(step)) for commands in built] == [True, False]
        await applied(bench, large)
        assert (await bench.workspace().plan(large)).plan.changes == ()


@pytest.mark.parametrize("value", ["*hunter2", "&hunter2", "!hunter2 x", "%hunter2", "@hunter2", "|hunter2"])
def test_an_error_of_a_file_repeats_no_value(value: str) -> None:
    with pytest.raises(SetupFileError) as caught:
        read_setup(f"version: 1\nsources:\n  air: {{settings: {{password: {value}}}}}\n", "bi.yaml")
    assert "hunter2" not in str(caught.value)


def test_no_checksum_is_made_of_a_value_that_may_be_secret() -> None:
    setup = a_setup()
    source = setup.sources["shop"].model_copy(update={"settings": {"password": "hunter2", "host": "db1"}})
    shown = _public_entry(setup.model_copy(update={"sources": {"shop": source}}), "source", "shop")
    assert shown["settings"] == {"password": None, "host": "db1"}
