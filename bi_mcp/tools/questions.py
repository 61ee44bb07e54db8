"""A question to the person that a tool raises instead of answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.types import InputRequiredResult


class PersonAskedError(Exception):
    """Ends a call that the client makes again once its person has answered. No error: the question is the call's result."""

    def __init__(self, question: InputRequiredResult) -> None:
        super().__init__()
        self.question = question
