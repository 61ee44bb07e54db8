from __future__ import annotations


class RefusalError(Exception):
    """The request cannot be answered. `status` is the HTTP status; `str()` is one sentence for the caller."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class SourceError(RefusalError):
    """The source cannot answer now. `cause` tells the operator, in the log, what the caller may not see."""

    def __init__(self, status: int, sentence: str, cause: str) -> None:
        super().__init__(status, sentence)
        self.cause = cause
