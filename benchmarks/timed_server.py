"""bi-mcp as a process that notes, at its end, how long each turn of its event loop took."""

from __future__ import annotations

import json
import os
from asyncio.events import Handle
from pathlib import Path
from time import monotonic, thread_time

FILE = "BENCHMARK_TURNS"


def main() -> None:
    """Serve, then write `[moment, seconds]` of every turn into the file that the environment names."""
    from bi_mcp.cli import main as serve

    turns = list[tuple[float, float]]()
    run = Handle._run  # noqa: SLF001 - asyncio offers no other place where a turn begins and ends

    def timed(handle: Handle) -> None:
        started = thread_time()
        run(handle)
        turns.append((monotonic(), thread_time() - started))

    Handle._run = timed  # type: ignore[method-assign, assignment]  # noqa: SLF001
    try:
        serve()
    finally:
        Path(os.environ[FILE]).write_text(json.dumps(turns), encoding="utf-8")


if __name__ == "__main__":
    main()
