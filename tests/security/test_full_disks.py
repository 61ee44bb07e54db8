"""Where there is no room: an error that names the file and what to do, nothing lost, and no write to a portal without its record."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.errors import StateFileError
from bi_mcp.setup.file import read_setup
from tests.rest.calling import CHECK
from tests.server.processes import COMMAND, LIMIT_S, environment
from tests.setup.setups import a_bench, shown

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("full disks")]

on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no limit for the size of files")
# What is written, and the name that an error has to say: of the file, or of the folder that holds it.
CASES = {
    "profiles": "/profiles",
    "token": "/tokens",
    "secret": "/secret",
    "history": "portal.jsonl",
    "audit": "audit.jsonl",
    "key": "/second",
    "state": "bi.portal.state.json",
    "pending": "bi.portal.pending.json",
    "setup": "bi.yaml",
    "client": "client.json",
}
FULL = f"({os.strerror(errno.EFBIG)})."
SETUP = f"""version: 1
connectors:
  shop: {{title: Shop, logo: "data:,", urlCheck: "{CHECK}/x", urlTableList: "{CHECK}/x", urlTableDescription: "{CHECK}/x", urlData: "{CHECK}/x"}}
sources:
  one: {{connector: shop, title: Same}}
  two: {{connector: shop, title: Same}}
datasets:
  orders: {{source: one, externalCode: o, externalName: O, columns: [{{name: ID, externalCode: id, type: int}}]}}
"""
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What every writer of a file said where no file may grow."""
    script = str(Path(__file__).with_name("full_disk.py"))
    folder = str(tmp_path_factory.mktemp("full"))
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=True)  # noqa: S603  our own script
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["case"]: line for line in lines}


def test_every_writer_is_tried(told: dict[str, dict[str, Any]]) -> None:
    assert list(told) == list(CASES)


@on_posix
@pytest.mark.parametrize("case", CASES)
def test_a_file_that_finds_no_room_is_named_and_stays_as_it_was(
    told: dict[str, dict[str, Any]], case: str
) -> None:
    found = told[case]
    assert found["error"].endswith(("Error", "Exception"))
    assert found["error"] != "OSError"
    assert CASES[case] in found["text"]
    assert FULL in found["text"]
    assert (found["changed"], found["sent"]) == ([], 0)


@on_posix
@pytest.mark.parametrize("case", CASES)
def test_whoever_finds_no_room_is_told_what_to_do(told: dict[str, dict[str, Any]], case: str) -> None:
    advice = told[case]["text"].partition(FULL)[2]
    assert any(word in advice for word in ("room", "writable"))


async def test_an_application_on_a_disk_that_gets_full_is_finished_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = read_setup(SETUP, "bi.yaml")
    for left in itertools.count():
        folder = tmp_path / str(left)
        folder.mkdir()
        async with a_bench("tables", folder) as bench:
            workspace = bench.workspace()
            planned = await workspace.plan(setup)
            room = itertools.count(left, -1)
            with monkeypatch.context() as disk:
                disk.setattr(os, "fsync", lambda _, room=room: None if next(room) > 0 else _no_room())
                try:
                    await workspace.apply(setup, planned.plan.checksum)
                    break
                except StateFileError as error:
                    assert "Nothing more was sent" in str(error)  # noqa: PT017  the last one raises nothing
            again = bench.workspace()
            await again.resume()
            planned = await again.plan(setup)
            assert (await again.apply(setup, planned.plan.checksum)).complete
            assert {kind: len(found) for kind, found in shown(await bench.snapshot()).items()} == {
                "connectors": 1,
                "sources": 2,
                "datasets": 1,
            }
    assert left >= 6


def _no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("full", ["stdout", "stderr"])
def test_a_server_answers_where_its_log_finds_no_room_and_ends_with_a_sentence_where_its_answers_find_none(
    tmp_path: Path, full: str
) -> None:
    with Path("/dev/full").open("wb") as disk:
        done = subprocess.run(  # noqa: S603  this very Python
            [*COMMAND, "serve", "--log-level", "debug"],
            input=f"{json.dumps(HELLO)}\n".encode(),
            stdout=disk if full == "stdout" else subprocess.PIPE,
            stderr=disk if full == "stderr" else subprocess.PIPE,
            env=environment(tmp_path),
            timeout=LIMIT_S,
            check=False,
        )
    if full == "stderr":
        # Python ends with 120 where it could not write the rest of its log.
        assert done.returncode in {0, 120}
        assert json.loads(done.stdout)["id"] == 1
    else:
        assert done.returncode == 1
        assert b"cannot be written to standard output" in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("options", [["schema"], ["--help"], ["profiles", "--help"]], ids=" ".join)
def test_a_command_whose_output_finds_no_room_ends_with_a_sentence(
    tmp_path: Path, options: list[str]
) -> None:
    with Path("/dev/full").open("wb") as disk:
        done = subprocess.run(  # noqa: S603  this very Python
            [*COMMAND, *options],
            stdout=disk,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == (
        f"Error: the output cannot be written ({os.strerror(errno.ENOSPC)}). Make room where it goes, then run it again.\n"
    )
