from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bi_mcp.errors import ConfigError
from bi_mcp.vault.private_file import PrivateFile


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "new" / "folder" / "a.json")
    assert file.read() is None
    file.write({"name": "Ann ☂"})
    file.write({"name": "Eve"})
    assert file.read() == {"name": "Eve"}


def test_only_the_owner_may_read_the_file_and_enter_the_folder(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PrivateFile(tmp_path / "folder" / "a.json").write({})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "folder" / "a.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_no_folder_above_is_open_to_all_under_umask_0(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PrivateFile(tmp_path / "config" / "bi-mcp" / "a.json").write({})
    finally:
        os.umask(before)
    made = (tmp_path / "config", tmp_path / "config" / "bi-mcp")
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700, 0o700]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
@pytest.mark.parametrize(
    ("mode", "after"), [(0o777, 0o775), (0o1777, 0o1777), (0o770, 0o770)], ids=["all", "sticky", "group"]
)
def test_a_folder_in_which_all_may_write_is_closed_to_them(tmp_path: Path, mode: int, after: int) -> None:
    """In a sticky one nobody can rename what is another's; a group may share one on purpose."""
    folder = tmp_path / "config"
    folder.mkdir()
    folder.chmod(mode)
    PrivateFile(folder / "a.json").write({})
    assert stat.S_IMODE(folder.stat().st_mode) == after


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders")
def test_a_pipe_in_the_place_of_a_document_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        PrivateFile(tmp_path / "a.json").read()


def test_a_file_that_others_could_read_is_private_after_the_next_change(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    path.chmod(0o644)
    PrivateFile(path).write({"a": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_change_that_fails_leaves_the_old_document_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = PrivateFile(tmp_path / "a.json")
    file.write({"a": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file.write({"a": 2})
    assert file.read() == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_link_in_the_new_documents_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "a.json.new").symlink_to(other)
    PrivateFile(tmp_path / "a.json").write({"a": 1})
    assert other.read_text() == "mine"
    assert not (tmp_path / "a.json").is_symlink()


@pytest.mark.parametrize(
    ("left", "found"),
    [('{"a": 2}', {"a": 2}), ('{"a": 2', {"a": 1}), ("", {"a": 1}), ("2", {"a": 1}), ("\udcff", {"a": 1})],
    ids=["complete", "cut", "empty", "no document", "no text"],
)
def test_what_a_killed_process_left_is_used_where_it_is_complete(
    tmp_path: Path, left: str, found: dict[str, int]
) -> None:
    file = PrivateFile(tmp_path / "a.json")
    file.write({"a": 1})
    (tmp_path / "a.json.new").write_bytes(left.encode(errors="surrogateescape"))
    with file.lock():
        assert file.read() == found
    assert not (tmp_path / "a.json.new").exists()


def test_what_was_removed_does_not_come_back(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "a.json")
    file.write({"a": 1})
    (tmp_path / "a.json.new").write_text('{"a": 2}')
    file.remove()
    with file.lock():
        assert file.read() is None


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.json is damaged. Delete it"):
        PrivateFile(tmp_path / "a.json").read()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(ConfigError, match=r"a\.json cannot be read \(Is a directory\)"):
        PrivateFile(tmp_path / "a.json").read()
