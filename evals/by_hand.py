"""The assistant's place, for a person: `python -m evals.by_hand start TASK`, then `tools`, `call`, `resource`, `answer`, `stop`."""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from evals.by_hand_host import SOCKET, host
from evals.tasks import TASKS

_STARTS_WITHIN_S = 60


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    given = _build_parser().parse_args(arguments)
    folder: Path = given.state
    if given.command == "list":
        print("\n".join(f"{task.name:24} {task.language}  {task.calls} calls" for task in TASKS.values()))
        return 0
    if given.command == "host":
        host(TASKS[given.task], folder, transport=given.transport, forms=given.forms, toolsets=given.toolsets)
        return 0
    if given.command == "start":
        return _start(given, folder)
    return _ask(folder, _request(given))


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.by_hand", description=__doc__)
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("build/by-hand"),
        help="folder of this session; one for each at a time",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the tasks")
    for name in ("start", "host"):
        start = commands.add_parser(name, help="build the world of a task and open a session")
        start.add_argument("task", choices=sorted(TASKS), metavar="TASK")
        start.add_argument("--transport", choices=["stdio", "http"], default="stdio")
        start.add_argument("--forms", action="store_true", help="the client can ask the person, who agrees")
        start.add_argument("--toolsets", default="", help="as BI_MCP_TOOLSETS")
    tools = commands.add_parser("tools", help="the names of the tools, or one with its parameters")
    tools.add_argument("name", nargs="?", default="")
    call = commands.add_parser("call", help="call a tool")
    call.add_argument("tool")
    call.add_argument("arguments", nargs="?", default="{}", help="JSON, or - to read it from standard input")
    commands.add_parser("resource", help="read a resource").add_argument("uri")
    commands.add_parser("answer", help="say the final answer and be graded").add_argument("text")
    commands.add_parser("stop", help="take the world down")
    return parser


def _request(given: argparse.Namespace) -> dict[str, Any]:
    fields = ("name", "tool", "arguments", "uri", "text")
    request = {name: getattr(given, name) for name in fields if hasattr(given, name)}
    if request.get("arguments") == "-":
        request["arguments"] = sys.stdin.read()
    return {"command": given.command, **request}


def _start(given: argparse.Namespace, folder: Path) -> int:
    if (folder / SOCKET).exists():
        print(f"There is a session in {folder} already. Stop it, or name another folder with --state.")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--transport", given.transport, "--toolsets", given.toolsets, *["--forms"] * given.forms]
    with (folder / "host.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - this module
            [sys.executable, "-m", "evals.by_hand", "--state", str(folder), "host", given.task, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + _STARTS_WITHIN_S
    while not (folder / SOCKET).exists():
        if process.poll() is not None or time.monotonic() > until:
            print(f"The session did not start:\n{(folder / 'host.log').read_text()}")
            return 1
        time.sleep(0.1)
    return _ask(folder, {"command": "begin"})


def _ask(folder: Path, request: dict[str, Any]) -> int:
    place = folder / SOCKET
    if not place.exists():
        print(f"There is no session in {folder}. Start one.")
        return 1
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place.read_text())
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile() as answers:
            answer = json.loads(answers.readline())
    print(answer["text"])
    return int(answer["status"])


if __name__ == "__main__":
    sys.exit(main())
