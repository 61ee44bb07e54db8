"""Passwords and addresses that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from bi_mcp.practice.sample import ENDPOINTS
from evals.service import LOGIN
from evals.task import Known, Steps, Task, call, confirmed, fact
from evals.tasks.shop import TABLES, open_shop, shows_rows

if TYPE_CHECKING:
    from evals.world import World


async def _build_expired(world: World) -> None:
    service = await open_shop(world)
    service.change_password("fresh-7f3a91-of-the-shop")
    world.store_secret("shop_new", service.password, service.address)


def _solve_expired(known: Known) -> Steps:
    yield call("portal_map")
    yield call("source_update", id="Shop live", fields={"settings": {"password": {"secret": "shop_new"}}})
    yield call("connector_check", source="Shop live", quick=True)
    return "Пароль источника Shop live заменён на сохранённый shop_new, сервис его принимает."


async def _check_expired(world: World) -> list[str]:
    source = await world.portal.bi.sources.get(world.portal.ids["Shop live"])
    settings = {each.code: each.value.reveal() for each in source.settings or () if each.value}
    faults = [] if settings.get("login") == LOGIN else ["The login was lost."]
    return [*faults, *await shows_rows(world, "orders", 4, "ORDER_ID", "AMOUNT")]


async def _build_move(world: World) -> None:
    service = await open_shop(world)
    moved = await world.open_service("moved", TABLES, password=service.password)
    # What stays behind at the old address is a machine that knows nothing of the service.
    service.faults |= dict.fromkeys(ENDPOINTS, _gone)
    world.addresses["old"] = service.address
    world.addresses["new"] = moved.address


def _gone(_: object) -> Response:
    return Response("Not found", 404)


def _solve_move(known: Known) -> Steps:
    urls = {name: known.world.addresses["new"] + path for name, path in ENDPOINTS.items()}
    yield call("connector_get", id="Shop") if "connector_get" in known.tools else call("portal_map")
    yield from confirmed("connector_update", id="Shop", fields=urls)
    yield call("connector_check", source="Shop", quick=True)
    return f"The connector Shop answers at {known.world.addresses['new']} now, and its source and datasets work again."


async def _check_move(world: World) -> list[str]:
    connector = await world.portal.bi.connectors.get(world.portal.ids["Shop"])
    addresses = (
        connector.url_check,
        connector.url_table_list,
        connector.url_table_description,
        connector.url_data,
    )
    faults = [
        f"{address} is not the new address."
        for address in addresses
        if not (address or "").startswith(world.addresses["new"])
    ]
    return [*faults, *await shows_rows(world, "stock", 3, "SKU", "QUANTITY")]


async def _build_two_logins(world: World) -> None:
    await open_shop(world)
    archive = await world.open_service("archive", {"old_orders": TABLES["orders"]})
    await world.portal.connect("Archive", archive)
    await world.portal.add_source("Archive live", "Archive", archive)
    await world.portal.add_dataset("old_orders", "Archive live", "old_orders", "ORDER_ID id int")
    archive.change_password("rotated-and-told-to-nobody")


def _solve_two_logins(known: Known) -> Steps:
    yield call("portal_map", diagnose=True)
    return (
        "Не работает источник Archive live: сервис отвечает 401, то есть не принимает логин или пароль. Из-за этого пуст датасет old_orders. "
        "Нужен новый пароль: сохраните его командой bi-mcp secret set, и я подставлю ссылку на него."
    )


TASKS = (
    Task(
        name="expired_password",
        language="ru",
        says="У сервиса магазина сменили пароль. Новый я сохранил как секрет shop_new. Подставь его и убедись, что сервис его принимает.",
        build=_build_expired,
        solve=_solve_expired,
        calls=3,
        facts=(fact("the secret's name", "shop_new"),),
        check=_check_expired,
        may_change=("source Shop live",),
    ),
    Task(
        name="moved_service",
        language="en",
        says="The service of our shop moved from {old} to {new}, the paths and the password are the same. Please change it over and check.",
        build=_build_move,
        solve=_solve_move,
        calls=4,
        facts=(fact("the connector", "shop"),),
        check=_check_move,
        may_change=("connector Shop",),
    ),
    Task(
        name="refused_login",
        language="ru",
        says="Один из отчётов перестал обновляться, коллеги говорят, дело в доступе. Что именно и что от меня нужно?",
        build=_build_two_logins,
        solve=_solve_two_logins,
        calls=1,
        facts=(
            fact("the source", "Archive live"),
            fact("that the login is refused", r"\b401\b", r"не принима", r"неверн", r"отклон", r"отверг"),
            fact("the dataset", "old_orders"),
            fact(
                "what the user has to do",
                r"secret set",
                r"(нов|актуальн|действующ|правильн|верн)\w* (логин\w* (и|или) )?парол",
                r"парол\w*[^.]{0,60}(обнов|замен|сохран|узна|уточн|провер)",
                r"(обнов|замен|сохран|узна|уточн|провер)\w*[^.]{0,60}парол",
                # With or without the port.
                r"--for 127\.0\.0\.1(:\d+)?",
            ),
        ),
        vague=True,
    ),
)
