from __future__ import annotations


class RefusalError(Exception):
    """The request cannot be answered. `status` is the HTTP status; `str()` is one sentence for the caller."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
