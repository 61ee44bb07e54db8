"""Columns that were renamed, hidden or lost their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.rest.models import ColumnChanges
from evals.task import Known, Steps, Task, add_like, call, confirmed, fact
from evals.tasks.shop import CUSTOMERS, ORDERS, STOCK, open_shop, shows_rows

if TYPE_CHECKING:
    from evals.world import World


async def _build_renamed(world: World) -> None:
    service = await open_shop(world)
    renamed = STOCK.replace("quantity", "quantity_on_hand")
    service.write_tables({"orders": ORDERS, "customers": CUSTOMERS, "stock": renamed})


def _solve_renamed(known: Known) -> Steps:
    dataset = known.id("stock")
    yield call("dataset_diagnose", id=dataset)
    if "dataset_columns_replace" in known.tools:
        change = {"name": "QUANTITY", "externalCode": "quantity_on_hand"}
        yield from confirmed("dataset_columns_replace", id=dataset, columns=[change])
    else:
        found = yield call("dataset_get", id=dataset)
        old = next(column for column in found.data["item"]["fields"] if column["name"] == "QUANTITY")
        yield from confirmed("dataset_fields_update", id=dataset, delete=[old["id"]])
        column = {"name": "QUANTITY", "externalCode": "quantity_on_hand", "type": "int"}
        yield call("dataset_fields_update", id=dataset, add=[column])
    return (
        "В сервисе столбец quantity теперь называется quantity_on_hand. Столбец датасета QUANTITY читает его, имя осталось прежним, "
        "поэтому диаграммы снова работают."
    )


async def _check_renamed(world: World) -> list[str]:
    return await shows_rows(world, "stock", 3, "SKU", "WAREHOUSE", "QUANTITY", "COUNTED_ON")


async def _build_taken_over(world: World) -> None:
    service = await open_shop(world)
    service.write_tables({"customers": CUSTOMERS, "stock": STOCK, "orders_v2": ORDERS})


def _solve_taken_over(known: Known) -> Steps:
    yield call("source_tables", source="orders")
    yield from add_like(known, "Shop live", "orders_v2", like="orders", name="orders_new")
    return "The table orders is gone, its rows are in orders_v2. The new dataset orders_new shows them with the same columns."


async def _check_taken_over(world: World) -> list[str]:
    datasets = (await world.portal.bi.snapshot()).datasets.values()
    added = next((dataset for dataset in datasets if dataset.name == "orders_new"), None)
    if added is None or added.external_code != "orders_v2":
        return ["There is no dataset orders_new over orders_v2."]
    kinds = {column.name: column.type for column in added.fields or ()}
    wanted = {"ORDER_ID": "int", "DAY": "date", "CITY": "string", "AMOUNT": "double"}
    faults = [] if kinds.items() >= wanted.items() else [f"The columns of orders_new are {kinds}."]
    return [*faults, *(await shows_rows(world, "orders_new", 4, *wanted) if not faults else [])]


async def _build_hidden(world: World) -> None:
    await open_shop(world, datasets=("customers", "orders"))
    portal = world.portal
    email = await _column(world, "EMAIL")
    changes = ColumnChanges.model_validate({"update": [{"id": email, "visible": False}]})
    await portal.bi.datasets.update_columns(portal.ids["customers"], changes)


async def _column(world: World, name: str) -> int:
    columns = (await world.portal.bi.datasets.get(world.portal.ids["customers"])).fields or ()
    return next(column.id for column in columns if column.name == name)


def _solve_hidden(known: Known) -> Steps:
    if "dataset_get" in known.tools:
        yield call("dataset_get", id="customers")
    update = [{"id": "PHONE", "visible": False}, {"id": "EMAIL", "visible": True}]
    yield call("dataset_fields_update", id="customers", update=update)
    return "Столбец PHONE скрыт, EMAIL снова виден."


async def _check_hidden(world: World) -> list[str]:
    columns = (await world.portal.bi.datasets.get(world.portal.ids["customers"])).fields or ()
    visible = {column.name: column.visible for column in columns}
    wanted = {"CUSTOMER_ID": True, "NAME": True, "EMAIL": True, "PHONE": False, "SEGMENT": True}
    return [] if visible == wanted else [f"Visible are {visible}."]


TASKS = (
    Task(
        name="renamed_column",
        language="ru",
        says="Диаграмма остатков на складе пустая, хотя на прошлой неделе всё работало. Почини, но чтобы сами диаграммы переделывать не пришлось.",
        build=_build_renamed,
        solve=_solve_renamed,
        calls=3,
        facts=(fact("the column's new name", "quantity_on_hand"),),
        check=_check_renamed,
        may_change=("dataset stock",),
        vague=True,
    ),
    Task(
        name="table_taken_over",
        language="en",
        says=(
            "IT replaced the table behind the dataset orders with another one of the same content, and now it shows nothing. "
            "Make me a dataset orders_new on the new table, with the same column names and types. Leave the old dataset alone."
        ),
        build=_build_taken_over,
        solve=_solve_taken_over,
        calls=3,
        facts=(fact("the new table", "orders_v2"), fact("the new dataset", "orders_new")),
        check=_check_taken_over,
        may_add=("dataset",),
    ),
    Task(
        name="hide_and_show",
        language="ru",
        says="В датасете customers спрячь телефон от пользователей, а почту, наоборот, верни.",
        build=_build_hidden,
        solve=_solve_hidden,
        calls=2,
        facts=(fact("the phone", "PHONE", "телефон"), fact("the address", "EMAIL", "почт")),
        check=_check_hidden,
        may_change=("dataset customers",),
    ),
)
