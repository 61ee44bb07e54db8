from __future__ import annotations


class RefusalError(Exception):
    """The request cannot be answered. `status` is the HTTP status; `str()` is one sentence for the caller."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def tell(self, variable: str) -> str:  # noqa: ARG002  used by those who know more
        """Say to the operator what is wrong. `variable` is that of the source's password."""
        return str(self)


class SourceError(RefusalError):
    """The source cannot answer now. `cause` tells the operator, in the log, what the caller may not see."""

    def __init__(self, status: int, sentence: str, cause: str) -> None:
        super().__init__(status, sentence)
        self.cause = cause

    def tell(self, variable: str) -> str:  # noqa: ARG002  as above
        return f"{self} {self.cause}"


class NothingServedError(SourceError):
    """A table has no column that can be shown; `cause` says why of each."""
