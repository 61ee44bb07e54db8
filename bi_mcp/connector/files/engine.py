"""The engine for files: one DuckDB database in a private temporary folder, with bounded memory and no access to anything else."""

from __future__ import annotations

import errno
import itertools
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from bi_mcp.connector.files.temporary import TemporaryPlace, remove_abandoned
from bi_mcp.connector.refusal import SourceError

UNREADABLE = "The data could not be read just now."
# Megabytes that are enough for a table of millions of rows; only wide rows take more.
USUAL_MEMORY = 24
# A line of CSV may be as long; the reader holds several times as much.
LONGEST_LINE = 1 << 19
ROWS_PER_GROUP = 4096


class Engine:
    """A database that only this process sees. Its folder goes with it."""

    def __init__(self, memory: int, folder: Path) -> None:
        remove_abandoned()
        self._place = TemporaryPlace()
        self.temporary = self._place.folder
        self._numbers = itertools.count(1)
        self._memory = memory
        self._granted = min(memory, USUAL_MEMORY)
        self._lock = threading.Lock()
        self._forget = weakref.finalize(self, self._place.remove)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": f"{self._granted}MB",
                "temp_directory": str(self.temporary / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # Small groups of rows: one of wide rows has to fit into the memory.
        store = quote(str(self.temporary / "tables.duckdb"))
        self._connection.execute(f"ATTACH {store} AS store (ROW_GROUP_SIZE {ROWS_PER_GROUP})")
        # The copies are temporary: packing them costs more than the room.
        self._connection.execute("SET force_compression = 'uncompressed'")
        allowed = ", ".join(quote(str(place)) for place in (self.temporary, folder))
        self._connection.execute(f"SET allowed_directories = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = false")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own, to be closed by the caller."""
        with self._lock:
            return self._connection.cursor()

    def new_name(self, kind: str) -> str:
        """Return a name for a table that was not used before."""
        return f"store.{kind}_{next(self._numbers)}"

    def new_file(self, suffix: str) -> Path:
        return self.temporary / f"text_{next(self._numbers)}{suffix}"

    def grant_memory(self) -> bool:
        """Let the engine have more of the memory that the source may use; False if it has it all."""
        if self._granted == self._memory:
            return False
        self._granted = min(2 * self._granted, self._memory)
        with self.cursor() as cursor:
            cursor.execute(f"SET memory_limit = '{self._granted}MB'")
        return True

    def drop(self, *names: str) -> None:
        """Drop tables, also when the engine was closed in the meantime."""
        with suppress(duckdb.Error), self.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
            # Only now their room is used again. While others write it is refused; then the next drop does it.
            cursor.execute("CHECKPOINT store")

    @contextmanager
    def watched(self, subject: str) -> Iterator[None]:
        """Turn faults of the engine and of the disk into SourceError."""
        try:
            yield
        except duckdb.Error as error:
            raise SourceError(503, UNREADABLE, self._explain(subject, error)) from error
        except OSError as error:
            raise SourceError(503, UNREADABLE, self._explain(subject, error)) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()
        self._forget()

    def _explain(self, subject: str, error: Exception) -> str:
        text = str(error)
        full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        if full or "No space left" in text or "max_temp_directory_size" in text:
            return f"{subject}: the temporary folder {self.temporary.parent} is full; free some space or set TMPDIR."
        if isinstance(error, duckdb.OutOfMemoryException):
            return f"{subject} takes more memory than the source may use; set a larger `memory` for it."
        return f"{subject}: {text}"


def quote(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"
