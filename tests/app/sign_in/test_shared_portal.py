"""People of one portal share its limits in turns, and what happens there is counted once for all."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from redis.asyncio import Redis

from bi_mcp.app import portals
from bi_mcp.app.app import App
from bi_mcp.app.replicas.budget import SharedBudget
from bi_mcp.app.replicas.shared import Shared
from bi_mcp.app.replicas.store import SharedStore
from bi_mcp.app.sign_in.peoples_apps import PeoplesApps
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.errors import NotFoundError
from bi_mcp.rest.rate_limit import MARGIN, STANDARD, RatePlan
from tests.app.sign_in.people import PeoplesPortal, app_of, peoples_portal, sign_in, sign_ins_to

pytestmark = pytest.mark.anyio

ANNA, BORIS = 7, 8
MANY = 30


async def test_one_person_with_many_requests_does_not_make_another_wait_for_all_of_them(
    portal: PeoplesPortal, sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portals, "PLANS", {"standard": RatePlan(capacity=1 + MARGIN, drain_per_s=50)})
    apps = PeoplesApps(Settings(), sign_ins)
    anna, boris = [app_of(apps, await sign_in(sign_ins, portal, user)) for user in (ANNA, BORIS)]
    limiter, order = anna.portal.limiter, list[str]()
    assert limiter is not None

    async def fail_to_delete(name: str, app: App) -> None:
        # Only reads travel together.
        with pytest.raises(NotFoundError):
            await app.bi.connectors.delete(404)
        order.append(name)

    async with anyio.create_task_group() as group:
        for _ in range(MANY):
            group.start_soon(fail_to_delete, "anna", anna)
        with anyio.fail_after(30):
            while limiter.bucket.waiting < MANY * 0.8:
                await anyio.lowlevel.checkpoint()
        group.start_soon(fail_to_delete, "boris", boris)
    assert len(order) == MANY + 1
    assert order.index("boris") < MANY / 2
    assert sign_ins.counts.of(portal.registered.host).waits.seconds > 0
    await apps.aclose()


async def test_what_people_do_at_a_portal_is_counted_together(
    portal: PeoplesPortal, sign_ins: SignIns, apps: PeoplesApps
) -> None:
    anna, boris = portal.person(ANNA), portal.person(BORIS)
    await sign_in(sign_ins, portal, ANNA)
    # The login of long ago is renewed at the first call.
    await sign_ins.logins.keep(boris, portal.grant(BORIS, now=0.0))
    for person in (anna, boris):
        await app_of(apps, person).bi.connectors.list_page()
    counts = sign_ins.counts.of(portal.registered.host)
    assert counts.traffic.requests == {"ok": 2}
    assert counts.renewals == {"renewed": 1}
    assert counts.traffic.reachability() == "ok"


@pytest.mark.needs("redis-server")
async def test_replicas_share_each_portal_and_portals_share_nothing(redis: str) -> None:
    async with Redis.from_url(redis) as store, peoples_portal() as first, peoples_portal() as second:
        sign_ins, budget = sign_ins_to(first, second), SharedBudget(store)
        apps = PeoplesApps(Settings(), sign_ins, Shared(SharedStore(store, Secret("key")), budget, "key"))
        limiters = [app_of(apps, portal.person(ANNA)).portal.limiter for portal in (first, second)]
        await SharedBudget(store).beat()
        await budget.beat()
        found = [limiter.bucket for limiter in limiters if limiter is not None]
        assert [bucket.drain_per_s for bucket in found] == [STANDARD.drain_per_s / 2] * 2
        found[0].join()
        assert [bucket.waiting for bucket in found] == [1, 0]
        assert app_of(apps, first.person(BORIS)).portal.limiter is limiters[0]
        await apps.aclose()
