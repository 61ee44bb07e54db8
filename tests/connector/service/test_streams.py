"""Long answers: they break off visibly, end with their caller, and take bounded memory."""

from __future__ import annotations

import asyncio
import tracemalloc

import anyio
import httpx
import pytest
from anyio import to_thread

from bi_mcp.connector.access.access import Served
from bi_mcp.connector.access.keys import key_from
from bi_mcp.connector.access.named import NamedAccess
from bi_mcp.connector.app import build_app, build_service_app
from bi_mcp.connector.service.settings import ServiceSettings
from bi_mcp.connector.serving import _Server
from tests.connector.service.memory import LIMIT_S, MemoryAnswer, MemorySource
from tests.connector.service.serving import (
    CONNECTION,
    KEY,
    app_of,
    ask,
    ask_when_free,
    client_of,
    connector,
    heard,
    listening,
    question,
    refusal,
    shop,
)

pytestmark = pytest.mark.anyio

ORDERS = {"table": "orders"}


async def until(source: MemorySource, wait_s: float = LIMIT_S) -> MemoryAnswer:
    """The first answer of a source, once it stands still."""
    with anyio.fail_after(wait_s):
        while not source.answers:
            await anyio.lowlevel.checkpoint()
    assert await to_thread.run_sync(source.answers[0].stopped.wait, wait_s)
    return source.answers[0]


async def until_closed(answer: MemoryAnswer) -> None:
    with anyio.fail_after(LIMIT_S):
        while not answer.closed:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("fault", [None, RuntimeError("canary")], ids=["foreseen", "unforeseen"])
async def test_a_source_that_fails_in_the_middle_never_ends_in_valid_json(fault: Exception | None) -> None:
    source = shop(chunk=1, fails_after=2, **({"fault": fault} if fault else {}))
    async with connector(source) as client:
        status, body = await heard(client, ORDERS)
        assert (await ask(client, "/check")).status_code == 200
    assert status == 200
    assert body == b'[["ID","NAME","PAID"],\n[1,"Ann","2025-01-31"],\n[2,"Bo",null]'
    assert source.answers[0].closed == 1


async def test_a_source_that_fails_with_its_first_rows_is_refused_with_a_status() -> None:
    source = shop(fails_after=0)
    async with connector(source) as client:
        response = await ask(client, "/data", ORDERS)
    assert (response.status_code, response.json()) == (503, {"error": "The source does not answer now."})
    assert source.answers[0].closed == 1


@pytest.mark.parametrize("chunks", [0, 1, 2], ids=["before the first row", "in the middle", "later"])
async def test_a_caller_who_goes_ends_the_query(chunks: int) -> None:
    source = shop(chunk=1, stops_after=chunks)
    async with listening(app_of(source)) as (address, _):
        async with question(address, CONNECTION | ORDERS):
            answer = await until(source)
        await until_closed(answer)
        async with client_of(address) as client:
            metrics = (await client.get("/metrics")).text
    assert answer.cancelled.is_set()
    assert answer.closed == 1
    assert f'endpoint="/data",status="{200 if chunks else 499}"}} 1.0' in metrics
    assert "bi_connector_broken_answers_total 1.0" in metrics
    assert "bi_connector_running_answers 0.0" in metrics


async def test_a_caller_who_goes_in_the_middle_of_a_question_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = shop()
    async with listening(app_of(source)) as (address, _), client_of(address) as client:
        _, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(
            b"POST /data HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n\r\na"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await ask(client, "/check")).status_code == 200
    assert [record for record in caplog.records if record.exc_info] == []


async def test_what_comes_beyond_the_cap_is_refused_at_once_and_a_source_is_still_found_alive() -> None:
    source = shop(chunk=1, stops_after=1)
    async with connector(source, answers=1) as client:
        async with client.stream("POST", "/data", data={**CONNECTION, **ORDERS}) as running:
            answer = await until(source)
            refused = await ask(client, "/data", ORDERS)
            checked = await ask(client, "/check")
            answer.go_on.set()
            await running.aread()
        served = await ask_when_free(client, "/data", {"table": "empty"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "as many requests as it may" in refused.json()["error"]
    assert (checked.status_code, running.status_code, served.status_code) == (200, 200, 200)
    assert len(running.json()) == 4


async def test_a_source_that_gives_as_many_answers_as_it_may_still_answers_questions() -> None:
    busy, other = shop(chunk=1, stops_after=1), shop()
    access = NamedAccess(
        {"shop": Served("shop", busy, answers=1), "other": Served("other", other)}, [key_from(KEY, "")]
    )
    async with listening(build_service_app(access)) as (address, _), client_of(address) as client:
        async with client.stream("POST", "/data", data={**CONNECTION, **ORDERS}) as running:
            answer = await until(busy)
            refused = await ask(client, "/data", ORDERS)
            checked = await ask(client, "/check")
            of_other = await ask(client, "/data", {**ORDERS, "connection[source]": "other"})
            answer.go_on.set()
            await running.aread()
        served = await ask_when_free(client, "/data", {"table": "empty"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "The source is answering as many requests" in refused.json()["error"]
    assert (checked.status_code, of_other.status_code, served.status_code) == (200, 200, 200)


async def test_a_reader_who_takes_nothing_is_not_waited_for() -> None:
    source = shop(rows=[(1, "x" * 1000, None)] * 100, chunk=100, endless=True)
    async with listening(app_of(source, part_seconds=0.2)) as (address, _):
        async with question(address, CONNECTION | ORDERS) as (reader, _):
            await reader.readexactly(1000)
            await until_closed(source.answers[0])
        async with client_of(address) as client:
            assert "bi_connector_running_answers 0.0" in (await client.get("/metrics")).text


async def test_the_bytes_of_a_body_count_until_its_answer_is_over() -> None:
    source = shop(chunk=1, stops_after=1)
    async with connector(source, bodies_bytes=1000) as client:
        padded = {**ORDERS, "x": "y" * 700}
        async with client.stream("POST", "/data", data={**CONNECTION, **padded}) as running:
            answer = await until(source)
            refused = await ask(client, "/check", {"x": "y" * 400})
            answer.go_on.set()
            await running.aread()
        checked = await ask_when_free(client, "/check", {"x": "y" * 400})
    assert (refused.status_code, checked.status_code) == (503, 200)


async def test_fifty_callers_at_once_get_their_rows_or_a_quick_503() -> None:
    source = shop(rows=[(number, "x" * 100, None) for number in range(2000)], chunk=100)
    statuses = list[int]()

    async def one(client: httpx.AsyncClient) -> None:
        response = await ask(client, "/data", ORDERS)
        statuses.append(response.status_code)
        assert response.status_code == 503 or len(response.json()) == 2001

    async with connector(source, answers=8) as client, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(one, client)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 8
    assert all(answer.closed == 1 for answer in source.answers)
    assert len(source.answers) == statuses.count(200)


async def test_a_slow_reader_is_waited_for_in_bounded_memory() -> None:
    source = shop(rows=[(1, "x" * 1000, None)] * 100, chunk=100, endless=True)
    async with listening(app_of(source)) as (address, server):
        async with question(address, CONNECTION | ORDERS) as (reader, _):
            await reader.readexactly(1000)
            tracemalloc.start()
            # Until all buffers on the way are full: then the source is not asked for more.
            with anyio.fail_after(LIMIT_S):
                while not any(vars(one)["flow"].write_paused for one in server.server_state.connections):
                    await anyio.lowlevel.checkpoint()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            answer = source.answers[0]
        await until_closed(answer)
    assert peak < 5_000_000
    assert answer.cancelled.is_set()


async def test_an_answer_that_takes_too_long_breaks_off() -> None:
    source = shop(chunk=1, stops_after=2)
    async with connector(source, answer_seconds=0.2) as client:
        status, body = await heard(client, ORDERS)
    assert (status, body.count(b"\n")) == (200, 2)
    assert source.answers[0].cancelled.is_set()
    assert source.answers[0].closed == 1


async def test_an_answer_that_is_ended_before_its_first_row_is_refused() -> None:
    source = shop(stops_after=0)
    async with connector(source, answer_seconds=0.2) as client:
        assert await refusal(client, "/data", ORDERS) == (503, "There is no answer: it took too long.")
    assert source.answers[0].closed == 1


async def test_a_stop_lets_answers_end_and_then_breaks_them_off() -> None:
    source = shop(chunk=1, stops_after=1)

    async def stop(server: _Server) -> None:
        await until(source)
        server.should_exit = True

    async with (
        listening(app_of(source), stop_seconds=0.2) as (address, server),
        client_of(address) as client,
        anyio.create_task_group() as group,
    ):
        group.start_soon(stop, server)
        await heard(client, ORDERS)
    assert source.answers[0].closed == 1
    assert source.closed


async def test_an_answer_that_ends_in_time_survives_a_stop() -> None:
    source = shop(chunk=1, stops_after=1)
    async with (
        listening(app_of(source)) as (address, server),
        client_of(address) as client,
        client.stream("POST", "/data", data={**CONNECTION, **ORDERS}) as response,
    ):
        answer = await until(source)
        server.should_exit = True
        with anyio.fail_after(LIMIT_S):
            while not server._service.stopping:
                await anyio.lowlevel.checkpoint()
        answer.go_on.set()
        await response.aread()
    assert len(response.json()) == 4
    assert not answer.cancelled.is_set()


@pytest.mark.parametrize("path", ["/table", "/data"])
async def test_a_question_that_hangs_is_given_up_and_keeps_its_slot_until_it_ends(path: str) -> None:
    source = shop()
    source.found.clear()
    async with connector(source, question_seconds=0.1, answers=1) as client:
        late = await ask(client, path, ORDERS)
        busy = await ask(client, path, ORDERS)
        source.found.set()
        with anyio.fail_after(LIMIT_S):
            while (answered := await ask(client, path, ORDERS)).status_code == 503:
                await anyio.lowlevel.checkpoint()
    assert (late.status_code, late.headers["retry-after"]) == (503, "5")
    assert late.json() == {"error": "The source takes too long to answer. Ask again later."}
    assert "as many requests as it may" in busy.json()["error"]
    assert answered.status_code == 200
    assert [answer.closed for answer in source.answers] == [1] * len(source.answers)


async def test_a_source_that_hangs_leaves_questions_to_the_others() -> None:
    hanging, other = shop(), shop()
    hanging.found.clear()
    app = build_app({"shop": hanging, "other": other}, [key_from(KEY, "")], ServiceSettings(answers=4))
    async with (
        listening(app) as (address, server),
        client_of(address) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(2):
            group.start_soon(ask, client, "/table", ORDERS)
        with anyio.fail_after(LIMIT_S):
            while server._service._questions_of_sources._taken.total() < 2:
                await anyio.lowlevel.checkpoint()
        assert await refusal(client, "/table", ORDERS) == (
            503,
            "The source is answering as many requests as it may. Ask again later.",
        )
        checked = await ask(client, "/check", {"connection[source]": "other"})
        hanging.found.set()
    assert checked.status_code == 200


async def test_a_stop_waits_no_longer_than_its_time_for_a_question_that_hangs() -> None:
    source = shop()
    source.found.clear()
    async with (
        listening(app_of(source), stop_seconds=0.2) as (address, server),
        client_of(address) as client,
        anyio.create_task_group() as group,
    ):

        async def stop() -> None:
            while not server._service._questions.taken:
                await anyio.lowlevel.checkpoint()
            server.should_exit = True

        group.start_soon(stop)
        assert await refusal(client, "/table", ORDERS) == (
            503,
            "The connector is about to stop. Ask again later.",
        )
    source.found.set()
    assert source.closed
