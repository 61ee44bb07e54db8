"""Renewals are counted by what became of them."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.counted_renewals import CountedRenewals, RenewalOutcome
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.errors import AuthorisationError, UnreachableError
from tests.auth.portal import Clock, LoginPortal

pytestmark = pytest.mark.anyio


async def test_each_renewal_is_counted_once_by_its_outcome(portal: LoginPortal, clock: Clock) -> None:
    counted: Counter[RenewalOutcome] = Counter()

    def count(outcome: RenewalOutcome) -> None:
        counted[outcome] += 1

    def asking(transport: httpx.AsyncBaseTransport) -> CountedRenewals:
        login = advise(AdviceKind.LOG_IN)
        return CountedRenewals(OAuthClient(login=login, clock=clock, transport=transport), count)

    def break_off(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("")

    old = portal.grant(clock()).token.refresh_token
    with pytest.raises(UnreachableError):
        await asking(httpx.MockTransport(break_off)).refresh(portal.application(), old)
    renewed = await asking(portal.transport()).refresh(portal.application(), old)
    assert portal.accepts(renewed.access_token)
    with pytest.raises(AuthorisationError):
        await asking(portal.transport()).refresh(portal.application(), old)
    assert counted == {"failed": 1, "renewed": 1, "refused": 1}
