"""Callers are counted for a quarter of an hour, each once, and by portal."""

from __future__ import annotations

from bi_mcp.app.sign_in.counts import RECENT_S, Counts
from bi_mcp.auth.person import Person

ANNA = Person(portal="https://acme.example", user_id=7, name="Anna")
BORIS = Person(portal="https://acme.example", user_id=8, name="Boris")
ELSEWHERE = Person(portal="https://other.example:8443", user_id=7, name="Anna")


def test_people_are_counted_once_for_a_quarter_of_an_hour_after_their_last_call() -> None:
    now = 1000.0
    counts = Counts(clock=lambda: now)
    counts.call(ANNA)
    now += RECENT_S / 2
    for person in (ANNA, BORIS, BORIS, ELSEWHERE):
        counts.call(person)
    acme, other = counts.of("acme.example"), counts.of("other.example:8443")
    assert (acme.callers(now), other.callers(now)) == (2, 1)
    counts.call(ANNA)
    now += RECENT_S - 1
    assert acme.callers(now) == 2
    assert acme.callers(now + 1) == 0
    assert acme.callers(now) == 0, "who is no longer recent is forgotten"


def test_who_called_is_forgotten_though_nobody_reads_the_counts() -> None:
    now = 1000.0
    counts = Counts(clock=lambda: now)
    for user_id in range(1, 50):
        counts.call(Person(portal=ANNA.portal, user_id=user_id))
        now += RECENT_S / 2
    assert len(counts.of("acme.example")._called_at) == 2
