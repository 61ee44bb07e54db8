"""Files that are replaced as a whole: a reader sees the old one or the new one, also if the writer is killed."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

NOT_REGULAR = "it is not a regular file"


def replace_file(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace the content of a file. Raises `OSError`; the file is then unchanged.

    The target of a link is replaced, not the link. Rights, group and owner stay as far as this process may set them; a new
    file gets `mode`, less the umask.
    """
    target = link_target(path)
    before = _status(target)
    # A name of its own for each process: two that write at once must not write into one file.
    new = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
    write_new(new, data, mode=mode, like=before)
    put_in_place(new, target)


def read_regular(path: Path, most: int = -1) -> bytes:
    """Read a file up to a number of bytes. Raises `OSError`, at once for a pipe or a device, which may never answer."""
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, NOT_REGULAR)
        return file.read(most)


def _open_at_once(path: str, flags: int) -> int:
    # Opening a pipe would wait for someone who writes into it; Windows has no such files in folders.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def write_new(path: Path, data: bytes, *, mode: int, like: os.stat_result | None = None) -> None:
    """Write a file that must not exist yet, and wait until it is on the disk. Raises `OSError`; then it is gone again."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode if like is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if like is not None:
                _give_access(descriptor, like)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def put_in_place(new: Path, path: Path) -> None:
    """Put a new file in the place of another. Raises `OSError`; then the new one is gone, and the old one still there."""
    try:
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    sync_folder(path.parent)


def link_target(path: Path) -> Path:
    """Return the file that a path leads to, through links: people keep such files elsewhere."""
    return Path(os.path.realpath(path))


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power failure. Only POSIX can open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _status(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # A device or a folder cannot be replaced.
        raise OSError(errno.EINVAL, NOT_REGULAR)
    return status


def _give_access(descriptor: int, like: os.stat_result) -> None:
    if os.name != "posix":
        return
    for owner, group in ((-1, like.st_gid), (like.st_uid, -1)):
        with suppress(PermissionError):
            os.fchown(descriptor, owner, group)
    mode = stat.S_IMODE(like.st_mode)
    # The rights of the old file's group must not go to another group.
    same_group = os.fstat(descriptor).st_gid == like.st_gid
    os.fchmod(descriptor, mode if same_group else mode & ~stat.S_IRWXG)
