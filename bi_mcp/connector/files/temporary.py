"""Private temporary folders, which tell by a lock whether their process lives: a killed one leaves people's data behind."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "bi-mcp-files-"
LOCK = "lock"

# A folder is made and locked before another thread looks for abandoned ones.
_making = threading.Lock()


class TemporaryPlace:
    """A folder that only this user sees, with the process's number in its name and a lock that the process holds while it lives."""

    def __init__(self) -> None:
        with _making:
            self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
            self._lock = FileLock(self.folder / LOCK, thread_local=False)
            self._lock.acquire()

    def remove(self) -> None:
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Remove the folders of this user's processes that no longer run."""
    with _making, suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
            if _is_own(folder) and not _may_run(folder):
                _remove_unlocked(folder)


def _is_own(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    # Not a link; where users have no numbers, the folder for temporary files is the user's own.
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == getattr(os, "getuid", int)()


def _may_run(folder: Path) -> bool:
    """Tell whether another process has the number in the name. A container's process has the same number each time."""
    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    if not number.isdecimal():
        return True
    if os.name == "nt" or int(number) == os.getpid():
        return False
    try:
        # Signal 0 only asks.
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove_unlocked(folder: Path) -> None:
    # Without the file, its process may be just about to make it, in a container that shares the folder.
    if not (folder / LOCK).is_file():
        return
    lock = FileLock(folder / LOCK, thread_local=False)
    with suppress(Timeout, OSError):
        lock.acquire(blocking=False)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
