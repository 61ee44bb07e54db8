from __future__ import annotations

import anyio
import pytest

from benchmarks.shared_profile import measure_shared_profile

pytestmark = pytest.mark.anyio

# Generous: it ends a test that would hang, and measures nothing.
LIMIT_S = 120


@pytest.mark.campaign("many processes or clients at once")
async def test_servers_that_share_a_profile_refresh_once_per_expiry_and_lose_no_call() -> None:
    with anyio.fail_after(LIMIT_S):
        shared = await measure_shared_profile(processes=3, expiries=5)
    assert (shared.refreshes, shared.refused, shared.failed) == (5, 0, 0)
    assert shared.calls == 15
    assert shared.outcome().met
