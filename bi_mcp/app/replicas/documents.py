"""The documents of sign-ins in Redis, for all replicas."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bi_mcp.app.replicas.store import LockedElsewhereError, UnreadableValueError
from bi_mcp.app.sign_in.documents import locked_for_too_long, log_unreadable
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from bi_mcp.app.replicas.store import SharedStore
    from bi_mcp.app.sign_in.documents import Document

Answer = TypeVar("Answer")

_PREFIX = "sign-in/"


class RedisDocuments:
    """`Documents` in the shared store. Each value holds its name, so that one that was moved to another name is not read.

    A value that cannot be read counts as none, and is logged.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    async def get(self, name: str) -> Document | None:
        """Return a document, None if there is none or it has expired."""
        return await _read(name, self._store.get(_PREFIX + name))

    async def put(self, name: str, document: Document, *, lifetime_s: float | None = None) -> None:
        """Write a document, in place of one of this name. Without a lifetime it stays."""
        await _ask(self._store.put(_PREFIX + name, _bind(name, document), lifetime_s=lifetime_s))

    async def add(self, name: str, document: Document, *, lifetime_s: float | None = None) -> bool:
        """Write a document where there is none. Of all who try at once, exactly one gets True."""
        value = _bind(name, document)
        return await _ask(self._store.put(_PREFIX + name, value, replace=False, lifetime_s=lifetime_s))

    async def take(self, name: str) -> Document | None:
        """Return a document and delete it. Of all who try at once, exactly one gets it."""
        return await _read(name, self._store.take(_PREFIX + name))

    async def change(
        self,
        name: str,
        change: Callable[[Document], Document | None],
        *,
        lifetime_s: float | None = None,
    ) -> Document | None:
        """Replace a document by what `change` makes of it, in one step; None leaves it."""

        def change_value(value: Mapping[str, Any]) -> Document | None:
            after = change(_open(name, value))
            return None if after is None else _bind(name, after)

        return await _read(name, self._store.change(_PREFIX + name, change_value, lifetime_s=lifetime_s))

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""
        await _ask(self._store.delete(_PREFIX + name))

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so. It reads all names of the store."""
        names = await _ask(self._store.names(_PREFIX + prefix))
        return [name.removeprefix(_PREFIX) for name in names]

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold a name against everyone else. Raises `AuthorisationError` `LOCKED` after a long wait."""
        async with AsyncExitStack() as stack:
            try:
                await _ask(stack.enter_async_context(self._store.hold(_PREFIX + name)))
            except LockedElsewhereError:
                raise locked_for_too_long() from None
            yield


async def _read(name: str, asked: Awaitable[Mapping[str, Any] | None]) -> Document | None:
    try:
        value = await _ask(asked)
        return None if value is None else _open(name, value)
    except UnreadableValueError:
        log_unreadable(name)
        return None


async def _ask(asked: Awaitable[Answer]) -> Answer:
    try:
        return await asked
    except (UnreadableValueError, LockedElsewhereError):
        raise
    except Exception as error:  # noqa: BLE001  the client fails in its own ways at a broken answer, and its texts may hold the address
        raise AuthorisationError(
            say(
                "The shared store of this server (BI_MCP_SHARED_STORE) does not answer: {name}. Try again; if that does not help, whoever runs the server must check that Redis runs.",
                name=type(error).__name__,
            ),
            code="STORE_FAILED",
        ) from None


def _bind(name: str, document: Document) -> Document:
    return {"name": name, "document": document}


def _open(name: str, value: Mapping[str, Any]) -> Document:
    if value.get("name") != name:
        raise UnreadableValueError(name)
    document: Document = value["document"]
    return document
