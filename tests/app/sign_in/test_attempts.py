"""Sign-ins under way, in both stores: each step happens once for all replicas, and their number is bounded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.attempts import Attempt, Attempts
from bi_mcp.app.sign_in.slots import Slots
from tests.app.sign_in.stores import Clock, FolderStore, Store
from tests.app.sign_in.test_documents import at_once

pytestmark = pytest.mark.anyio

MARK = "the-mark-of-a-browser"
ASKED = Asked(
    client_id="client-1",
    client_name="Editor",
    redirect_uri="http://127.0.0.1:1/cb",
    redirect_uri_given=True,
    state="state-of-the-client",
    code_challenge="c" * 43,
    scopes=("bi:read", "bi:write"),
    resource="https://bi.example/mcp",
)
SCOPES = ("bi:read",)


async def begun(attempts: Attempts, **facts: Any) -> Attempt:
    attempt = await attempts.begin(MARK, **facts)
    assert attempt is not None
    return attempt


async def test_a_sign_in_goes_to_the_portal_and_comes_back_at_another_replica(store: Store) -> None:
    here, there = Attempts(store.open()), Attempts(store.open())
    attempt = await begun(here, asked=ASKED, verified_host="client.example", back="/account")
    assert await there.find(attempt.id) == attempt
    assert attempt.began_in(MARK)
    assert not attempt.began_in("another mark")
    state = await there.depart(attempt, "acme.example", SCOPES)
    assert state is not None
    departure = await here.departed(state)
    assert departure is not None
    assert (departure.attempt, departure.portal, departure.scopes) == (attempt, "acme.example", SCOPES)
    assert await here.arrive(departure, state)
    assert await there.departed(state) is None


async def test_each_step_is_taken_once(store: Store) -> None:
    replicas = [Attempts(store.open()) for _ in range(2)] * 3
    attempt = await begun(replicas[0], asked=ASKED)
    states = await at_once(*[partial(each.depart, attempt, "a", SCOPES) for each in replicas])
    (state,) = [state for state in states if isinstance(state, str)]
    departure = await replicas[0].departed(state)
    assert departure is not None
    arrived = await at_once(*[partial(each.arrive, departure, state) for each in replicas])
    assert arrived.count(True) == 1
    assert not await replicas[0].end(attempt)


async def test_a_sign_in_that_was_ended_goes_nowhere(store: Store) -> None:
    attempts = Attempts(store.open())
    attempt = await begun(attempts)
    assert await attempts.end(attempt)
    assert await attempts.find(attempt.id) is None
    assert await attempts.depart(attempt, "acme.example", SCOPES) is None


async def test_the_store_knows_neither_marks_nor_states(store: Store) -> None:
    documents = store.open()
    attempts = Attempts(documents)
    attempt = await begun(attempts, asked=ASKED)
    state = await attempts.depart(await begun(attempts), "acme.example", SCOPES)
    names = " ".join(await documents.names(""))
    assert "attempts/" in names
    assert "departures/" in names
    kept = b" ".join(await store.contents()).decode(errors="replace") + names
    for secret in (attempt.id, state, MARK, "state-of-the-client"):
        assert str(secret) not in kept


async def test_a_sign_in_waits_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    attempts = Attempts(FolderStore(tmp_path, clock).open())
    attempt = await begun(attempts)
    state = await attempts.depart(await begun(attempts), "acme.example", SCOPES)
    clock.now += 15 * 60
    assert await attempts.find(attempt.id) is None
    assert state is not None
    assert await attempts.departed(state) is None


async def test_slots_are_shared_and_become_free(store: Store) -> None:
    here, there = (Slots(store.open(), "kind", most=4, lifetime_s=60, firm_s=60) for _ in range(2))
    other = Slots(store.open(), "other kind", most=4, lifetime_s=60, firm_s=60)
    taken = [await slots.take("a") for slots in (here, there) * 40]
    held = [slot for slot in taken if slot is not None]
    assert len(held) == len(set(held)) == 4
    assert await other.take("a") is not None
    await there.free(held.pop())
    assert any([await here.take("a") for _ in range(40)])


async def test_what_had_its_slot_for_long_gives_way(store: Store) -> None:
    documents, clock = store.open(), Clock()
    slots = Slots(documents, "kind", most=1, lifetime_s=600, firm_s=60, clock=clock)
    for name in ("first", "second", "third"):
        await documents.put(name, {})
    slot = await slots.take("first")
    assert slot is not None
    clock.now += 59
    assert await slots.take("second") is None
    clock.now += 1
    await slots.pass_on(slot, "second")
    assert await slots.take("third") is None
    clock.now += 60
    assert await slots.take("third") == slot
    assert [await documents.get(name) for name in ("first", "second", "third")] == [{}, None, {}]
