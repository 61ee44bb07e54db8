"""Calls that take their time say how far they are, to clients that asked; the values only grow."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.server import MCPServer

from bi_mcp.practice import sample
from tests.server.conftest import Era
from tests.server.talking import Talk
from tests.setup.test_commands import SETUP

pytestmark = pytest.mark.anyio

Told = list[tuple[float, float | None, str]]


async def progress_of(talk: Talk, tool: str, **arguments: Any) -> Told:
    told: Told = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message or ""))

    result = await talk.client.call_tool(tool, arguments, progress_callback=hear)
    assert not result.is_error
    # Notifications may come after the answer: one more round trip lets them arrive.
    await talk.client.list_tools()
    values = [done for done, _, _ in told]
    assert values == sorted(set(values))
    assert all(total is None or done <= total for done, total, _ in told)
    return told


async def test_calls_of_endpoints_say_their_steps_and_which_endpoint_is_called(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    dataset = await talk.add_dataset(source)
    checked = await progress_of(talk, "connector_check", source=source, table="flights")
    assert [step for step in steps(checked) if step[0]] == [
        (1, 4, "Checking the columns of a table"),
        (2, 4, "Checking its data"),
        (3, 4, "Asking what charts ask"),
    ]
    # urlCheck is called at the same time, so where the count begins depends on who is first.
    assert "Checking the list of tables" in [text for _, _, text in checked]
    called = {text for _, _, text in checked if text.startswith("Calling")}
    assert called == {f"Calling {name}" for name in sample.ENDPOINTS}
    assert steps(await progress_of(talk, "dataset_diagnose", id=dataset)) == [
        (0, 2, "Reading the dataset and its source"),
        (1, 2, "Reading the external columns and sampling values"),
    ]
    assert steps(await progress_of(talk, "dataset_propose", source=source, table="flights")) == [
        (0, 3, "Reading the external table"),
        (1, 3, "Reading the names of the datasets"),
        (2, 3, "Sampling values"),
    ]
    assert [text for _, _, text in await progress_of(talk, "source_tables", source=source)] == [
        "Calling urlTableList"
    ]


def steps(told: Told) -> Told:
    """Without the remarks between them."""
    return [(done, total, text) for done, total, text in told if float(done).is_integer()]


async def test_a_map_says_how_much_there_is_to_read(talk: Talk) -> None:
    connector = await talk.add_connector()
    source = await talk.add_source(connector)
    for number in range(60):
        await talk.add_dataset(source, f"flights_{number}")
    told = [text for _, _, text in await progress_of(talk, "portal_map")]
    assert told[0] == "Reading the lists"
    assert "52 objects so far, 50 of them to be read in full" in told
    assert "Reading 11 more objects in full" in told


async def test_an_application_counts_its_steps_whatever_else_is_said_meanwhile(talk: Talk) -> None:
    plan = await talk.done("workspace_plan", setup=SETUP)
    told = await progress_of(talk, "workspace_apply", token=plan["token"])
    # Four steps, and the look at what came of them.
    assert (4, 5) in {(done, total) for done, total, *_ in told}
    assert (told[-1][0] > 4, told[-1][1]) == (True, 5)


async def test_nobody_who_did_not_ask_is_told(server: MCPServer, era: Era) -> None:
    messages: list[object] = []

    async def hear(message: object) -> None:
        messages.append(message)

    async with Client(server, mode=era, message_handler=hear) as client:
        talk = Talk(client)
        await talk.done("portal_map")
        await client.list_tools()
    assert [message for message in messages if "rogress" in type(message).__name__] == []
