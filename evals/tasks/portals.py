"""Two portals: a test one and the one that everybody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.task import Known, Steps, Task, call, fact
from evals.tasks.shop import COLUMNS, TABLES

if TYPE_CHECKING:
    from evals.world import World


async def _build_copy(world: World) -> None:
    test, _ = await world.open_portal("test"), await world.open_portal("production")
    staging = await world.open_service("staging", TABLES)
    live = await world.open_service("live", TABLES)
    await test.connect("Shop", staging)
    await test.add_source("Shop data", "Shop", staging)
    for name in ("orders", "stock"):
        await test.add_dataset(name, "Shop data", name, COLUMNS[name])
    world.store_secret("shop_live", live.password, live.address)


def _solve_copy(known: Known) -> Steps:
    addresses = known.world.addresses
    planned = yield call(
        "workspace_plan",
        portal="production",
        from_portal="test",
        replacements={addresses["staging"]: addresses["live"], "password": "shop_live"},
    )
    yield call("workspace_apply", portal="production", token=planned.token)
    return "production has the connector Shop at the live address, its source and the datasets orders and stock now; test is as it was."


async def _check_copy(world: World) -> list[str]:
    test, production = (
        await world.portals["test"].bi.snapshot(),
        await world.portals["production"].bi.snapshot(),
    )
    faults = [] if len(test.datasets) == 2 and len(test.connectors) == 1 else ["The test portal was changed."]
    names = sorted(dataset.name or "" for dataset in production.datasets.values())
    if names != ["orders", "stock"]:
        return [*faults, f"The datasets of production are {names}."]
    for name, rows in (("orders", 4), ("stock", 3)):
        chart = await world.portals["production"].chart(name)
        if chart.failure or len(chart.rows) != rows:
            faults.append(f"A chart over {name} on production shows {len(chart.rows)} rows.")
    urls = [connector.url_data or "" for connector in production.connectors.values()]
    if any(not url.startswith(world.addresses["live"]) for url in urls):
        faults.append("production asks the staging service.")
    return faults


TASKS = (
    Task(
        name="copy_to_production",
        language="en",
        says=(
            "Copy everything we have on the portal test to production. There the service is at {live} instead of {staging}; the login is bi_reader as on test, "
            "and I stored its password as the secret shop_live."
        ),
        build=_build_copy,
        solve=_solve_copy,
        calls=2,
        facts=(
            fact("the portal", "production"),
            fact("the datasets", r"orders[\s\S]*stock", r"stock[\s\S]*orders", r"(two|both|2) datasets"),
        ),
        check=_check_copy,
        may_add=("connector", "source", "dataset"),
    ),
)
