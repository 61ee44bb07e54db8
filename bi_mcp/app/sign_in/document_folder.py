"""The documents of sign-ins in a folder, for one process or a few on one machine."""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import current_time, sleep, to_thread

from bi_mcp.app.sign_in.documents import locked_for_too_long, log_unreadable
from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.base.whole_file import read_regular
from bi_mcp.errors import AuthorisationError, ConfigError
from bi_mcp.vault.folder_sealer import FolderSealer, SealTexts
from bi_mcp.vault.private_file import PrivateFile, make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from bi_mcp.app.sign_in.documents import Document

Answer = TypeVar("Answer")
_Stamp = tuple[int, int, int]

# Some kilobytes each: those of people at work need not be opened for every call.
MOST_RECENT = 512

# Changes are over in milliseconds; whoever waits so long waits for a process that stands still.
PATIENCE_S = 10.0
# A lock is held while a portal renews a token.
LOCK_PATIENCE_S = 90.0
SWEEP_EVERY_S = 3600.0
_POLL_S = 0.01
# Hexadecimal digits of a document's hash that choose the file by which changes of it wait for each other.
_SHARD_DIGITS = 2
_HASH_DIGITS = 64
_KIND = re.compile(r"([a-z-]{1,40})/")

_TEXTS = SealTexts(
    name="sign-ins",
    replace=text("Delete it; everybody has to sign in again then."),
    foreign=text("A value of a sign-in was sealed with another key. Sign in again."),
    unwritable=text(
        "The key of the sign-ins cannot be kept in {folder} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder."
    ),
)


class DocumentFolder:
    """`Documents` as sealed files of mode 0600, named by the kind and the hash of their names. `clock` is unix time.

    A change replaces a file as a whole under a lock that the system frees when its process dies: a reader sees the document
    before or after it, and of a killed process's change all or nothing. Expired documents are swept once an hour.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._documents = folder / "documents"
        self._locks = folder / "locks"
        # A server has nobody who unlocks a keyring, the operator's commands must find the same key, and so must a copy of the folder.
        self._sealer = FolderSealer(folder, _TEXTS, in_keyring=False)
        self._clock = clock
        self._swept_at: float | None = None
        self._recent: OrderedDict[str, tuple[_Stamp, dict[str, Any]]] = OrderedDict()

    async def get(self, name: str) -> Document | None:
        """Return a document, None if there is none or it has expired."""
        recent = self._recall(name)
        if recent is None:
            return await self._run(self._read_and_remember, name)
        return self._document_of(name, recent)

    async def put(self, name: str, document: Document, *, lifetime_s: float | None = None) -> None:
        """Write a document, in place of one of this name. Without a lifetime it stays."""

        def put() -> None:
            with self._changing(name):
                self._write(name, document, lifetime_s)

        await self._run(put)

    async def add(self, name: str, document: Document, *, lifetime_s: float | None = None) -> bool:
        """Write a document where there is none. Of all who try at once, exactly one gets True."""

        def add() -> bool:
            with self._changing(name):
                # One that cannot be opened is there all the same: nothing may happen twice because of it.
                if self._path(name).exists() and not self._has_expired(name):
                    return False
                self._write(name, document, lifetime_s)
                return True

        return await self._run(add)

    async def take(self, name: str) -> Document | None:
        """Return a document and delete it. Of all who try at once, exactly one gets it."""

        def take() -> Document | None:
            with self._changing(name):
                document = self._read(name)
                self._file(name).remove()
                return document

        return await self._run(take)

    async def change(
        self,
        name: str,
        change: Callable[[Document], Document | None],
        *,
        lifetime_s: float | None = None,
    ) -> Document | None:
        """Replace a document by what `change` makes of it, in one step; None leaves it."""

        def change_file() -> Document | None:
            with self._changing(name):
                before = self._read(name)
                after = None if before is None else change(before)
                if after is not None:
                    self._write(name, after, lifetime_s)
                return after

        return await self._run(change_file)

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""

        def delete() -> None:
            with self._changing(name):
                self._file(name).remove()

        await self._run(delete)

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so. It opens every document of their kind."""
        return await self._run(
            lambda: sorted(name for name in self._names(prefix) if name.startswith(prefix))
        )

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold a name against everyone else. Each name leaves an empty file, so names are of things that are few."""
        from filelock import FileLock

        await self._run(make_private_folder, self._locks)
        lock = FileLock(self._locks / f"{_hash(name)}.held", mode=0o600, thread_local=False)
        deadline = current_time() + LOCK_PATIENCE_S
        try:
            # Polled, so that a waiting call can be cancelled.
            while not await self._run(_acquire_at_once, lock):
                if current_time() >= deadline:
                    raise locked_for_too_long()
                await sleep(_POLL_S)
            yield
        finally:
            lock.release()

    async def _run(self, step: Callable[..., Answer], *arguments: object) -> Answer:
        try:
            # Once it has begun, it ends: nobody learns of a change that is cancelled half-way.
            return await to_thread.run_sync(step, *arguments)
        except TimeoutError:
            raise locked_for_too_long() from None
        except OSError as error:
            raise AuthorisationError(
                say(
                    "This server cannot keep sign-ins ({reason}). Try again; if that does not help, whoever runs the server must make room in its configuration folder, or make the folder writable.",
                    reason=error.strerror or type(error).__name__,
                ),
                code="STORE_FAILED",
            ) from None
        except ConfigError as error:
            raise AuthorisationError(str(error), code="STORE_FAILED") from None

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        """Hold a document against other changes, in this process and in others."""
        from filelock import FileLock

        make_private_folder(self._documents)
        make_private_folder(self._locks)
        self._sweep()
        shard = self._locks / f"{_hash(name)[:_SHARD_DIGITS]}.lock"
        lock = FileLock(shard, timeout=PATIENCE_S, mode=0o600, thread_local=False)
        with lock.acquire(poll_interval=_POLL_S):
            yield

    def _write(self, name: str, document: Document, lifetime_s: float | None) -> None:
        expires_at = None if lifetime_s is None else self._clock() + lifetime_s
        value = json.dumps({"name": name, "expires_at": expires_at, "document": document})
        self._file(name).write({"sealed": self._sealer.seal(Secret(value))})

    def _read(self, name: str) -> Document | None:
        return self._document_of(name, self._open(self._path(name)))

    def _document_of(self, name: str, value: dict[str, Any] | None) -> Document | None:
        if value is None:
            return None
        if value["name"] != name:
            log_unreadable(name)
            return None
        document: Document = value["document"]
        return None if self._is_over(value) else document

    def _recall(self, name: str) -> dict[str, Any] | None:
        """Return what was read of a document if its file is still the same. A look at a local file takes less than a thread does."""
        stamp, recent = _stamp(self._path(name)), self._recent.get(name)
        return recent[1] if recent is not None and recent[0] == stamp else None

    def _read_and_remember(self, name: str) -> Document | None:
        path = self._path(name)
        # Before it is read: a change in between is seen at the next look.
        stamp = _stamp(path)
        value = self._open(path)
        self._recent.pop(name, None)
        if value is not None and stamp is not None:
            self._recent[name] = (stamp, value)
        while len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)
        return self._document_of(name, value)

    def _has_expired(self, name: str) -> bool:
        value = self._open(self._path(name))
        return value is not None and value["name"] == name and self._is_over(value)

    def _names(self, prefix: str) -> Iterator[str]:
        # Strangers can make the store keep sign-ins under way, thousands of them. They are not opened to find a person's clients.
        for path in self._documents.glob(f"{_kind_of(prefix)}*.json"):
            value = self._open(path)
            # One under another name than its own does not count.
            if value is not None and not self._is_over(value) and self._path(value["name"]) == path:
                yield value["name"]

    def _open(self, path: Path) -> dict[str, Any] | None:
        """Return what a file holds, None if it is not there or cannot be opened."""
        try:
            kept = read_regular(path)
        except FileNotFoundError:
            return None
        # A key that cannot be reached is the store's failure; a value of another key is the document's.
        self._sealer.reach()
        try:
            sealed = json.loads(kept)["sealed"]
            value: dict[str, Any] = json.loads(self._sealer.open(sealed).reveal())
        except (AttributeError, ConfigError, KeyError, TypeError, ValueError):
            log_unreadable("file")
            return None
        return value

    def _is_over(self, value: dict[str, Any]) -> bool:
        expires_at = value["expires_at"]
        return expires_at is not None and self._clock() >= expires_at

    def _sweep(self) -> None:
        """Delete what has expired, unless it was done within the hour."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at = now
        for path in self._documents.glob("*.json"):
            value = self._open(path)
            if value is not None and self._is_over(value):
                self._delete_expired(path)

    def _delete_expired(self, path: Path) -> None:
        """Delete a file unless it has been replaced since."""
        from filelock import FileLock, Timeout

        shard = self._locks / f"{path.stem[-_HASH_DIGITS:][:_SHARD_DIGITS]}.lock"
        with suppress(Timeout), FileLock(shard, timeout=0, mode=0o600, thread_local=False):
            value = self._open(path)
            if value is not None and self._is_over(value):
                PrivateFile(path).remove()

    def _file(self, name: str) -> PrivateFile:
        return PrivateFile(self._path(name))

    def _path(self, name: str) -> Path:
        return self._documents / f"{_kind_of(name)}{_hash(name)}.json"


def _kind_of(name: str) -> str:
    """Return what the file of a name begins with: the part before the first slash, nothing without one."""
    kind = _KIND.match(name)
    return f"{kind[1]}." if kind else ""


def _stamp(path: Path) -> _Stamp | None:
    """Return what tells a file from the one that takes its place: each change makes a new file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _hash(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _acquire_at_once(lock: Any) -> bool:
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        return False
    return True
