"""The seal of a folder: one key for all processes, in the keyring or in a private file, and texts of its owner."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from keyring.backends import fail

from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.folder_sealer import FolderSealer, SealTexts
from tests.vault.keyrings import BrokenKeyring, Keyring, system_keyring

TEXTS = SealTexts(
    name="letters",
    unlock="Unlock it to read letters.",
    without="Or send no letters.",
    replace="Delete it; letters are lost then.",
    foreign="A letter was sealed with another key. Write again.",
    unwritable="The key of the letters cannot be kept in {folder} ({strerror}). Make room.",
)
VALUE = Secret("hunter2 \ud800")


def test_what_one_process_seals_another_opens_and_the_key_is_in_a_private_file(tmp_path: Path) -> None:
    with system_keyring(fail.Keyring()):  # type: ignore[no-untyped-call]  # keyring's own has no annotations
        sealed = FolderSealer(tmp_path, TEXTS).seal(VALUE)
        assert "hunter2" not in sealed
        assert FolderSealer(tmp_path, TEXTS).open(sealed) == VALUE
    key = tmp_path / "key.json"
    assert list(json.loads(key.read_text(encoding="utf-8"))) == ["letters"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_keyring_keeps_the_key_where_there_is_one(tmp_path: Path) -> None:
    with system_keyring(Keyring()):
        sealed = FolderSealer(tmp_path, TEXTS).seal(VALUE)
        assert FolderSealer(tmp_path, TEXTS).open(sealed) == VALUE
        with pytest.raises(ConfigError, match="sealed with another key"):
            FolderSealer(tmp_path / "elsewhere", TEXTS).open(sealed)
    assert not (tmp_path / "key.json").exists()


def test_a_key_that_belongs_to_the_folder_is_kept_there_also_beside_a_keyring(tmp_path: Path) -> None:
    with system_keyring(Keyring()):
        sealed = FolderSealer(tmp_path, TEXTS, in_keyring=False).seal(VALUE)
    assert FolderSealer(tmp_path, TEXTS, in_keyring=False).open(sealed) == VALUE
    assert (tmp_path / "key.json").exists()


@pytest.mark.parametrize("sealed", ["", "hunter2", "gAAAAA"])
def test_what_another_key_sealed_is_told_in_the_words_of_the_owner(tmp_path: Path, sealed: str) -> None:
    with pytest.raises(ConfigError) as raised:
        FolderSealer(tmp_path, TEXTS).open(sealed)
    assert str(raised.value) == TEXTS.foreign


def test_each_trouble_with_the_key_has_its_own_advice(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("", encoding="ascii")
    with pytest.raises(ConfigError, match=r"key of the letters cannot be kept in .*file .*Make room"):
        FolderSealer(tmp_path / "file", TEXTS).reach()
    tmp_path.joinpath("key.json").write_text("{", encoding="ascii")
    with pytest.raises(ConfigError, match="letters are lost then"):
        FolderSealer(tmp_path, TEXTS).reach()
    with (
        system_keyring(BrokenKeyring("raises")),
        pytest.raises(ConfigError, match="Unlock it to read letters"),
    ):
        FolderSealer(tmp_path / "locked", TEXTS).reach()
