"""Temporary folders, whose data goes with the process however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bi_mcp.connector.files.temporary import TemporaryPlace, remove_abandoned

WAITING = (
    "import sys; from bi_mcp.connector.files.temporary import TemporaryPlace; "
    "print(TemporaryPlace().folder, flush=True); sys.stdin.read()"
)


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
def test_what_a_killed_process_left_is_removed_and_what_the_living_have_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    foreign = tmp_path / "bi-mcp-files-x-y"
    foreign.mkdir()
    own = TemporaryPlace()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WAITING],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        folder = Path(other.stdout.readline().strip())
        (folder / "tables.duckdb").write_text("data")
        remove_abandoned()
        assert (folder / "tables.duckdb").exists()
        other.send_signal(signal.SIGKILL)
    remove_abandoned()
    assert sorted(tmp_path.iterdir()) == sorted([own.folder, foreign])
    own.remove()
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_folder_that_cannot_be_told_to_be_abandoned_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Of a process that runs, of one that may just begin, and a link.
    running, beginning = tmp_path / f"bi-mcp-files-{os.getppid()}-a", tmp_path / "bi-mcp-files-99999999-a"
    for folder in (running, beginning):
        folder.mkdir()
    (running / "lock").touch()
    (tmp_path / "bi-mcp-files-99999999-b").symlink_to(running)
    before = sorted(tmp_path.iterdir())
    remove_abandoned()
    assert sorted(tmp_path.iterdir()) == before
