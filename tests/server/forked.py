"""`bi-mcp` in processes that are forked from one that has imported it: real ones that signals kill, without the cost of a start."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess
from threading import Lock

import anyio
from anyio import to_thread

from bi_mcp.cli import main
from tests.server.processes import LIMIT_S, environment

# What commands import when they run, beside what they import when they start.
IMPORTED = [
    "tests.server.forked",
    "anyio._backends._asyncio",
    "bi_mcp.practice.portal.app",
    "bi_mcp.rest.gather",
    "bi_mcp.rest.transport",
    "bi_mcp.server.build",
    "bi_mcp.base.terminal",
    "bi_mcp.setup.file",
    "bi_mcp.history.entries",
    "bi_mcp.setup.state_file",
    "bi_mcp.setup.workspace",
    "filelock",
    "httpcore",
    "bi_mcp.auth.client",
    "bi_mcp.endpoints.caller",
    "starlette.responses",
]

_joining = Lock()


@cache
def server() -> ForkServerContext:
    """The process from which the others are forked."""
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


@asynccontextmanager
async def forked(home: Path, *options: str, **variables: str) -> AsyncIterator[ForkServerProcess]:
    """A command that runs in `home` and writes to `home`/stdout and `home`/stderr. Its end is not waited for."""
    process = server().Process(target=_run, args=(home, options, environment(home, **variables)))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        await to_thread.run_sync(_join, process)
        process.close()


async def finished(process: ForkServerProcess) -> int:
    """Wait for its exit status, which is negative for a signal."""
    await to_thread.run_sync(_join, process)
    assert process.exitcode is not None, "the command did not end"
    return process.exitcode


async def ran_forked(home: Path, *options: str, **variables: str) -> CompletedProcess[bytes]:
    """Run a command to its end, with an empty input."""
    async with forked(home, *options, **variables) as process:
        status = await finished(process)
    out, err = [await anyio.Path(home, name).read_bytes() for name in ("stdout", "stderr")]
    return CompletedProcess(options, status, out, err)


def _join(process: ForkServerProcess) -> None:
    # The status can be read once; who comes second finds it in the process.
    with _joining:
        process.join(LIMIT_S)


def run_program(home: Path, text: str, *arguments: str) -> CompletedProcess[str]:
    """Run a Python program to its end as `python -c` does, with nothing of the environment."""
    process = server().Process(target=_run_program, args=(home, text, arguments))
    process.start()
    try:
        _join(process)
        assert process.exitcode is not None, "the program did not end"
        out, err = [(home / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        return CompletedProcess(text, process.exitcode, out, err)
    finally:
        process.kill()
        _join(process)
        process.close()


def _run(home: Path, options: Sequence[str], variables: Mapping[str, str]) -> None:
    """Be the command, in the child."""
    _begin(home, variables)
    main(list(options), prog_name="bi-mcp")


def _run_program(home: Path, text: str, arguments: Sequence[str]) -> None:
    """Be the program, in the child."""
    _begin(home, environment(home))
    sys.argv = ["-c", *arguments]
    exec(text, {"__name__": "__main__"})  # noqa: S102  it is what `-c` does


def _begin(home: Path, variables: Mapping[str, str]) -> None:
    os.chdir(home)
    os.environ.clear()
    os.environ.update(variables)
    for number, (name, flags) in enumerate(
        [
            (os.devnull, os.O_RDONLY),
            ("stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            ("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ]
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate(("r", "w", "w"))
    )
