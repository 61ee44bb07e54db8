"""The waits of 20 people for a portal with the standard limits while another person wants much of it, on a clock that only waits move.

Each of the 20 reads a dataset every 20 seconds: half of what the portal allows for good. The other person either maps a
portal of 1,000 datasets over and over, as the tool does it, or has 1,000 requests waiting that cannot travel together, as
the writes of a large plan. To compare, the same 1,000 wait in one queue with everybody else's, as before people took turns.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from benchmarks.outcome import Outcome
from benchmarks.virtual_time import VirtualTime
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.gather import GatheringTransport
from bi_mcp.rest.models import ConnectorFields, DatasetFields, NewColumn, SourceFields
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.rate_limit import STANDARD, Limiter
from bi_mcp.rest.transport import HttpTransport

PEOPLE = 20
CALLS = 6
EVERY_S = 20.0
DATASETS = 1_000
# The next place is a person's own unless another of the 20 asks in the same moment; the portal takes a request each half second.
GOAL_MEDIAN_S = 2 / STANDARD.drain_per_s
GOAL_WORST_S = 3 / STANDARD.drain_per_s
# Nothing is refused here: the waits themselves are compared.
_ANY_WAIT_S = 1e6
_TOKEN = Secret("token of the fairness")
_CHECK = "http://check.localhost"

Demand = Callable[["_Portal"], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Waits:
    """Seconds that each of the 20 people's calls took, by what the other person did; the portal itself takes no time."""

    alone: list[float]
    beside_maps: list[float]
    beside_requests: list[float]
    in_one_queue: list[float]

    def median_outcome(self) -> Outcome:
        """Compare the medians."""
        return self._outcome("median", median, GOAL_MEDIAN_S)

    def worst_outcome(self) -> Outcome:
        """Compare the longest waits."""
        return self._outcome("worst", max, GOAL_WORST_S)

    def _outcome(self, name: str, measure: Callable[[list[float]], float], goal: float) -> Outcome:
        alone = measure(self.alone)
        longer = {
            "beside maps, s longer": measure(self.beside_maps) - alone,
            "beside 1,000 requests, s longer": measure(self.beside_requests) - alone,
        }
        return Outcome(
            benchmark=f"{name} wait of {PEOPLE} people, longer beside one with {DATASETS:,} requests",
            measured=max(longer.values()),
            goal=goal,
            unit="seconds",
            details={"alone, s": alone, **longer, "in one queue, s": measure(self.in_one_queue)},
        )


@cache
def measure_fairness() -> Waits:
    """Let the same people call beside each of the others."""
    with _filled_database() as database:
        return Waits(
            alone=anyio.run(_call, database, _want_nothing),
            beside_maps=anyio.run(_call, database, _map_again_and_again),
            beside_requests=anyio.run(_call, database, _send_a_thousand),
            in_one_queue=anyio.run(_call, database, _send_a_thousand, False),
        )


class _Portal:
    """A portal on its own clock, and a client of it for each person."""

    def __init__(self, database: str, *, turns: bool) -> None:
        self.time = VirtualTime()
        settings = LocalPortalSettings(access_token=_TOKEN, limits="standard", database=database)
        self.app: Starlette = create_app(settings, clock=self.time)
        self._limiter = Limiter()
        self._turns = turns

    def client_of(self, person: str) -> BIConnector:
        patient = self._patient(person)
        return BIConnector(GatheringTransport(patient, turn=patient.turn))

    def client_without_batches_of(self, person: str) -> BIConnector:
        return BIConnector(self._patient(person))

    def _patient(self, person: str) -> PatientTransport:
        http = HttpTransport("http://localhost", AccessToken(_TOKEN), app=self.app)
        return PatientTransport(
            http,
            limiter=self._limiter.for_owner(person) if self._turns else self._limiter,
            max_wait_s=_ANY_WAIT_S,
            clock=self.time,
            wall_clock=self.time,
            sleep=self.time.sleep,
        )


async def _call(database: str, demand: Demand, turns: bool = True) -> list[float]:
    portal, waits = _Portal(database, turns=turns), list[float]()

    async def call_now_and_then(number: int) -> None:
        async with portal.client_of(f"person {number}") as bi:
            await portal.time.sleep((number + 1) * EVERY_S / PEOPLE)
            for _ in range(CALLS):
                began = portal.time()
                await bi.datasets.get(number + 1)
                waits.append(portal.time() - began)
                await portal.time.sleep(EVERY_S - (portal.time() - began) % EVERY_S)

    async with anyio.create_task_group() as others:
        others.start_soon(portal.time.run)
        others.start_soon(demand, portal)
        async with anyio.create_task_group() as people:
            for number in range(PEOPLE):
                people.start_soon(call_now_and_then, number)
        others.cancel_scope.cancel()
    portal.app.state.database.close()
    assert len(waits) == PEOPLE * CALLS
    return waits


async def _want_nothing(_: _Portal) -> None:
    return


async def _map_again_and_again(portal: _Portal) -> None:
    async with portal.client_of("mapper") as bi:
        for _ in count():
            assert len((await bi.snapshot()).datasets) == DATASETS


async def _send_a_thousand(portal: _Portal) -> None:
    async with portal.client_without_batches_of("mapper") as bi, anyio.create_task_group() as group:
        for number in range(DATASETS):
            group.start_soon(partial(bi.connectors.list_page, page=number + 1))


@contextmanager
def _filled_database() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        database = f"{folder}/portal.sqlite3"
        anyio.run(_fill, database)
        yield database


async def _fill(database: str) -> None:
    app = create_app(
        LocalPortalSettings(access_token=_TOKEN, database=database),
        connectors={_CHECK: PlainTextResponse("ok")},
    )
    async with BIConnector(HttpTransport("http://localhost", AccessToken(_TOKEN), app=app)) as bi:
        urls: dict[str, Any] = {
            f"url_{name}": f"{_CHECK}/{name}" for name in ("check", "table_list", "table_description", "data")
        }
        connector = await bi.connectors.add(
            ConnectorFields(title="Shop", logo="https://shop.example/logo.png", settings=[], **urls)
        )
        source = await bi.sources.add(SourceFields(title="Shop", connector_id=connector, settings={}))
        await bi.batch([bi.datasets.commands.add(_dataset(source, number)) for number in range(DATASETS)])
    app.state.database.close()


def _dataset(source: int, number: int) -> DatasetFields:
    name, column = f"table_{number}", NewColumn(name="ID", external_code="id", type="int")
    return DatasetFields(name=name, source_id=source, external_code=name, external_name=name, fields=[column])
