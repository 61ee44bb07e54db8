"""Errors of drivers as refusals: a sentence for the caller, the driver's own words for the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret, redact
from bi_mcp.connector.databases.dialects.dialect import Dialect, Failure
from bi_mcp.connector.refusal import RefusalError, SourceError

# A driver's reason is cut after so many characters where a person reads it.
LONGEST_REASON = 200


@dataclass(frozen=True)
class Failures:
    """Words the errors of a database. `secrets` are masked in what its driver says."""

    dialect: Dialect
    timeout: float
    secrets: Sequence[Secret]

    @contextmanager
    def worded(self) -> Iterator[None]:
        """Turn the errors of the driver that are raised within into SourceError."""
        try:
            yield
        except PoolTimeoutError as error:
            raise SourceError(
                503, "The database is busy with other queries. Try again later.", str(error)
            ) from None
        except RefusalError:
            raise
        except Exception as error:  # noqa: BLE001  drivers raise what they like for a bad option, or for an answer that is none
            raise self._word(_origin(error)) from None

    def too_long(self, cause: str) -> SourceError:
        return SourceError(
            504,
            f"The query took longer than {self.timeout:g} seconds and was stopped. Ask for fewer rows, or filter them.",
            cause,
        )

    def _word(self, origin: BaseException) -> DatabaseError:
        failure = self._failure(origin)
        status, sentence = _SENTENCES.get(failure, _SENTENCES[None])
        if failure in {"too long", "stopped"}:
            sentence = str(self.too_long(""))
        cause = redact(_one_line(str(origin)), self.secrets)
        return DatabaseError(
            status,
            sentence,
            f"{type(origin).__name__}: {cause}",
            failure=failure,
            reason=redact(_reason(origin), self.secrets),
        )

    def _failure(self, origin: BaseException) -> Failure | None:
        code, said = self.dialect.failure_code(origin), _one_line(str(origin))
        found = (
            self.dialect.failures.get(code)
            or _find(said, self.dialect.failure_texts)
            or _find(said, _NETWORK)
        )
        no_password = not any(self.secrets)
        return "no password" if found == "login refused" and no_password else found


class DatabaseError(SourceError):
    """A SourceError of a database, with what the driver's code means where that is known, and its reason for the operator."""

    def __init__(
        self, status: int, sentence: str, cause: str, *, failure: Failure | None, reason: str = ""
    ) -> None:
        super().__init__(status, sentence, cause)
        self.failure = failure
        self.reason = reason

    def tell(self, variable: str) -> str:
        what = say(_TOLD.get(self.failure, _TOLD[None]), variable=variable)
        reason = _sentence(self.reason)
        return say("{what} It says: {reason}", what=what, reason=reason) if reason else what


def _origin(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _one_line(said: str) -> str:
    return " ".join(said.split())


def _reason(origin: BaseException) -> str:
    """What a driver says, without numbers and marks of its types around it."""
    # Some drivers put the arguments of a failed connection into one.
    parts = [_decode(part) for each in origin.args for part in (each if isinstance(each, tuple) else (each,))]
    return _one_line(max(parts, key=len, default="")) or _one_line(str(origin))


def _sentence(reason: str) -> str:
    if len(reason) > LONGEST_REASON:
        return reason[: LONGEST_REASON - 1].rstrip() + "…"
    return reason if not reason or reason[-1] in ".!?" else f"{reason}."


def _decode(part: object) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def _find(said: str, parts: Mapping[str, Failure]) -> Failure | None:
    return next((failure for part, failure in parts.items() if part in said), None)


# Parts of what systems say of networks, whichever driver repeats it.
_NETWORK: Mapping[str, Failure] = {
    "Connection refused": "no connection",
    "actively refused": "no connection",
    "No route to host": "no connection",
    "Network is unreachable": "no connection",
    "Name or service not known": "unknown host",
    "nodename nor servname": "unknown host",
    "No address associated": "unknown host",
    "name resolution": "unknown host",
    "getaddrinfo failed": "unknown host",
    "failed to resolve host": "unknown host",
    "NameResolutionError": "unknown host",
    "timeout expired": "no answer",
    "timed out": "no answer",
}

_SENTENCES: dict[Failure | None, tuple[int, str]] = {
    None: (502, "The database did not answer as it should. The log of the connector says why."),
    "no table": (502, "The table cannot be read. The log of the connector says why."),
    "no column": (502, "The columns of the table have changed. Try again."),
    "stopped": (504, ""),
    "too long": (504, ""),
    "busy": (503, "The database is busy with other queries. Try again later."),
}

# What the operator is told, with what to do.
_TOLD: dict[Failure | None, str] = {
    None: text("The database did not answer as it should."),
    "no password": text("The database wants a password, and none is given. Set {variable}."),
    "login refused": text(
        "The database refuses the login or its password. Correct the login in the address, or the password in {variable}."
    ),
    "unknown host": text("There is no host of this name. Correct the host in the address."),
    "no connection": text(
        "Nothing answers at this host and port. Correct them in the address, or start the database."
    ),
    "no answer": text(
        "The host does not answer in time. Check the address, and whether a firewall lets this machine through."
    ),
    "no database": text("There is no such database on this host. Correct its name in the address."),
    "not permitted": text(
        "The database does not permit this login what is needed. Let its administrator grant it the right to read."
    ),
    "no file": text("The file cannot be opened. Correct its path, or let this user read it."),
    "no database file": text("The file holds no database of SQLite. Name another."),
    "busy": text("The database has no connection left. Try again later, or let it have more."),
}
