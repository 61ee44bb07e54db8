"""The caller of the server: on whose behalf, and through which client, a call arrives."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bi_mcp.auth.person import Person


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller of one call. Nothing is known of one over standard input and output.

    `client` is the program: the name with which it registered, or the client id of a foreign issuer's token. `subject` is
    how a foreign issuer names the person; `person` is who signed in here.
    """

    client: str | None = None
    subject: str | None = None
    person: Person | None = None


_NOBODY = Caller()
_caller: ContextVar[Caller] = ContextVar("caller", default=_NOBODY)


def current_caller() -> Caller:
    """Return the caller of this task."""
    return _caller.get()


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """Serve this caller while it is open."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
