"""Lines of JSON in a private file that only ever grows, shared by several processes, and set aside when it is large."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bi_mcp.base.whole_file import link_target, put_in_place, read_regular, sync_folder, write_new
from bi_mcp.vault.private_file import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Record = dict[str, Any]

MOST_BYTES = 4 * 1024 * 1024
KEPT = 4

_PATIENCE_S = 10


@dataclass(frozen=True)
class Journal:
    """`PATH`, and `PATH.1` to `PATH.4` that were set aside, the newest of them first. Older records are gone.

    A line that a killed process left unfinished is skipped, and the next record begins on a new line. Raises `OSError`.
    """

    path: Path
    most_bytes: int = MOST_BYTES
    kept: int = KEPT

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Add records, all of them or none. When this returns, they survive a power failure."""
        text = _lines(records)
        make_private_folder(self.path.parent)
        with self._lock():
            if self._size() + len(text) > self.most_bytes:
                self._set_aside()
            self._write(text)

    def read(self) -> Iterator[dict[str, Any]]:
        """Every record that can be read, the oldest first."""
        with self._lock() if self.path.parent.exists() else nullcontext():
            texts = self._texts()
        yield from _records(texts)

    def move(self, to: Path, chosen: Callable[[Sequence[Record]], Sequence[Record]]) -> None:
        """Put the chosen records into a journal that was not begun yet. Where all were chosen, nothing is left here.

        A process killed meanwhile leaves all records here, the new journal whole or not there.
        """
        if to.exists() or not self.path.exists():
            return
        with self._lock():
            if to.exists():
                # Another process was faster.
                return
            records = list(_records(self._texts()))
            moved = chosen(records)
            if records and not moved:
                return
            new = to.with_name(f"{to.name}.new")
            new.unlink(missing_ok=True)
            write_new(new, _lines(moved), mode=0o600)
            put_in_place(new, to)
            if len(moved) == len(records):
                for path in self._files():
                    path.unlink(missing_ok=True)

    def _texts(self) -> list[bytes]:
        return [read_regular(path) for path in reversed(self._files()) if path.exists()]

    def _files(self) -> list[Path]:
        target = link_target(self.path)
        aside = [target.with_name(f"{target.name}.{number}") for number in range(1, self.kept + 1)]
        return [target, *aside]

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _set_aside(self) -> None:
        files = self._files()
        for newer, older in reversed(list(pairwise(files))):
            if newer.exists():
                newer.replace(older)

    def _write(self, text: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else b"\n" + text
            try:
                _write_whole(file.fileno(), text)
                os.fsync(file.fileno())
            except OSError:
                # Half a record must not look like one that a caller relied on.
                os.ftruncate(file.fileno(), size)
                raise
        if not size:
            sync_folder(link_target(self.path).parent)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(f"{self.path}.lock", timeout=_PATIENCE_S, mode=0o600):
                yield
        except Timeout:
            raise OSError(0, "another bi-mcp process keeps it locked") from None


def _lines(records: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(f"{json.dumps(record, ensure_ascii=True)}\n" for record in records).encode()


def _records(texts: Sequence[bytes]) -> Iterator[Record]:
    for text in texts:
        for line in text.splitlines():
            record = _parse(line)
            if record is not None:
                yield record


def _write_whole(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
