"""One JSON document in a file that only its owner may read, shared by several processes."""

from __future__ import annotations

import json
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bi_mcp.base.advice import Advice, AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.base.whole_file import link_target, put_in_place, read_regular, write_new
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Parsed = TypeVar("Parsed")

# Of the documents that name one.
VERSION = 1
LOG_IN_AGAIN = advise(AdviceKind.LOG_IN_AGAIN)


class PrivateFile:
    """A document that is replaced as a whole: a reader sees the old one or the new one, also if the writer is killed.

    A new document is complete in `NAME.new` before it takes the old one's place. A complete one that a killed process
    left there is put in its place by `recover`, so that a written document is never lost.
    Writers must hold a lock of their own, for example `lock`. `remedy` advises the user about a damaged document.
    """

    def __init__(self, path: Path, remedy: Advice | str = LOG_IN_AGAIN) -> None:
        self._path = path
        self._remedy = remedy

    def read(self) -> dict[str, Any] | None:
        """Return the document, None if there is none. Raises `ConfigError` for a file that is not one of ours."""
        try:
            text = read_regular(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(
                say(
                    "{path} cannot be read ({strerror}). Let your user read it, or set BI_MCP_CONFIG_DIR to another folder.",
                    path=self._path,
                    strerror=error.strerror,
                )
            ) from None
        document = _parse(text)
        if document is None:
            raise self._damaged()
        return document

    def load(self, parse: Callable[[Mapping[str, Any]], Parsed]) -> Parsed:
        """Read a document that names its version, an empty one if there is none.

        Raises `ConfigError` for one of a newer version, or one that `parse` refuses like Python does: with an
        `AttributeError`, `KeyError`, `TypeError` or `ValueError`.
        """
        document = self.read() or {}
        if document.get("version", VERSION) != VERSION:
            raise ConfigError(say("{path} was written by a newer bi-mcp. Use that one.", path=self._path))
        try:
            return parse(document)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self._damaged() from None

    def write(self, document: Mapping[str, object]) -> None:
        """Replace the document. Raises `OSError`; the old document is then still in place."""
        make_private_folder(self._path.parent)
        self._new.unlink(missing_ok=True)
        write_new(self._new, json.dumps(document).encode(), mode=0o600)
        put_in_place(self._new, self._target)

    def recover(self) -> None:
        """Finish a killed process's complete document, and remove an incomplete one. Call it under the lock."""
        try:
            text = read_regular(self._new)
        except FileNotFoundError:
            return
        if _parse(text) is None:
            self._new.unlink(missing_ok=True)
        else:
            put_in_place(self._new, self._target)

    def remove(self) -> None:
        """Remove the document; a process killed in between leaves it whole or gone."""
        self._new.unlink(missing_ok=True)
        self._target.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the file for one change, against other processes too. Raises `ConfigError` when another never lets go."""
        from filelock import FileLock, Timeout

        make_private_folder(self._path.parent)
        try:
            with FileLock(f"{self._path}.lock", timeout=10, mode=0o600):
                self.recover()
                yield
        except Timeout:
            raise ConfigError(
                say("Another bi-mcp process has kept {path} locked. End it and try again.", path=self._path)
            ) from None

    def _damaged(self) -> ConfigError:
        return ConfigError(say("{path} is damaged. {remedy}", path=self._path, remedy=self._remedy))

    @property
    def _target(self) -> Path:
        return link_target(self._path)

    @property
    def _new(self) -> Path:
        target = self._target
        return target.with_name(f"{target.name}.new")


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, and the missing ones above it.

    A folder of ours that everybody may write in is closed to them: the right to rename its files is the right to replace
    them.
    """
    if folder.exists():
        _close(folder)
        return
    # Rights of the folders above would come from the umask, which may be 0.
    for missing in reversed([above for above in (folder, *folder.parents) if not above.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def _close(folder: Path) -> None:
    if os.name != "posix":
        return
    status = folder.stat()
    open_to_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if open_to_all and status.st_uid == os.geteuid():
        folder.chmod(stat.S_IMODE(status.st_mode) & ~stat.S_IWOTH)


def _parse(text: bytes) -> dict[str, Any] | None:
    """Parse a document. One that was cut short lacks its last brace, and so is not JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
