"""Whatever a client sends, the server lives, answers what waits for an answer in words that help, and writes nothing but messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, UNSUPPORTED_PROTOCOL_VERSION

from bi_mcp.server.refusals import NO_HANDSHAKE
from tests.server.conftest import Era
from tests.server.http.serving import HELLO
from tests.server.odd_messages import (
    LARGE,
    LINES,
    ODD,
    VALUE,
    Error,
    Odd,
    Outcome,
    Refused,
    Served,
    Silence,
    call,
    notification,
    request,
)
from tests.server.processes import MODERN, Wire, started

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("odd messages")]

# Of errors. More is no help, whatever was wrong.
LONGEST_ERROR = 8_000
# The SDK's words for "something is wrong", a stack trace, and the validator's dumps.
EMPTY_WORDS = (
    "Invalid request parameters",
    "Internal server error",
    "Traceback",
    'File "',
    "pydantic",
    VALUE,
)
# Generous: it names a line that would hang, and measures nothing.
LINE_LIMIT_S = 20
VARIABLES = {"BI_MCP_PORTAL_DB": ":memory:"}


def check(answer: dict[str, Any], outcome: Outcome) -> None:
    """Whether a message answers as it must."""
    assert answer["jsonrpc"] == "2.0"
    if isinstance(outcome, Error):
        assert answer["error"]["code"] == outcome.code, answer
        said = answer["error"]["message"]
    else:
        assert "result" in answer, answer
        assert answer["result"].get("isError", False) is isinstance(outcome, Refused), answer
        said = answer["result"]["content"][0]["text"] if isinstance(outcome, Refused) else ""
    if isinstance(outcome, Error | Refused):
        assert outcome.says in said
        assert len(said) < LONGEST_ERROR
        assert not [words for words in EMPTY_WORDS if words in json.dumps(answer)]


@asynccontextmanager
async def greeted(home: Path, era: Era) -> AsyncIterator[Wire]:
    """A server over standard streams that speaks the protocol of an era and has nothing to complain about in the end."""
    async with started(home, **VARIABLES) as wire:
        if era == "legacy":
            await wire.ask("initialize", **HELLO["params"])
            await wire.notify("notifications/initialized")
        yield wire
        assert await wire.end() == 0
        assert "Traceback" not in wire.errors()


@contextmanager
def named(odd: Odd) -> Iterator[None]:
    try:
        yield
    except Exception as wrong:
        wrong.add_note(odd.name)
        raise


async def still_answers(wire: Wire, era: Era) -> None:
    """Nothing else was said, and the next request is served."""
    assert "tools" in await wire.ask("tools/list", **(MODERN if era == "auto" else {}))


async def test_an_odd_line_is_answered_as_it_must_and_the_next_one_is_served(
    era: Era, tmp_path: Path
) -> None:
    async with greeted(tmp_path, era) as wire:
        for odd in [*ODD, *LINES, *LARGE]:
            with named(odd), anyio.fail_after(LINE_LIMIT_S):
                await wire.send_bytes(odd.line(era))
                if not isinstance(odd.outcome, Silence):
                    answer = await wire.next_message()
                    assert answer["id"] == odd.answered_id
                    check(answer, odd.outcome)
                await still_answers(wire, era)


async def test_what_comes_before_the_handshake_is_refused_with_the_way_in(tmp_path: Path) -> None:
    async with started(tmp_path, **VARIABLES) as wire:
        await wire.send_line(json.dumps(call("connector_list", {})))
        check(await wire.next_message(), Error(INVALID_PARAMS, NO_HANDSHAKE))
        await wire.send_line(json.dumps(notification("notifications/cancelled", requestId="odd")))
        assert (await wire.ask("ping")) == {}
        await wire.ask("initialize", **HELLO["params"])
        assert "tools" in await wire.ask("tools/list")
        assert await wire.end() == 0


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "params.protocolVersion: Field required"),
        (HELLO["params"] | {"protocolVersion": 5}, "params.protocolVersion"),
        (HELLO["params"] | {"clientInfo": VALUE}, "params.clientInfo"),
    ],
)
async def test_a_handshake_that_is_none_may_be_tried_again(
    tmp_path: Path, params: dict[str, Any], says: str
) -> None:
    async with started(tmp_path, **VARIABLES) as wire:
        await wire.send_line(json.dumps(request("initialize", **params)))
        check(await wire.next_message(), Error(INVALID_PARAMS, says))
        assert (await wire.ask("initialize", **HELLO["params"]))["protocolVersion"] == "2025-11-25"
        assert await wire.end() == 0


async def test_a_second_handshake_is_taken_and_the_other_era_is_refused(tmp_path: Path) -> None:
    async with greeted(tmp_path, "legacy") as wire:
        again = HELLO["params"] | {"protocolVersion": "2025-06-18"}
        assert (await wire.ask("initialize", **again))["protocolVersion"] == "2025-06-18"
        await wire.send_line(json.dumps(request("tools/list", **MODERN)))
        check(await wire.next_message(), Error(INVALID_REQUEST, "serves the handshake protocol era"))
        await still_answers(wire, "legacy")


async def test_after_a_request_of_the_newest_protocol_no_handshake_is_taken(tmp_path: Path) -> None:
    async with greeted(tmp_path, "auto") as wire:
        await still_answers(wire, "auto")
        await wire.send_line(json.dumps(request("initialize", **HELLO["params"])))
        check(await wire.next_message(), Error(UNSUPPORTED_PROTOCOL_VERSION, "2026-07-28"))
        unknown = MODERN["_meta"] | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
        await wire.send_line(json.dumps(request("tools/list", _meta=unknown)))
        check(await wire.next_message(), Error(UNSUPPORTED_PROTOCOL_VERSION, "Unsupported"))
        await still_answers(wire, "auto")


async def test_two_requests_with_one_id_are_both_answered(era: Era, tmp_path: Path) -> None:
    async with greeted(tmp_path, era) as wire:
        twice = [Odd("a call", call("connector_list", {}), Served()).line(era)] * 2
        await wire.send_bytes(b"\n".join(twice))
        assert [(await wire.next_message())["id"] for _ in twice] == ["odd", "odd"]
        await still_answers(wire, era)


async def test_a_call_that_is_cancelled_is_answered_once_at_most(era: Era, tmp_path: Path) -> None:
    cancel = json.dumps(notification("notifications/cancelled", requestId="odd")).encode()
    calling = Odd("a call", call("connector_list", {}), Served()).line(era)
    async with greeted(tmp_path, era) as wire:
        await wire.send_bytes(b"\n".join([cancel, calling, cancel, cancel]))
        await wire.send_bytes(Odd("the next", request(id="after"), Served()).line(era))
        while (await wire.next_message())["id"] != "after":
            pass
    assert wire.heard().count('"id":"odd"') <= 1


async def test_the_end_of_a_call_that_is_answered_changes_nothing(era: Era, tmp_path: Path) -> None:
    async with greeted(tmp_path, era) as wire:
        await wire.send_bytes(Odd("a call", call("connector_list", {}), Served()).line(era))
        check(await wire.next_message(), Served())
        await wire.send_line(json.dumps(notification("notifications/cancelled", requestId="odd")))
        await still_answers(wire, era)
