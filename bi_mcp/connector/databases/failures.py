"""Errors of drivers as refusals: a sentence for the caller, the driver's own words for the operator's log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bi_mcp.base.secret import Secret, redact
from bi_mcp.connector.databases.dialects.dialect import Dialect, Failure
from bi_mcp.connector.refusal import SourceError


@dataclass(frozen=True)
class Failures:
    """Words the errors of a database. `secrets` are masked in what its driver says."""

    dialect: Dialect
    timeout: float
    secrets: Sequence[Secret]
    driver_error: type[BaseException]

    @contextmanager
    def worded(self) -> Iterator[None]:
        """Turn the errors of the driver that are raised within into SourceError."""
        try:
            yield
        except PoolTimeoutError as error:
            raise SourceError(
                503, "The database is busy with other queries. Try again later.", str(error)
            ) from None
        except (SQLAlchemyError, self.driver_error, OSError) as error:
            raise DatabaseError(*self._word(error), failure=self._failure(error)) from None

    def too_long(self, cause: str) -> SourceError:
        return SourceError(
            504,
            f"The query took longer than {self.timeout:g} seconds and was stopped. Ask for fewer rows, or filter them.",
            cause,
        )

    def _word(self, error: BaseException) -> tuple[int, str, str]:
        failure = self._failure(error)
        status, sentence = _SENTENCES.get(failure, _SENTENCES[None])
        if failure in {"too long", "stopped"}:
            sentence = str(self.too_long(""))
        origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
        cause = redact(" ".join(str(origin).split()), self.secrets)
        return status, sentence, f"{type(origin).__name__}: {cause}"

    def _failure(self, error: BaseException) -> Failure | None:
        origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
        return self.dialect.failures.get(self.dialect.failure_code(origin))


class DatabaseError(SourceError):
    """A SourceError of a database, with what the driver's code means where that is known."""

    def __init__(self, status: int, sentence: str, cause: str, *, failure: Failure | None) -> None:
        super().__init__(status, sentence, cause)
        self.failure = failure


_SENTENCES: dict[Failure | None, tuple[int, str]] = {
    None: (502, "The database did not answer as it should. The log of the connector says why."),
    "no table": (502, "The table cannot be read. The log of the connector says why."),
    "no column": (502, "The columns of the table have changed. Try again."),
    "stopped": (504, ""),
    "too long": (504, ""),
    "busy": (503, "The database is busy with other queries. Try again later."),
}
