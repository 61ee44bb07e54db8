"""Portals that are odd and legal: what is exported says the same when it is read again, holds no secret, and plans nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.errors import PlanError
from bi_mcp.rest import BIConnector
from bi_mcp.rest.models import (
    ColumnChanges,
    ConnectorChanges,
    DatasetFields,
    NewColumn,
    Parameter,
    SourceFields,
)
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.plan import Plan
from bi_mcp.setup.setup import Setup
from tests.rest.calling import CHECK, connector_fields, dataset_fields
from tests.setup.setups import PASSWORD, Bench, a_bench

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("generation", ["classic", "tables"])]

HIDDEN = "hunter2"
ODD = [
    "? a key",
    ": a value",
    "next\x85line",
    "two\nlines",
    "tab\tand end ",
    "\u202eright to left",
    "e\u0301 and é",
    "👨‍👩‍👧",
    "<<",
    "0123",
    "1e3",
    "no",
    "\ufeffmark",
]


async def planned(bench: Bench) -> tuple[str, Plan]:
    """The portal as text, and what that text would change, all else deleted."""
    workspace = bench.workspace()
    exported = await workspace.export()
    text = write_setup(exported.setup)
    read = read_setup(text, "bi.yaml")
    assert read == exported.setup
    assert write_setup(read, text) == text
    return text, (await workspace.plan(read, prune=True)).plan


async def add_source(bi: BIConnector, names: Mapping[str, str], settings: Mapping[str, str]) -> int:
    parameters = [Parameter(code=code, name=name, type="STRING") for code, name in names.items()]
    connector = await bi.connectors.add(connector_fields(settings=parameters))
    values = {code: Secret(value) for code, value in settings.items()}
    return await bi.sources.add(SourceFields(title="Shop", connector_id=connector, settings=values))


@pytest.mark.parametrize("odd", ODD)
async def test_texts_that_yaml_reads_otherwise_survive(
    tmp_path: Path, generation: Generation, odd: str
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        source = await add_source(
            bench.portal.bi, {odd: odd, "password": "P"}, {odd: PASSWORD, "password": PASSWORD}
        )
        columns = [NewColumn(name="A", external_code=odd, type="int")]
        await bench.portal.bi.datasets.add(
            DatasetFields(
                name="o",
                source_id=source,
                external_code=odd,
                external_name=odd,
                description=odd,
                fields=columns,
            )
        )
        text, plan = await planned(bench)
        assert plan.changes == ()
        assert PASSWORD not in text


async def test_a_password_is_one_whatever_its_parameter_is_called_beside_its_code(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        names = {"password": "Login", "api_key": "User", "token": "Хост", "login": "Ключ", "host": "Server"}
        await add_source(bench.portal.bi, names, dict.fromkeys(names, HIDDEN) | {"host": "db1"})
        text, _ = await planned(bench)
        assert HIDDEN not in text
        assert "host: db1" in text


async def test_a_password_in_an_address_is_not_written_into_a_file(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await bench.portal.bi.connectors.add(
            connector_fields(url_data=f"https://ann:{HIDDEN}@shop.example/data")
        )
        with pytest.raises(PlanError, match="contains a user or a password before the host") as refused:
            await bench.workspace().export()
        assert HIDDEN not in str(refused.value)


async def test_a_parameter_that_is_declared_twice_is_named(tmp_path: Path, generation: Generation) -> None:
    async with a_bench(generation, tmp_path) as bench:
        twice = [Parameter(code="a", name=name, type="STRING") for name in ("A", "B")]
        await bench.portal.bi.connectors.add(connector_fields(settings=twice))
        with pytest.raises(PlanError, match="settings: code a is there more than once"):
            await bench.workspace().export()


async def test_an_address_that_nobody_can_call_is_not_planned_and_may_stay(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await bench.portal.bi.connectors.add(connector_fields(url_data="shop.example/data"))
        _, plan = await planned(bench)
        assert (plan.changes, plan.obstacles) == ((), ())
        exported = (await bench.workspace().export()).setup
        (key,) = exported.connectors
        moved = exported.connectors[key].model_copy(update={"url_check": "shop.example/check"})
        other = await bench.workspace().plan(exported.model_copy(update={"connectors": {key: moved}}))
        assert other.plan.obstacles[0].startswith(f"connectors.{key}.urlCheck: The endpoint's address")


async def test_what_someone_deleted_since_the_plan_does_not_stop_its_successor(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        dataset = await a_dataset(bench.portal.bi)
        exported = (await bench.workspace().export()).setup
        wanted = with_table(exported, "other_orders")
        workspace = bench.workspace()
        plan = (await workspace.plan(wanted)).plan
        assert [change.action for change in plan.changes] == ["replace"]
        application = await workspace.prepare(wanted, plan.checksum)
        await bench.portal.bi.datasets.delete(dataset)
        report = await application.run()
        assert report.complete, report.as_json()
        assert (await bench.workspace().plan(wanted, prune=True)).plan.changes == ()


async def test_it_is_said_that_someone_deleted_what_was_to_be_changed(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        bi = bench.portal.bi
        dataset = await a_dataset(bi)
        exported = (await bench.workspace().export()).setup
        found = (await bi.datasets.get(dataset)).fields or []
        await bi.datasets.update_columns(dataset, ColumnChanges(delete=[found[0].id]))
        connector = next(iter((await bench.snapshot()).connectors))
        await bi.connectors.update(connector, ConnectorChanges(url_data=f"{CHECK}/moved"))
        workspace = bench.workspace()
        application = await workspace.prepare(exported, (await workspace.plan(exported)).plan.checksum)
        await bi.datasets.delete(dataset)
        report = await application.run()
        assert [result.outcome for result in report.results] == ["done", "refused"]
        assert "someone has deleted it since" in (report.results[1].why or "")


async def a_dataset(bi: BIConnector) -> int:
    source = await add_source(bi, {"password": "Password"}, {"password": PASSWORD})
    return await bi.datasets.add(dataset_fields(source))


def with_table(setup: Setup, table: str) -> Setup:
    datasets = {
        key: entry.model_copy(update={"external_code": table}) for key, entry in setup.datasets.items()
    }
    return setup.model_copy(update={"datasets": datasets})


async def test_what_only_newer_portals_know_is_noted_before_it_is_refused(
    tmp_path: Path, generation: Generation
) -> None:
    async with a_bench(generation, tmp_path) as bench:
        await a_dataset(bench.portal.bi)
        exported = (await bench.workspace().export()).setup
    async with a_bench(generation, tmp_path) as empty:
        (tmp_path / "bi.portal.example.state.json").unlink(missing_ok=True)
        plain = with_connector(exported, support_mapping=False, source_code="")
        newer = with_connector(exported, support_mapping=True)
        noted = (await empty.workspace().plan(newer)).plan.notes
        assert ["too old for supportMapping" in note for note in noted] == [True] * (generation == "classic")
        planned = (await empty.workspace().plan(plain)).plan
        assert planned.notes == ()
        report = await empty.workspace().apply(plain, planned.checksum)
        assert report.complete, report.as_json()


def with_connector(setup: Setup, **changes: object) -> Setup:
    connectors = {key: entry.model_copy(update=changes) for key, entry in setup.connectors.items()}
    return setup.model_copy(update={"connectors": connectors})
