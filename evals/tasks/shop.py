"""A shop's tables and the usual objects over them, from which most worlds begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.practice.portal.answers import ModuleFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.service import ConnectorService
    from evals.world import World

ORDERS = """
id,day,city,amount
1,2025-11-03,Berlin,1210.50
2,2025-11-04,Paris,80.25
3,2025-11-04,Rome,415.10
4,2025-11-05,Berlin,99.90
"""
CUSTOMERS = """
id,name,email,phone,segment
1,Anna Weber,anna@shop.example,+49 30 1234,retail
2,Paul Roux,paul@shop.example,+33 1 5678,wholesale
3,Mia Rossi,mia@shop.example,+39 06 9012,retail
"""
STOCK = """
sku,warehouse,quantity,counted_on
A-1,North,14,2025-11-01
A-2,North,3,2025-11-01
B-7,South,250,2025-11-02
"""
TABLES = {"orders": ORDERS, "customers": CUSTOMERS, "stock": STOCK}
COLUMNS = {
    "orders": "ORDER_ID id int, DAY day date, CITY city string, AMOUNT amount double",
    "customers": "CUSTOMER_ID id int, NAME name string, EMAIL email string, PHONE phone string, SEGMENT segment string",
    "stock": "SKU sku string, WAREHOUSE warehouse string, QUANTITY quantity int, COUNTED_ON counted_on date",
}


async def open_shop(
    world: World,
    datasets: tuple[str, ...] = ("orders", "customers", "stock"),
    tables: Mapping[str, str] = TABLES,
) -> ConnectorService:
    """Open a portal with one connector, `Shop`, one source, `Shop live`, and datasets that are named after their tables."""
    portal = await world.open_portal()
    service = await world.open_service("shop", tables)
    await portal.connect("Shop", service)
    await portal.add_source("Shop live", "Shop", service)
    for name in datasets:
        await portal.add_dataset(name, "Shop live", name, COLUMNS[name])
    return service


async def shows_rows(world: World, dataset: str, rows: int, *columns: str) -> list[str]:
    """Check that a chart over these columns shows that many rows, with a value in each."""
    try:
        chart = await world.portal.chart(dataset, columns=list(columns))
    except ModuleFault as fault:
        return [f"A chart over {dataset} cannot be opened: {fault.message}"]
    if chart.failure:
        return [f"A chart over {dataset} is empty: {chart.failure.reason}"]
    missing = [name for name in columns if any(value is None for value in chart.values(name))]
    faults = [f"Values of {name} are missing in a chart over {dataset}." for name in missing]
    return [
        *faults,
        *([] if len(chart.rows) == rows else [f"A chart over {dataset} has {len(chart.rows)} rows."]),
    ]
