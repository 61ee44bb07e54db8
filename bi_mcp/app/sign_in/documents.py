"""The interface of the store: documents that expire, and what must happen once for all replicas."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Document = Mapping[str, Any]


class Documents(Protocol):
    """Sealed documents by name. A name is ASCII and never holds a token: tokens are named by their SHA-256.

    Every method raises `AuthorisationError` `STORE_FAILED` where the store does not answer, without a secret.
    """

    async def get(self, name: str) -> Document | None:
        """Return a document, None if there is none or it has expired."""
        ...

    async def put(self, name: str, document: Document, *, lifetime_s: float | None = None) -> None:
        """Write a document, in place of one of this name. Without a lifetime it stays."""
        ...

    async def add(self, name: str, document: Document, *, lifetime_s: float | None = None) -> bool:
        """Write a document where there is none. Of all who try at once, exactly one gets True."""
        ...

    async def take(self, name: str) -> Document | None:
        """Return a document and delete it. Of all who try at once, exactly one gets it."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so. It reads the whole store: for operators and pages, not for calls."""
        ...

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a name against everyone else, in this process and in others."""
        ...
