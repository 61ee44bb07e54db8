"""Charts that are empty or wrong for a reason that has to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.service import answer_always, encode_differently, fail_in_turns, refuse_forms, write_values
from evals.task import Known, Steps, Task, call, fact
from evals.tasks.shop import CUSTOMERS, ORDERS, STOCK, open_shop

if TYPE_CHECKING:
    from evals.world import World

_OPERATOR = fact(
    "who has to act", r"operat", r"service", r"сервис", r"администратор", r"разработчик", r"владел", r"IT\b"
)


async def _build_flaky(world: World) -> None:
    service = await open_shop(world)
    service.faults["urlData"] = fail_in_turns(503)


def _solve_flaky(known: Known) -> Steps:
    yield call("connector_check", source="stock", repeat=6)
    return (
        "The service answers urlData only sometimes: every other request ends with HTTP 503, and then a chart stays empty. "
        "The portal is set up right; the operator of the service has to find out why it fails in turns."
    )


async def _build_dates(world: World) -> None:
    service = await open_shop(world)
    service.faults["urlData"] = write_values("day", lambda day: ".".join(reversed(str(day).split("-"))))


def _solve_dates(known: Known) -> Steps:
    yield call("dataset_diagnose", id=known.id("orders"))
    return (
        "The service sends DAY as 03.11.2025. A column of type date takes 2025-11-03 only, so the values are missing in the chart. "
        "The service has to send ISO dates; nothing on the portal needs a change."
    )


async def _build_filter(world: World) -> None:
    # So does a service that knows no dates but ISO ones, while this portal writes 31.12.2025.
    service = await open_shop(world)
    service.faults["urlData"] = refuse_forms(r"\d\d\.\d\d\.\d{4}", 400)


def _solve_filter(known: Known) -> Steps:
    yield call("connector_check", source="orders")
    return (
        "Without a period the service answers; with a date filter it answers HTTP 400. The portal writes dates as 31.12.2025 and the service "
        "does not read that spelling. Its operator has to accept dates of this format in a filter."
    )


async def _build_letters(world: World) -> None:
    tables = {"customers": CUSTOMERS.replace("retail", "розница"), "orders": ORDERS, "stock": STOCK}
    service = await open_shop(world, tables=tables)
    service.faults["urlData"] = encode_differently("cp1251")


def _solve_letters(known: Known) -> Steps:
    yield call("dataset_diagnose", id=known.id("customers"))
    return (
        "Сервис отдаёт данные не в UTF-8 (похоже на Windows-1251), поэтому диаграмма с русскими значениями пустая. На портале менять нечего: "
        "владелец сервиса должен отдавать JSON в UTF-8."
    )


async def _build_inactive(world: World) -> None:
    await open_shop(world)
    # Somebody switched it off in BI Builder; by REST nobody can on this generation of portals.
    world.portal.execute("UPDATE sources SET active = 0 WHERE id = ?", world.portal.ids["Shop live"])


def _solve_inactive(known: Known) -> Steps:
    yield call("portal_map", diagnose=True)
    yield call("source_update", id=known.id("Shop live"), fields={"active": True})
    return (
        "Источник Shop live выключен, поэтому портал не обращается к сервису. Включить его отсюда нельзя: портал пропускает это поле. "
        "Включите его в BI Builder; больше ничего чинить не нужно."
    )


async def _build_units(world: World) -> None:
    service = await open_shop(world)
    service.faults["urlData"] = write_values("amount", lambda amount: f"{amount} EUR")


def _solve_units(known: Known) -> Steps:
    yield call("dataset_diagnose", id=known.id("orders"))
    return (
        "The service now sends AMOUNT with its currency, such as '1210.5 EUR'. The column is a number, so these values are missing and the sums are "
        "empty. The service must send the bare number again; I changed nothing."
    )


async def _build_blocked(world: World) -> None:
    service = await open_shop(world)
    service.faults["urlTableDescription"] = answer_always("<html>Maintenance</html>")
    service.faults["urlData"] = answer_always("<html>Maintenance</html>")
    other = await world.open_service("crm", {"leads": "id,owner\n1,Ada\n2,Bob"})
    await world.portal.connect("CRM", other)
    await world.portal.add_source("CRM live", "CRM", other)
    await world.portal.add_dataset("leads", "CRM live", "leads", "LEAD_ID id int, OWNER owner string")


def _solve_blocked(known: Known) -> Steps:
    yield call("portal_map", diagnose=True)
    return (
        "Сломан сервис магазина (Shop): вместо данных он отвечает веб-страницей (HTML), поэтому пусты все три датасета: orders, customers и stock. "
        "CRM и датасет leads работают. Чинить должен владелец сервиса Shop."
    )


TASKS = (
    Task(
        name="flaky_service",
        language="en",
        says="Our stock dashboard is sometimes empty and fine again a minute later. What is it?",
        build=_build_flaky,
        solve=_solve_flaky,
        calls=1,
        facts=(
            fact(
                "that it answers only sometimes",
                r"intermittent",
                r"every (other|second)",
                r"\d+ (out )?of (the )?\d+",
                r"alternat",
                r"\d ?%",
                r"flak",
                r"half",
                r"in turns",
            ),
            fact("how it fails", "503"),
            _OPERATOR,
        ),
        vague=True,
    ),
    Task(
        name="date_spelling",
        language="en",
        says="In the orders chart the days are gone, everything else is there.",
        build=_build_dates,
        solve=_solve_dates,
        calls=1,
        facts=(
            fact("how the days are written", r"0?3\.11\.2025", r"dd\.mm\.yyyy", r"\d\d\.\d\d\.\d{4}"),
            fact("how they should be", r"ISO", r"yyyy-mm-dd", r"2025-11-0\d", r"\d{4}-\d\d-\d\d"),
            _OPERATOR,
        ),
        vague=True,
    ),
    Task(
        name="empty_by_period",
        language="en",
        says="The orders chart is fine until I pick a period, then it is empty. Whatever period.",
        build=_build_filter,
        solve=_solve_filter,
        calls=1,
        facts=(
            fact("that the filter is refused", r"filter", r"period"),
            fact("how it fails", r"\b400\b"),
            fact(
                "the spelling of dates",
                r"\d\d\.\d\d\.\d{4}",
                r"dd\.mm\.yyyy",
                r"date format",
                r"dots?\b",
                r"spell",
            ),
            _OPERATOR,
        ),
        vague=True,
    ),
    Task(
        name="broken_letters",
        language="ru",
        says="С отчётом по клиентам беда: то пусто, то вместо русских букв непонятно что.",
        build=_build_letters,
        solve=_solve_letters,
        calls=1,
        facts=(fact("the encoding", r"UTF-?8", r"1251"), _OPERATOR),
        vague=True,
    ),
    Task(
        name="inactive_source",
        language="ru",
        says="Со вчерашнего дня все отчёты по магазину пустые. Разберись и почини, если можешь.",
        build=_build_inactive,
        solve=_solve_inactive,
        calls=2,
        facts=(
            fact(
                "that the source is off",
                r"выключен",
                r"неактив",
                r"отключ",
                r"деактив",
                r"inactive",
                r"active\W+(false|нет)",
            ),
            fact("where it can be switched on", r"BI[ -]?Builder", r"BI[ -]?конструктор", r"вручную"),
        ),
        vague=True,
    ),
    Task(
        name="units_in_numbers",
        language="en",
        says="The sales chart is wrong since yesterday.",
        build=_build_units,
        solve=_solve_units,
        calls=1,
        facts=(
            fact("the column", "amount"),
            fact("what is wrong with the values", r"\bEUR\b", r"€"),
            _OPERATOR,
        ),
        vague=True,
    ),
    Task(
        name="read_only_review",
        language="ru",
        says="Посмотри, что на портале сломано, какие датасеты из-за этого пусты и кто это должен чинить.",
        build=_build_blocked,
        solve=_solve_blocked,
        calls=1,
        facts=(
            fact("orders", "orders"),
            fact("customers", "customers"),
            fact("stock", "stock"),
            fact("what the service answers", r"HTML", r"веб-страниц", r"страниц"),
            _OPERATOR,
        ),
        settings={"BI_MCP_READ_ONLY": "on"},
    ),
)
