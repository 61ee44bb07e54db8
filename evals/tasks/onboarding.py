"""Bringing tables in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from bi_mcp.practice.sample import ENDPOINTS
from evals.service import KEY_PARAMETERS, answer_always, build_database_service
from evals.task import Known, Steps, Task, call, fact
from evals.tasks.shop import CUSTOMERS, ORDERS, open_shop, shows_rows

if TYPE_CHECKING:
    from evals.world import World

_WAREHOUSE = """
create table invoices (number text primary key, issued date, customer integer, total decimal(10, 2), paid boolean);
insert into invoices values ('I-1', '2025-10-01', 1, 120.50, 1), ('I-2', '2025-10-03', 2, 80, 0), ('I-3', '2025-10-04', 1, 15.25, 1);
create table debtors (id integer primary key, name text, "limit" decimal(10, 2));
insert into debtors values (1, 'Weber', 1000), (2, 'Roux', 250.5);
create table internal_audit (id integer primary key, note text);
"""


async def _build_database(world: World) -> None:
    await world.open_portal()
    file = world.folder / "warehouse.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_WAREHOUSE)
    key = "a-long-access-key-of-the-warehouse"
    address = await world.open_app("warehouse", build_database_service(file, "warehouse", key))
    world.store_secret("warehouse_key", key, address)


def _solve_database(known: Known) -> Steps:
    urls = {name: known.world.addresses["warehouse"] + path for name, path in ENDPOINTS.items()}
    logo = "https://shop.example/logo.png"
    fields = {"title": "Warehouse", "logo": logo, "settings": list(KEY_PARAMETERS), **urls}
    connector = (yield call("connector_add", fields=fields)).data["id"]
    settings = {"source": "warehouse", "key": {"secret": "warehouse_key"}}
    added = yield call(
        "source_add", fields={"title": "Warehouse", "connectorId": connector, "settings": settings}
    )
    names = []
    for table in ("invoices", "debtors"):
        proposed = yield call("dataset_propose", source=added.data["id"], table=table)
        yield call("dataset_add", fields=proposed.data["fields"])
        names.append(proposed.data["fields"]["name"])
    return f"Both tables are in BI Builder now, as the datasets {' and '.join(names)}."


async def _check_database(world: World) -> list[str]:
    datasets = (await world.portal.bi.snapshot()).datasets.values()
    by_table = {dataset.external_code: dataset for dataset in datasets}
    faults = [f"{table} has no dataset." for table in ("invoices", "debtors") if table not in by_table]
    if "internal_audit" in by_table:
        faults.append("internal_audit was not asked for.")
    for table, rows in (("invoices", 3), ("debtors", 2)):
        if dataset := by_table.get(table):
            names = [column.name or "" for column in dataset.fields or ()]
            faults += await shows_rows(world, dataset.name or "", rows, *names)
    return faults


async def _build_new_table(world: World) -> None:
    returns = "id,order_id,reason,refund\n1,2,damaged,80.25\n2,4,late,20.00"
    await open_shop(
        world, tables={"orders": ORDERS, "customers": CUSTOMERS, "returns": returns}, datasets=("orders",)
    )


def _solve_new_table(known: Known) -> Steps:
    yield call("source_tables", source="orders")
    proposed = yield call("dataset_propose", source="orders", table="returns")
    fields = {**proposed.data["fields"], "name": "shop_returns"}
    yield call("dataset_add", fields=fields)
    return "Готово: датасет shop_returns показывает таблицу returns."


async def _check_new_table(world: World) -> list[str]:
    datasets = (await world.portal.bi.snapshot()).datasets.values()
    added = next((dataset for dataset in datasets if dataset.name == "shop_returns"), None)
    if added is None or added.external_code != "returns":
        return ["There is no dataset shop_returns over the table returns."]
    kinds = {column.external_code: column.type for column in added.fields or ()}
    faults = [] if kinds.get("refund") == "double" else ["The refund is not a number with decimals."]
    return [
        *faults,
        *await shows_rows(world, "shop_returns", 2, *[column.name or "" for column in added.fields or ()]),
    ]


async def _build_no_tables(world: World) -> None:
    service = await open_shop(world, datasets=())
    service.faults["urlTableList"] = answer_always([])


def _solve_no_tables(known: Known) -> Steps:
    yield call("connector_check", source="Shop")
    return (
        "Your login works, but the service answers an empty list at urlTableList, so BI Builder has no table to offer. "
        "Nothing on the portal is wrong: whoever operates the service must let this login see its tables."
    )


async def _build_columns_missing(world: World) -> None:
    orders = "\n".join(
        line + (",discount" if number == 0 else ",1.5")
        for number, line in enumerate(ORDERS.strip().splitlines())
    )
    await open_shop(
        world, tables={"orders": orders, "customers": CUSTOMERS}, datasets=("orders", "customers")
    )


def _solve_columns_missing(known: Known) -> Steps:
    yield call("source_tables", source="orders", table="orders")
    column = {"name": "DISCOUNT", "externalCode": "discount", "type": "double"}
    yield call("dataset_fields_update", id=known.id("orders"), add=[column])
    return "The dataset orders has the column DISCOUNT now."


async def _check_columns_missing(world: World) -> list[str]:
    columns = (await world.portal.bi.datasets.get(world.portal.ids["orders"])).fields or ()
    name = next((column.name for column in columns if column.external_code == "discount"), None)
    if name is None:
        return ["The dataset orders has no column for discount."]
    return await shows_rows(world, "orders", 4, "ORDER_ID", "DAY", "CITY", "AMOUNT", name)


TASKS = (
    Task(
        name="onboard_database",
        language="en",
        says=(
            "Our warehouse database has a BI connector in front of it, at {warehouse} (paths /check, /tables, /table and /data). "
            "It wants two parameters: source, which is warehouse, and key, which I stored as the secret warehouse_key. "
            "Please bring invoices and debtors into BI Builder, nothing else."
        ),
        build=_build_database,
        solve=_solve_database,
        calls=6,
        facts=(fact("the invoices", "invoices"), fact("the debtors", "debtors")),
        check=_check_database,
        may_add=("connector", "source", "dataset"),
    ),
    Task(
        name="new_table",
        language="ru",
        says=(
            "В магазине появилась таблица с возвратами. Сделай по ней датасет shop_returns в том же источнике, где лежат заказы, "
            "со всеми столбцами и правильными типами."
        ),
        build=_build_new_table,
        solve=_solve_new_table,
        calls=3,
        facts=(fact("the dataset", "shop_returns"),),
        check=_check_new_table,
        may_add=("dataset",),
    ),
    Task(
        name="no_tables",
        language="en",
        says="We connected the shop, the login is right, but there is nothing to choose from when I want to add a dataset. What is going on?",
        build=_build_no_tables,
        solve=_solve_no_tables,
        calls=1,
        facts=(
            fact(
                "that the list of tables is empty",
                r"urlTableList",
                r"empty (list|array|answer|response)",
                r"(list of tables|table list)[^.]{0,40}(empty|\[\]|nothing|no tables)",
                r"\b(0|zero) tables",
            ),
            fact("who has to act", r"operat", r"service", r"vendor", r"provider"),
        ),
        vague=True,
    ),
    Task(
        name="missing_column",
        language="en",
        says="Since this week our orders have a discount in the shop. I want to use it in the charts over the dataset orders.",
        build=_build_columns_missing,
        solve=_solve_columns_missing,
        calls=2,
        facts=(fact("the column", "discount"),),
        check=_check_columns_missing,
        may_change=("dataset orders",),
    ),
)
