"""`python -m benchmarks.soak --minutes 30`: mixed load over HTTP on a portal with every fault, then the books are compared.

The server's memory and open files must stay flat, and the portal's own store must hold exactly what the answers said: nothing
that was made is lost, nothing is there twice.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import anyio
import click
import httpx
from mcp import Client

from benchmarks.hosting import HTTP_COMMAND, client_of, resident_kilobytes, running
from benchmarks.local_portal import LocalPortal, running_portal
from bi_mcp.base.secret import Secret
from bi_mcp.practice import sample
from bi_mcp.practice.portal.faults import FaultKind
from bi_mcp.rest import AccessToken, BIConnector

CLIENTS = 4
# Between two calls of a client: the machine is not what is tested.
PAUSE_S = 0.02
FAULT_EVERY_S = 0.5
SAMPLE_EVERY_S = 15.0
# The first part of the time fills caches and pools.
WARM_UP = 0.2
MOST_GROWTH = 1.2
MOST_FILES = 10

Fate = Literal["there", "gone", "unknown"]

_FAULTS = [kind for kind in get_args(FaultKind) if kind != "overload"]
_ENDPOINTS = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}


@dataclass
class Books:
    """What the answers said: the fate of every object by its title. `calls` and `errors` are counted by tool."""

    fates: dict[str, Fate] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    kilobytes: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)


class Worker:
    """One client: makes a connector, a source and a dataset, reads, and deletes some of it, over and over."""

    def __init__(self, client: Client, books: Books, name: str) -> None:
        self._client = client
        self._books = books
        self._name = name

    async def work(self, until: float) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            await self._round(f"{self._name}_{number}")

    async def _round(self, title: str) -> None:
        parameters = [{"code": code, "name": code, "type": "STRING"} for code in ("login", "password")]
        fields: dict[str, Any] = {
            "title": f"c_{title}",
            "logo": "data:,",
            "settings": parameters,
            **_ENDPOINTS,
        }
        connector = await self._make("connector_add", f"c_{title}", fields)
        if connector is None:
            return
        settings = {"login": "demo", "password": {"env": "BI_MCP_SECRET_SOAK"}}
        fields = {"title": f"s_{title}", "connectorId": connector, "settings": settings}
        source = await self._make("source_add", f"s_{title}", fields)
        if source is not None:
            columns = [{"name": "ID", "externalCode": "CARRIER", "type": "string"}]
            fields = {"name": f"d_{title}", "sourceId": source, "fields": columns}
            dataset = await self._make(
                "dataset_add", f"d_{title}", fields | {"externalCode": "x", "externalName": "X"}
            )
            await self._call("dataset_list", filter={"sourceId": source})
            if dataset is not None:
                await self._call("dataset_get", id=dataset)
                await self._call("dataset_update", id=dataset, fields={"description": title})
                await self._delete("dataset_delete", f"d_{title}", dataset)
            await self._delete("source_delete", f"s_{title}", source)
        await self._call("connector_list")
        if random.random() < 0.5:  # noqa: S311  no secret hangs on it
            await self._delete("connector_delete", f"c_{title}", connector)

    async def _make(self, tool: str, title: str, fields: dict[str, Any]) -> int | None:
        answer, text = await self._call(tool, fields=fields)
        if answer is not None:
            self._books.fates[title] = "there"
            return int(answer["id"])
        self._books.fates[title] = "gone" if _did_nothing(text) else "unknown"
        return None

    async def _delete(self, tool: str, title: str, id: int) -> None:
        answer, text = await self._call(tool, id=id)
        if answer is not None:
            self._books.fates[title] = "gone"
        elif not _did_nothing(text):
            self._books.fates[title] = "unknown"

    async def _call(self, tool: str, **arguments: Any) -> tuple[dict[str, Any] | None, str]:
        await anyio.sleep(PAUSE_S)
        self._books.calls[tool] += 1
        result = await self._client.call_tool(tool, arguments)
        text = getattr(result.content[0], "text", "")
        if result.is_error:
            self._books.errors[tool] += 1
            return None, text
        return result.structured_content, text


def _did_nothing(text: str) -> bool:
    """Whether an error says for certain that nothing was done. Everything else may have been done, or may yet be."""
    certain = ("was not sent", "Nothing was sent", "refused.", "Nothing happened")
    # "It was not sent again": the portal may still be at work on the first.
    return "not sent again" not in text and any(words in text for words in certain)


async def soak(minutes: float) -> list[str]:
    """Run it; returns what is wrong, each as a sentence."""
    books = Books()
    with TemporaryDirectory() as folder:
        environment = {"BI_MCP_PORTAL_FAULTS": "on", "BI_MCP_PORTAL_LIMITS": "off"}
        async with running_portal(environment) as portal:
            settings = {
                "BI_MCP_SECRET_SOAK": sample.DEMO_PASSWORD,
                "BI_MCP_CONFIRM": "off",
                "BI_MCP_CONFIG_DIR": str(Path(folder, "configuration")),
            }
            async with running(HTTP_COMMAND, portal.server_environment() | settings) as (pid, address):
                await _load(books, portal, pid, address, minutes * 60)
            wrong = [*_flat(books), *await _compare(books, portal)]
    _print(books)
    return wrong


async def _load(books: Books, portal: LocalPortal, pid: int, address: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    async with anyio.create_task_group() as group:
        for number in range(CLIENTS):
            group.start_soon(_one_client, address, books, f"w{number}", until)
        group.start_soon(_faults, portal, until)
        group.start_soon(_samples, books, pid, until)
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.delete(f"{portal.address}/_portal/faults")
    # Idle again: what is open now is what leaked.
    await anyio.sleep(5)
    books.files.append(_open_files(pid))


async def _one_client(address: str, books: Books, name: str, until: float) -> None:
    async with client_of(address) as client:
        await Worker(client, books, name).work(until)


async def _faults(portal: LocalPortal, until: float) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < until - 5:
            order = {"kind": random.choice(_FAULTS), "skip": random.randrange(3)}  # noqa: S311  no secret hangs on it
            if order["kind"] == "slow":
                order["seconds"] = 0.2
            if order["kind"] == "operation_limit":
                order["operating_reset_at"] = int(time.time()) + 1
            answer = await http.post(f"{portal.address}/_portal/faults", json=order)
            answer.raise_for_status()
            await anyio.sleep(FAULT_EVERY_S)


async def _samples(books: Books, pid: int, until: float) -> None:
    while time.monotonic() < until:
        books.kilobytes.append(await resident_kilobytes(pid))
        books.files.append(_open_files(pid))
        await anyio.sleep(SAMPLE_EVERY_S)


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _flat(books: Books) -> list[str]:
    warm = books.kilobytes[int(len(books.kilobytes) * WARM_UP) :]
    wrong = []
    if warm[-1] > warm[0] * MOST_GROWTH:
        wrong.append(f"memory grew from {warm[0]} to {warm[-1]} kB")
    if books.files[-1] > books.files[0] + MOST_FILES:
        wrong.append(f"open files grew from {books.files[0]} to {books.files[-1]}")
    return wrong


async def _compare(books: Books, portal: LocalPortal) -> list[str]:
    async with BIConnector(portal.address, AccessToken(Secret(portal.token))) as bi:
        snapshot = await bi.snapshot()
    held = Counter(
        [item.title or "" for item in snapshot.connectors.values()]
        + [item.title or "" for item in snapshot.sources.values()]
        + [item.name or "" for item in snapshot.datasets.values()]
    )
    wrong = [f"{title} is there {count} times" for title, count in held.items() if count > 1]
    wrong += [f"{title} was never heard of" for title in held if title not in books.fates]
    wrong += [
        f"{title} is lost" for title, fate in books.fates.items() if fate == "there" and title not in held
    ]
    return wrong + [
        f"{title} is still there" for title, fate in books.fates.items() if fate == "gone" and title in held
    ]


def _print(books: Books) -> None:
    calls, errors = sum(books.calls.values()), sum(books.errors.values())
    fates = Counter(books.fates.values())
    click.echo(
        json.dumps(
            {
                "calls": calls,
                "errors": errors,
                "objects": dict(fates),
                "memory, kB": [
                    books.kilobytes[0],
                    books.kilobytes[int(len(books.kilobytes) * WARM_UP)],
                    books.kilobytes[-1],
                ],
                "open files": [books.files[0], max(books.files), books.files[-1]],
            },
            indent=1,
        )
    )


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
def main(minutes: float) -> None:
    """Run the soak and end with 1 where something is wrong."""
    wrong = anyio.run(soak, minutes)
    for sentence in wrong:
        click.echo(sentence, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
