"""The interface of the store: documents that expire, and what must happen once for all replicas."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

Document = Mapping[str, Any]

logger = logging.getLogger(__name__)


class Documents(Protocol):
    """Sealed documents by name. A name is ASCII and never holds a token: tokens are named by their SHA-256.

    Every method raises `AuthorisationError` `STORE_FAILED` where the store does not answer, without a secret. A document that
    cannot be opened, or was moved to another name, counts as none: whoever needs it signs in again.
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

    async def change(
        self,
        name: str,
        change: Callable[[Document], Document | None],
        *,
        lifetime_s: float | None = None,
    ) -> Document | None:
        """Replace a document by what `change` makes of it, in one step; None leaves it. One that was deleted stays deleted.

        Returns the new document, None where nothing was written. `change` has no effects: it is asked again where others
        were faster.
        """
        ...

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so. It reads the whole store: for operators and pages, not for calls."""
        ...

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a name against everyone else, in this process and in others. Raises `AuthorisationError` `LOCKED` after a long wait.

        A holder who stands still for a minute may lose it: what must never happen twice is done by `add`, `take` or `change`.
        """
        ...


def locked_for_too_long() -> AuthorisationError:
    """Return the error for a name that somebody else holds for too long."""
    return AuthorisationError(
        say(
            "Somebody else has kept this sign-in locked for too long. Try again; if that does not help, whoever runs the server must restart it."
        ),
        code="LOCKED",
    )


def log_unreadable(name: str) -> None:
    """Log that a document could not be opened. Its kind is logged, not its name, which may point to a person."""
    logger.warning(
        "A document (%s/…) was sealed with another key, was moved or is damaged; it counts as none.",
        name.partition("/")[0],
    )
