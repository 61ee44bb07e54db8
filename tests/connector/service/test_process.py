"""`bi-mcp connector serve` as a process: what it prints, TLS, and how it stops."""

from __future__ import annotations

import json
import signal
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from tests.connector.service.serving import client_of, question
from tests.server.http.certificate import make_certificate
from tests.server.processes import COMMAND, LIMIT_S, environment, ran

pytestmark = pytest.mark.anyio

KEY = "canary-key-of-the-process"


class Running:
    """A connector, and what it has printed."""

    def __init__(self, process: Process, errors: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self._lines = TextReceiveStream(process.stdout)
        self._errors = errors
        self.printed = ""

    async def until(self, text: str) -> str:
        """Wait until a text was printed."""
        with anyio.fail_after(LIMIT_S):
            while text not in self.printed:
                self.printed += await self._lines.receive()
        return self.printed

    async def address(self) -> str:
        await self.until("urlData: ")
        return self.printed.partition("://")[2].partition("\n")[0]

    def logged(self) -> str:
        return self._errors.read_text(encoding="utf-8")


@asynccontextmanager
async def running(home: Path, *options: str, **variables: str) -> AsyncIterator[Running]:
    """Run the command on a free port."""
    errors = home / "errors"
    with errors.open("wb") as file:
        process = await anyio.open_process(
            [*COMMAND, "connector", "serve", "--port", "0", *options],
            stdin=None,
            stderr=file,
            env=environment(home, **variables),
        )
        async with process:
            try:
                yield Running(process, errors)
            finally:
                if process.returncode is None:
                    process.terminate()
                    with anyio.CancelScope(shield=True):
                        await process.wait()


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The address of a small database."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER, name TEXT)")
        database.execute("INSERT INTO orders VALUES (1, 'Ann'), (2, NULL)")
    database.close()
    return f"shop=sqlite:///{tmp_path / 'shop.db'}"


async def asked(client: httpx.AsyncClient, key: str, source: str = "shop") -> httpx.Response:
    return await client.post(
        "/data", data={"connection[source]": source, "connection[key]": key, "table": "orders"}
    )


async def test_a_person_is_told_all_that_bitrix24_needs_and_the_key_once(tmp_path: Path, shop: str) -> None:
    async with running(tmp_path, "--source", shop) as connector:
        address = await connector.address()
        printed = await connector.until("orders")
        key = printed.partition("key: ")[2].partition(" ")[0]
        async with client_of(address) as client:
            answer = await asked(client, key)
            await asked(client, "wrong")
            page = (await client.get("/")).text
        connector.process.terminate()
        assert await connector.process.wait() == 0
    assert answer.json() == [["ID", "NAME"], [1, "Ann"], [2, None]]
    assert f"  urlCheck: http://{address}/check\n" in printed
    assert "Settings of a source in Bitrix24: source, key\n" in printed
    assert "1 table: orders" in printed
    assert printed.count(key) == 1
    assert key not in page + connector.logged()
    assert "status=200" in connector.logged()


async def test_a_key_of_ones_own_and_a_password_are_never_printed(tmp_path: Path) -> None:
    secrets = {"BI_MCP_CONNECTOR_KEY": KEY, "BI_MCP_CONNECTOR_PASSWORD_SHOP": "canary-password"}
    async with running(
        tmp_path, "--source", "shop=postgresql://bi@127.0.0.1:1/shop", "--log-format", "json", **secrets
    ) as connector:
        address = await connector.address()
        printed = await connector.until("does not answer just now")
        async with client_of(address) as client:
            answer = await asked(client, KEY)
            health = await client.get("/health")
    assert "shop (postgresql://bi@127.0.0.1:1/shop) does not answer just now" in printed
    assert (answer.status_code, health.status_code) == (502, 200)
    assert "127.0.0.1:1" not in answer.text
    told = json.loads(connector.logged().splitlines()[-1])
    assert (told["status"], told["source"]) == (502, "shop")
    assert "canary" not in printed + answer.text + connector.logged()


async def test_it_speaks_tls(tmp_path: Path, shop: str) -> None:
    pem, private = make_certificate(tmp_path)
    async with running(
        tmp_path,
        *("--source", shop, "--tls-cert", str(pem), "--tls-key", str(private)),
        BI_MCP_CONNECTOR_KEY=KEY,
    ) as connector:
        address = await connector.address()
        trusted = ssl.create_default_context(cafile=str(pem))
        async with client_of(address, scheme="https", verify=trusted) as client:
            assert (await asked(client, KEY)).status_code == 200
    assert f"urlData: https://{address}/data" in connector.printed


async def test_a_file_is_served_beside_a_database(tmp_path: Path, shop: str) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,x\n", encoding="utf-8")
    async with (
        running(
            tmp_path,
            "--source",
            shop,
            "--source",
            f"files={tmp_path / 'orders.csv'}",
            BI_MCP_CONNECTOR_KEY=KEY,
        ) as connector,
        client_of(await connector.address()) as client,
    ):
        assert (await asked(client, KEY, "files")).json() == [["A", "B"], [1, "x"]]


async def test_a_source_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    for source in ("x=nosuch://h/d", "x=./none"):
        finished = await ran(tmp_path, "connector", "serve", "--source", source)
        assert finished.returncode == 1
        assert b"Error: The source x cannot be opened: " in finished.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "needs sources"),
        (("--source", "x=sqlite:///x", "--host", "0.0.0.0"), "access keys would travel in clear text"),
        (("--source", "x=sqlite:///x", "--tls-cert", "x"), "tls.key: is missing"),
        (("--source", "x=sqlite:///x", "--port", "0", "--tls-cert", "x", "--tls-key", "y"), "cannot be used"),
        (
            ("--parametrised", "sqlite", "--allow-host", "h"),
            "not a kind of database that the settings of sources may name",
        ),
        (("--parametrised", "postgresql", "--allow-host", "*"), "is not a host"),
        (("--config", "none.toml"), "none.toml cannot be read"),
    ],
)
async def test_what_cannot_be_started_is_told_in_one_sentence(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    finished = await ran(tmp_path, "connector", "serve", *options)
    assert finished.returncode == 1
    assert said in finished.stderr.decode()
    assert "Traceback" not in finished.stderr.decode()


async def test_a_signal_ends_it_in_order(tmp_path: Path, shop: str) -> None:
    async with running(tmp_path, "--source", shop, BI_MCP_CONNECTOR_KEY=KEY) as connector:
        await connector.address()
        connector.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(LIMIT_S):
            assert await connector.process.wait() == 0
    assert "Traceback" not in connector.logged()


async def test_a_signal_breaks_off_what_a_slow_reader_does_not_take(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER, note TEXT)")
        database.executemany(
            "INSERT INTO orders VALUES (?, ?)", [(number, "x" * 400) for number in range(100_000)]
        )
    config = tmp_path / "connector.toml"
    config.write_text(
        f'stop_seconds = 0.2\n[sources.shop]\naddress = "sqlite:///{tmp_path / "shop.db"}"\n',
        encoding="utf-8",
    )
    async with running(tmp_path, "--config", str(config), BI_MCP_CONNECTOR_KEY=KEY) as connector:
        address = await connector.address()
        async with question(address, {"connection[key]": KEY, "table": "orders"}) as (reader, _):
            body = await reader.readexactly(1000)
            connector.process.send_signal(signal.SIGTERM)
            with anyio.fail_after(LIMIT_S):
                while "broken=True" not in connector.logged():
                    await anyio.lowlevel.checkpoint()
                body += await reader.read(-1)
                assert await connector.process.wait() == 0
    assert body.startswith(b"HTTP/1.1 200 OK")
    assert not body.endswith(b"0\r\n\r\n")
    assert "reason='the connector stopped'" in connector.logged()
    assert "Traceback" not in connector.logged()


HANGING = """
import os, signal, threading
from bi_mcp.connector import serving
from tests.connector.service.serving import CONNECTION, LISTENING, app_of, shop
from dataclasses import replace
import httpx

serving._CANCELLING_S = serving._CLOSING_S = 0
source = shop()
source.close = threading.Event().wait

def stop(origin):
    httpx.post(origin + "/check", data=CONNECTION, trust_env=False)
    os.kill(os.getpid(), signal.SIGTERM)

def started(origin):
    threading.Thread(target=stop, args=(origin,)).start()

serving.serve_app(app_of(source), replace(LISTENING, stop_seconds=0.1), started)
"""


async def test_a_signal_ends_what_hangs(tmp_path: Path) -> None:
    with anyio.fail_after(LIMIT_S):
        ended = await anyio.run_process(
            [sys.executable, "-c", HANGING],
            env=environment(tmp_path, PYTHONPATH=str(Path.cwd())),
            check=False,
        )
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
