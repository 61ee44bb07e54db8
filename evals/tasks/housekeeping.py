"""Cleaning up: what is doubled, what a deletion would take along, what a colleague did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evals.task import Known, Steps, Task, add_like, call, confirmed, fact
from evals.tasks.shop import COLUMNS, CUSTOMERS, ORDERS, open_shop, shows_rows

if TYPE_CHECKING:
    from evals.world import World


async def _build_colleague(world: World) -> None:
    await open_shop(world)
    portal = world.portal
    columns = (await portal.bi.datasets.get(portal.ids["customers"])).fields or ()
    segment = next(column.id for column in columns if column.name == "SEGMENT")
    async with world.colleague() as colleague:
        await colleague.call_tool(
            "dataset_fields_update", {"id": portal.ids["customers"], "delete": [segment]}
        )
        await colleague.call_tool(
            "dataset_update",
            {"id": portal.ids["stock"], "fields": {"description": "Counted on the first of the month"}},
        )
    world.addresses["column"] = "SEGMENT"


def _solve_colleague(known: Known) -> Steps:
    if "history_list" in known.tools:
        listed = yield call("history_list", object=f"dataset {known.id('customers')}")
        entry = _find_entry(listed.text)
        yield from confirmed("workspace_undo", entry=entry)
    else:
        proposed = yield call("source_tables", source=known.id("Shop live"), table="customers")
        assert "segment" in proposed.text
        column = {"name": "SEGMENT", "externalCode": "segment", "type": "string"}
        yield call("dataset_fields_update", id=known.id("customers"), add=[column])
    return "Столбец SEGMENT снова есть в датасете customers. Описание датасета stock, которое тоже меняли, я не трогал."


def _find_entry(text: str) -> str:
    entries: list[str] = re.findall(r"^(\S+) · ", text, re.MULTILINE)
    return entries[0]


async def _check_colleague(world: World) -> list[str]:
    return await shows_rows(world, "customers", 3, "CUSTOMER_ID", "NAME", "EMAIL", "PHONE", "SEGMENT")


async def _build_doubled(world: World) -> None:
    await open_shop(world, datasets=("customers", "orders"))
    dead = await world.open_service("old_shop", {"customers": CUSTOMERS})
    await world.portal.connect("Old shop", dead)
    await world.portal.add_source("Old shop live", "Old shop", dead)
    await world.portal.add_dataset("customers_2", "Old shop live", "customers", COLUMNS["customers"])
    dead.write_tables({"customers_archived": CUSTOMERS})


def _solve_doubled(known: Known) -> Steps:
    yield call("portal_map", diagnose=True)
    yield from confirmed("dataset_delete", id=known.id("customers_2"))
    return "Не работал customers_2: его таблицы в сервисе Old shop больше нет. Я удалил его; customers работает и остался."


async def _check_doubled(world: World) -> list[str]:
    left = [dataset.name for dataset in (await world.portal.bi.snapshot()).datasets.values()]
    return ["customers_2 is still there."] if "customers_2" in left else []


async def _build_impact(world: World) -> None:
    await open_shop(world)
    crm = await world.open_service("crm", {"leads": "id,owner\n1,Ada", "deals": "id,total\n1,5"})
    await world.portal.connect("CRM", crm)
    for region in ("North", "South"):
        await world.portal.add_source(f"CRM {region}", "CRM", crm)
    await world.portal.add_dataset("leads_north", "CRM North", "leads", "LEAD_ID id int, OWNER owner string")
    await world.portal.add_dataset("deals_north", "CRM North", "deals", "DEAL_ID id int, TOTAL total int")
    await world.portal.add_dataset("leads_south", "CRM South", "leads", "LEAD_ID id int, OWNER owner string")


def _solve_impact(known: Known) -> Steps:
    yield call("portal_map")
    return (
        "Removing the connector CRM would take two sources, CRM North and CRM South, and three datasets with all their charts: "
        "leads_north, deals_north and leads_south. Nothing was deleted."
    )


async def _build_wrong_source(world: World) -> None:
    service = await open_shop(world, datasets=("customers",))
    old = "\n".join(line.replace("2025-", "2019-") for line in ORDERS.strip().splitlines()[:3])
    archive = await world.open_service("archive", {"orders": old}, password=service.password)
    await world.portal.connect("Archive", archive)
    await world.portal.add_source("Archive 2019", "Archive", archive)
    await world.portal.add_dataset("orders", "Archive 2019", "orders", COLUMNS["orders"])


def _solve_wrong_source(known: Known) -> Steps:
    yield call("portal_map")
    yield from add_like(known, "Shop live", "orders", like="orders", name="orders_live")
    return (
        "Датасет orders построен на источнике Archive 2019, а источник у датасета не меняется. Поэтому я создал orders_live на Shop live, с теми же "
        "столбцами; диаграммы нужно переключить на него. Старый датасет не тронут."
    )


async def _check_wrong_source(world: World) -> list[str]:
    faults = await shows_rows(world, "orders_live", 4, "ORDER_ID", "DAY", "CITY", "AMOUNT")
    if not faults:
        days = (await world.portal.chart("orders_live", columns=["DAY"])).values("DAY")
        faults += [] if all(str(day).startswith("2025") for day in days) else ["orders_live shows old rows."]
    return faults


TASKS = (
    Task(
        name="colleagues_change",
        language="ru",
        says="Коллега вчера что-то удалил в датасете customers, и отчёт по сегментам сломался. Верни как было, а остальное, что он менял, не трогай.",
        build=_build_colleague,
        solve=_solve_colleague,
        calls=3,
        facts=(fact("the column", "SEGMENT", "сегмент"),),
        check=_check_colleague,
        may_change=("dataset customers",),
    ),
    Task(
        name="doubled_dataset",
        language="ru",
        says="У нас два датасета про клиентов, и один из них не работает. Удали нерабочий, я согласен. Второй нужен.",
        build=_build_doubled,
        solve=_solve_doubled,
        calls=3,
        facts=(fact("the dataset", "customers_2"),),
        check=_check_doubled,
        may_change=("dataset customers_2",),
    ),
    Task(
        name="deletion_impact",
        language="en",
        says="We want to get rid of the connector CRM. What would we lose? Do not delete anything yet.",
        build=_build_impact,
        solve=_solve_impact,
        calls=1,
        facts=(
            fact("leads_north", "leads_north"),
            fact("deals_north", "deals_north"),
            fact("leads_south", "leads_south"),
            fact(
                "the sources",
                r"CRM North[\s\S]*CRM South",
                r"CRM South[\s\S]*CRM North",
                r"(two|both|2) sources",
            ),
        ),
    ),
    Task(
        name="wrong_source",
        language="ru",
        says=(
            "В датасете orders заказы 2019 года, а нужны нынешние, из магазина. Сделай так, чтобы можно было строить диаграммы по нынешним; "
            "если понадобится новый датасет, назови его orders_live."
        ),
        build=_build_wrong_source,
        solve=_solve_wrong_source,
        calls=3,
        facts=(fact("the new dataset", "orders_live"), fact("the old source", "Archive", "архив")),
        check=_check_wrong_source,
        may_add=("dataset",),
    ),
)
