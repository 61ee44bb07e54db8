"""The file under the history and the audit: grows, is shared, survives what kills a process."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bi_mcp.history.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "folder" / "lines.jsonl", most_bytes=100, kept=2)


def numbers(journal: Journal) -> list[int]:
    return [record["number"] for record in journal.read()]


def test_records_come_back_in_their_order(journal: Journal) -> None:
    assert numbers(journal) == []
    journal.append([{"number": 1}, {"number": 2}])
    journal.append([{"number": 3}])
    assert numbers(journal) == [1, 2, 3]


def test_a_torn_line_is_passed_over_and_spoils_no_other(journal: Journal) -> None:
    journal.append([{"number": 1}])
    with journal.path.open("ab") as file:
        file.write(b'{"number": 2, "te')
    assert numbers(journal) == [1]
    journal.append([{"number": 3}])
    assert numbers(journal) == [1, 3]


def test_the_oldest_records_go_when_there_is_too_much(journal: Journal) -> None:
    for number in range(30):
        journal.append([{"number": number}])
    kept = numbers(journal)
    assert kept == list(range(kept[0], 30))
    assert kept[0] > 0
    files = sorted(path.name for path in journal.path.parent.glob("lines.jsonl*") if path.suffix != ".lock")
    assert files == ["lines.jsonl", "lines.jsonl.1", "lines.jsonl.2"]
    assert all((journal.path.parent / name).stat().st_size <= 100 for name in files)


def test_a_full_disk_leaves_no_part_of_a_record(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append([{"number": 1}])
    write = os.write

    def half(descriptor: int, text: bytes) -> int:
        if len(text) > 5:
            return write(descriptor, text[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space left"):
            journal.append([{"number": 22}])
    assert journal.path.read_text() == '{"number": 1}\n'
    journal.append([{"number": 3}])
    assert numbers(journal) == [1, 3]


def test_two_processes_append_at_once_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shared.jsonl"
    script = str(Path(__file__).with_name("appending.py"))
    started = [
        subprocess.Popen([sys.executable, script, str(path), name, "60"])  # noqa: S603  our own script
        for name in "ab"
    ]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    records = list(Journal(path, kept=50).read())
    for name in "ab":
        assert [record["number"] for record in records if record["by"] == name] == list(range(60))


def test_behind_a_link_it_grows_and_is_set_aside_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "lines.jsonl"
    link.symlink_to(tmp_path / "elsewhere" / "real.jsonl")
    journal = Journal(link, most_bytes=20, kept=2)
    for number in range(3):
        journal.append([{"number": number}])
    assert link.is_symlink()
    assert numbers(journal) == [0, 1, 2]
