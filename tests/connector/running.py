"""`bi-mcp connector serve` as a process of its own, on whatever port is free."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server.processes import COMMAND, LIMIT_S, environment

KEY = "a-key-of-the-tests-that-is-long-enough"


@contextmanager
def running_connector(home: Path, *options: str, **variables: str) -> Iterator[str]:
    """Start a connector, give the address at which it listens, and end it as a person does."""
    with (home / "connector.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own program
            [*COMMAND, "connector", "serve", "--port", "0", *options],
            env=environment(home, BI_MCP_CONNECTOR_KEY=KEY, PYTHONUNBUFFERED="1", **variables),
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Connector on http://"), (home / "connector.log").read_text()
            yield line.split()[-1]
        finally:
            process.terminate()
            process.wait(LIMIT_S)
