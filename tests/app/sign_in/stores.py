"""The two stores of sign-ins, each opened as often as there are replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from bi_mcp.app.replicas.documents import RedisDocuments
from bi_mcp.app.replicas.store import PREFIX, SharedStore
from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.app.sign_in.documents import Documents
from bi_mcp.base.secret import Secret

KEY = Secret("a-shared-key-of-the-two-replicas")


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Store(Protocol):
    def open(self) -> Documents:
        """What one more replica holds."""
        ...

    async def contents(self) -> list[bytes]:
        """All values, as they are kept."""
        ...

    async def copy(self, name: str, to: str) -> None:
        """Put a value under another name, as someone who can write in the store."""
        ...

    async def damage(self, name: str) -> None:
        """Replace a value by one that was not sealed."""
        ...


@dataclass(frozen=True)
class RedisStore:
    client: Redis

    def open(self) -> Documents:
        return RedisDocuments(SharedStore(self.client, KEY))

    async def contents(self) -> list[bytes]:
        keys = await self.client.keys(f"{PREFIX}*")
        return [str(part).encode() for key in keys for part in (key, await self.client.get(key))]

    async def copy(self, name: str, to: str) -> None:
        await self.client.copy(_key(name), _key(to), replace=True)

    async def damage(self, name: str) -> None:
        await self.client.set(_key(name), '{"name": "hunter2"}')


@dataclass(frozen=True)
class FolderStore:
    folder: Path
    clock: Callable[[], float]

    def open(self) -> Documents:
        return DocumentFolder(self.folder, clock=self.clock)

    async def contents(self) -> list[bytes]:
        return [path.name.encode() + path.read_bytes() for path in self.files()]

    async def copy(self, name: str, to: str) -> None:
        self._file(to).write_bytes(self._file(name).read_bytes())

    async def damage(self, name: str) -> None:
        self._file(name).write_text('{"sealed": "hunter2"}', encoding="ascii")

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("documents/*"))

    def _file(self, name: str) -> Path:
        kind, slash, _ = name.partition("/")
        beginning = f"{kind}." if slash else ""
        return self.folder / "documents" / f"{beginning}{sha256(name.encode()).hexdigest()}.json"


def _key(name: str) -> str:
    return f"{PREFIX}sign-in/{name}"
