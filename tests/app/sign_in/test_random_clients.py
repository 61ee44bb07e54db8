"""Whatever two replicas are asked, in whatever order: a used, expired or withdrawn token opens nothing, and a good one does."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from bi_mcp.app.sign_in.connected_clients import (
    ACCESS_LIFETIME_S,
    CODE_LIFETIME_S,
    REFRESH_LIFETIME_S,
    ConnectedClients,
    IssuedTokens,
)
from bi_mcp.app.sign_in.portal_logins import PortalLogins
from bi_mcp.app.sign_in.sign_ins import forget_unused
from bi_mcp.auth.person import Person
from tests.app.sign_in.people import ANNA, BORIS, asked, grant
from tests.app.sign_in.stores import Clock, FolderStore, RedisStore, Store

Answer = TypeVar("Answer")

GRANTED = ("read", "write")
REPLICAS = st.integers(0, 1)
PEOPLE = st.sampled_from([ANNA, BORIS])
SCOPES = st.sampled_from([("read",), ("read", "write"), ("write", "everything")])
WAITS = st.sampled_from([1.0, CODE_LIFETIME_S, ACCESS_LIFETIME_S, ACCESS_LIFETIME_S, REFRESH_LIFETIME_S])


@dataclass
class Expected:
    """What must be true of a client. All tokens it ever had are remembered, the last of each is the good one."""

    person: Person
    code: str
    code_until: float
    used: bool = False
    ended: bool = False
    until: float = 0.0
    access_until: float = 0.0
    scopes: tuple[str, ...] = ()
    accesses: list[str] = field(default_factory=list)
    refreshes: list[str] = field(default_factory=list)

    def got(self, issued: IssuedTokens, now: float) -> None:
        self.used = True
        self.until, self.access_until = now + REFRESH_LIFETIME_S, now + ACCESS_LIFETIME_S
        self.accesses.append(issued.access.reveal())
        self.refreshes.append(issued.refresh.reveal())
        self.scopes = issued.scopes

    def lives(self, now: float) -> bool:
        return not self.ended and now < (self.until if self.used else self.code_until)


class Machine(RuleBasedStateMachine):
    """Two replicas over one store, and what is expected of each client."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.all: list[Expected] = []
        store = self.open_store()
        self.logins = PortalLogins(store.open())
        self.replicas = [self.replica(store) for _ in range(2)]

    def open_store(self) -> Store:
        raise NotImplementedError

    def replica(self, store: Store) -> ConnectedClients:
        clients = ConnectedClients(
            store.open(),
            clock=self.clock,
            left=lambda person: forget_unused(clients, self.logins, person),
        )
        return clients

    def run(self, step: Awaitable[Answer]) -> Answer:
        async def awaited() -> Answer:
            return await step

        return self.runner.run(awaited())

    @initialize(target=known)
    def first(self) -> Expected:
        return self.connected(ANNA, 0)

    @rule(target=known, person=PEOPLE, replica=REPLICAS)
    def connect(self, person: Person, replica: int) -> Expected:
        return self.connected(person, replica)

    @rule(target=known, person=PEOPLE, replica=REPLICAS)
    def issue(self, person: Person, replica: int) -> Expected:
        return self.issued(person, replica)

    def connected(self, person: Person, replica: int) -> Expected:
        client = self.issued(person, replica)
        self.redeem_code(client, 1 - replica)
        return client

    def issued(self, person: Person, replica: int) -> Expected:
        code = self.run(self.replicas[replica].issue_code(person, asked("Claude"), GRANTED)).reveal()
        self.run(self.logins.keep(person, grant(self.clock())))
        made = Expected(person, code, self.clock() + CODE_LIFETIME_S)
        self.all.append(made)
        return made

    @rule(client=known, replica=REPLICAS)
    def redeem(self, client: Expected, replica: int) -> None:
        self.redeem_code(client, replica)

    def redeem_code(self, client: Expected, replica: int) -> None:
        issued = self.run(self.replicas[replica].redeem(client.code))
        self.check(client, issued, good=client.lives(self.clock()) and not client.used)

    @rule(client=known, replica=REPLICAS, scopes=SCOPES, age=st.sampled_from([1, 1, 1, 2, 3]))
    def refresh(self, client: Expected, replica: int, scopes: tuple[str, ...], age: int) -> None:
        if not client.refreshes:
            return
        age = min(age, len(client.refreshes))
        issued = self.run(self.replicas[replica].refresh(client.refreshes[-age], scopes))
        self.check(client, issued, good=client.lives(self.clock()) and age == 1)
        if issued is not None:
            assert set(issued.scopes) == {*scopes} & {*GRANTED}

    def check(self, client: Expected, issued: IssuedTokens | None, *, good: bool) -> None:
        """A good one gives tokens; any other ends the client for good."""
        assert (issued is not None) == good
        if issued is None:
            self.end(client)
        else:
            client.got(issued, self.clock())

    def end(self, client: Expected) -> None:
        """Expect the end of a client that is connected. One that has expired is only gone, and its login may be left."""
        client.ended = client.ended or (client.used and client.lives(self.clock()))

    @rule(client=known)
    def use_at_once(self, client: Expected) -> None:
        """Both replicas use the newest thing that the client has."""
        good = client.lives(self.clock())

        async def both() -> list[IssuedTokens | None]:
            if client.used:
                token = client.refreshes[-1]
                return list(await asyncio.gather(*[each.refresh(token, GRANTED) for each in self.replicas]))
            return list(await asyncio.gather(*[each.redeem(client.code) for each in self.replicas]))

        got = [issued for issued in self.run(both()) if issued is not None]
        assert len(got) == good
        for issued in got:
            client.got(issued, self.clock())
        self.end(client)

    @rule(client=known, replica=REPLICAS)
    def refresh_while_it_is_disconnected(self, client: Expected, replica: int) -> None:
        if not client.used:
            return
        one, other = self.replicas[replica], self.replicas[1 - replica]
        id = client.refreshes[-1][len("bi_rt_") :][:32]

        async def both() -> IssuedTokens | None:
            issued, _ = await asyncio.gather(
                one.refresh(client.refreshes[-1], GRANTED), other.disconnect(client.person, id)
            )
            return issued

        issued = self.run(both())
        self.end(client)
        if issued is not None:
            assert client.ended
            client.got(issued, self.clock())

    @rule(client=known, replica=REPLICAS)
    def look(self, client: Expected, replica: int) -> None:
        """Look whose a code and the newest refresh token are, as the server does before it uses them."""
        found = self.run(self.replicas[replica].find_code(client.code))
        assert (found is not None) == (client.lives(self.clock()) and not client.used)
        self.end(client)
        if client.refreshes:
            assert self.run(self.replicas[replica].find_refresh(client.refreshes[-1])) is None

    @rule(person=PEOPLE, replica=REPLICAS)
    def disconnect_all(self, person: Person, replica: int) -> None:
        theirs = [client for client in self.all if client.person == person and client.lives(self.clock())]
        count = self.run(self.replicas[replica].disconnect_all(person))
        assert count == len([client for client in theirs if client.used])
        for client in theirs:
            client.ended = True

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def only_good_tokens_open_something(self) -> None:
        now = self.clock()
        for client in self.all:
            for token in client.accesses[-2:]:
                good = client.lives(now) and token == client.accesses[-1] and now < client.access_until
                found = self.run(self.replicas[0].find_access(token))
                assert (found is not None) == good
                if found is not None:
                    assert (found.person, found.scopes) == (client.person, client.scopes)

    @invariant()
    def everyone_sees_their_clients_and_no_login_is_kept_without_one(self) -> None:
        for person in (ANNA, BORIS):
            living = [client for client in self.all if client.person == person and client.lives(self.clock())]
            connected = [client for client in living if client.used]
            assert len(self.run(self.replicas[1].of(person))) == len(connected)
            if living:
                assert self.run(self.logins.load(person.mark)) is not None
            elif any(client.ended for client in self.all if client.person == person):
                self.saw_no_login(person)

    def saw_no_login(self, person: Person) -> None:
        """After the last client was disconnected nothing is left; one that only expired leaves its login for a while."""
        last = [client for client in self.all if client.person == person][-1]
        if all(client.ended for client in self.all if client.person == person):
            assert self.run(self.logins.load(person.mark)) is None, last

    def teardown(self) -> None:
        self.runner.close()


class FolderMachine(Machine):
    def open_store(self) -> Store:
        self.folder = tempfile.TemporaryDirectory()
        return FolderStore(Path(self.folder.name), self.clock)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


# Twenty steps are readable as they are; to shorten them would take minutes.
QUICK = settings(
    deadline=None,
    max_examples=12,
    stateful_step_count=20,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_in_a_folder() -> None:
    run_state_machine_as_test(FolderMachine, settings=QUICK)


@pytest.mark.needs("redis-server")
def test_in_redis(redis: str) -> None:
    class RedisMachine(Machine):
        def open_store(self) -> Store:
            self.client = Redis.from_url(redis)
            self.run(self.client.flushall())
            return RedisStore(self.client)

        def teardown(self) -> None:
            self.run(self.client.aclose())
            super().teardown()

    run_state_machine_as_test(RedisMachine, settings=QUICK)
