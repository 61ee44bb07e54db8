"""A question to the person that a tool raises instead of answering."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp.types import InputRequiredResult

# The code of the error by which the client refused the question of this call, None where it did not.
_refused_by: ContextVar[int | None] = ContextVar("refused_by", default=None)


class PersonAskedError(Exception):
    """Ends a call that the client makes again once its person has answered. No error: the question is the call's result."""

    def __init__(self, question: InputRequiredResult) -> None:
        super().__init__()
        self.question = question


@contextmanager
def without_question(code: int) -> Iterator[None]:
    """Make a call once more, without the question that the client said it could show and then refused."""
    token = _refused_by.set(code)
    try:
        yield
    finally:
        _refused_by.reset(token)


def question_refused_by() -> int | None:
    """The code of the error by which the client refused the question of this call."""
    return _refused_by.get()
