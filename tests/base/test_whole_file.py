"""Files of the user: never half written, and what they are besides their text stays."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bi_mcp.base.whole_file import replace_file
from bi_mcp.vault.private_file import PrivateFile

SCRIPT = str(Path(__file__).with_name("killed_replacing.py"))

# Each writer, and how often at least it is killed.
KILLS = {"setup": 8, "client": 16, "private": 6, "state": 8, "profiles": 13, "secret": 33, "journal": 6}
# While a secret changes its name is gone, so that no value is bound to the hosts of another.
STEPS = {writer: ["old", "gone", "new"] if writer == "secret" else ["old", "new"] for writer in KILLS}

on_posix = pytest.mark.skipif(os.name != "posix", reason="rights and owners as POSIX has them")


@on_posix
@pytest.mark.parametrize("writer", KILLS)
def test_a_writer_killed_at_any_moment_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, writer: str
) -> None:
    done = subprocess.run(  # noqa: S603  our own script
        [sys.executable, SCRIPT, writer, str(tmp_path)], capture_output=True, text=True, check=True
    )
    first, *left = done.stdout.split()
    # Killed in the middle of writing, then before each time that it touches a file; the last one lived.
    assert first in STEPS[writer][:-1]
    assert left == sorted(left, key=STEPS[writer].index)
    assert left.count("old") >= 3
    assert left[-1] == "new"
    assert len(left) >= KILLS[writer]


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "bi.yaml"
    replace_file(path, b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, full)
        with pytest.raises(OSError, match="No space left"):
            replace_file(path, b"new")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("bi.yaml", b"old")]


@on_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_rights_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "bi.yaml"
    replace_file(path, b"old")
    path.chmod(mode)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@on_posix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    path = tmp_path / "bi.yaml"
    replace_file(path, b"old")
    os.chown(path, 1234, 2345)
    replace_file(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


@on_posix
def test_what_a_group_was_allowed_is_not_given_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bi.yaml"
    replace_file(path, b"old")
    path.chmod(0o664)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    gid = path.stat().st_gid
    monkeypatch.setattr(os, "fchown", refused)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result([0o100600, 0, 0, 1, 0, gid + 1, 0, 0, 0, 0]))
    replace_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@on_posix
def test_a_new_file_has_the_rights_that_its_maker_gives_to_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "bi.yaml", b"")
        replace_file(tmp_path / "client.json", b"", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "bi.yaml").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "client.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path: Path, *, there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.yaml", tmp_path / "bi.yaml"
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["real.yaml"]


def test_a_private_file_behind_a_link_is_replaced_recovered_and_removed_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.json", tmp_path / "profiles.json"
    link.symlink_to(target)
    file = PrivateFile(link)
    file.write({"a": 1})
    assert link.is_symlink()
    assert target.read_bytes() == b'{"a": 1}'
    target.with_name("real.json.new").write_bytes(b'{"a": 2}')
    with file.lock():
        assert file.read() == {"a": 2}
    file.remove()
    assert not target.exists()


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to(os.devnull)
    with pytest.raises(OSError, match="not a regular file"):
        replace_file(tmp_path / "null", b"")
    assert not Path(os.devnull).is_file()
