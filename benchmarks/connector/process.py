"""`bi-mcp connector serve` as a process, what it takes of the machine, and downloads from it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import perf_counter
from urllib.parse import urlencode

from benchmarks.servers import OUR_COMMAND
from bi_mcp.base.secret import Secret

KEY = "the-key-of-the-benchmarks"
SOURCE = "shop"
LIMIT_S = 600

_ADDRESS = re.compile(r"http://([\d.]+):(\d+)")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Download:
    """A whole answer: seconds to its first byte and to its last, and its size."""

    first: float
    seconds: float
    size: int


@dataclass(frozen=True)
class Running:
    """A connector that runs."""

    process: subprocess.Popen[str]
    host: str
    port: int

    @property
    def peak_megabytes(self) -> float:
        """The most that it ever had in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def download(self, path: str, pairs: Sequence[tuple[str, str]]) -> Download:
        """Post a form and throw the answer away, but for its end."""
        connection = [("connection[source]", SOURCE), ("connection[key]", KEY)]
        body = urlencode([*pairs, *connection]).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        began = perf_counter()
        with socket.create_connection((self.host, self.port), LIMIT_S) as opened:
            opened.sendall(head.encode() + body)
            buffer = bytearray(1 << 20)
            size, first, end = 0, 0.0, b""
            while count := opened.recv_into(buffer):
                if not size:
                    assert buffer.startswith(b"HTTP/1.1 200"), bytes(buffer[:count])
                # The head alone is no byte of the answer.
                first = first or (perf_counter() - began if b"[" in buffer[:count] else 0.0)
                size += count
                end = (end + bytes(buffer[max(0, count - 64) : count]))[-64:]
        assert b"]" in end, end
        return Download(first, perf_counter() - began, size)

    def read(self, table: str, **more: str) -> Download:
        return self.download("/data", [("table", table), *more.items()])

    def read_at_once(self, table: str, count: int) -> None:
        threads = [Thread(target=self.read, args=(table,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def running(address: Secret, *options: str) -> Iterator[Running]:
    """Serve one source."""
    command = [
        *OUR_COMMAND,
        "connector",
        "serve",
        "--source",
        f"{SOURCE}={address.reveal()}",
        "--port",
        "0",
        *options,
    ]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "BI_MCP_CONNECTOR_KEY": KEY}
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Running(process, *_find_address(process))
        finally:
            process.terminate()


def _find_address(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout is not None
    heard = ""
    for line in process.stdout:
        heard += line
        if found := _ADDRESS.search(line):
            # What it says later is thrown away, or it would wait for a reader.
            Thread(target=process.stdout.read, daemon=True).start()
            return found[1], int(found[2])
    raise AssertionError(heard)


def time_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Seconds until a command has ended, whose output nobody reads."""
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), **(environment or {})}
    began = perf_counter()
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, cwd=_ROOT) as process:  # noqa: S603 - ours, or psql
        assert process.stdout is not None
        while process.stdout.read(1 << 20):
            pass
    assert process.returncode == 0
    return perf_counter() - began


def by_hand(kind: str, port: int, database: str, query: str) -> float:
    return time_of([sys.executable, "-m", "benchmarks.connector.by_hand", kind, str(port), database, query])
