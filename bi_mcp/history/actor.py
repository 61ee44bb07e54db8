"""The actor: the tool or the command whose writes are recorded."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Actor:
    """`tool` is a tool's name, or `bi-mcp COMMAND`; `undoes` the entry of the history that its writes revert; `change` is
    a mark that several writes share which are one change.
    """

    tool: str | None = None
    undoes: str | None = None
    change: str | None = None


_NO_ACTOR = Actor()
_actor: ContextVar[Actor] = ContextVar("who is at work", default=_NO_ACTOR)


def current_actor() -> Actor:
    """Return the actor of this task."""
    return _actor.get()


@contextmanager
def acting(tool: str | None) -> Iterator[None]:
    """Record writes as this tool's while it is open."""
    token = _actor.set(Actor(tool))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def undoing(entry: str, change: str | None = None) -> Iterator[None]:
    """Record writes as the undo of this entry while it is open, and as parts of this change."""
    token = _actor.set(Actor(_actor.get().tool, entry, change))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def as_one_change() -> Iterator[str]:
    """Record writes as parts of one change while it is open; an undo of one takes the others along. Yields its mark."""
    change = secrets.token_hex(4)
    token = _actor.set(Actor(_actor.get().tool, change=change))
    try:
        yield change
    finally:
        _actor.reset(token)
