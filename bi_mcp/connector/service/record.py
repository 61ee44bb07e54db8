"""What is told about a request, to the log and to the metrics: never a value, a key or a body."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from bi_mcp.base.secret import Secret, redact
from bi_mcp.connector.question.brackets import Form, Nested
from bi_mcp.connector.refusal import RefusalError, SourceError

logger = logging.getLogger("bi_mcp.connector")
# Within a program that writes no log the connector is silent.
logger.addHandler(logging.NullHandler())

_OPERATOR = re.compile(r"[!<>=%]+")
_LONGEST_CAUSE = 1000
# Settings of a source that an operator needs to understand what a driver says.
_HARMLESS = frozenset({"source", "host", "port", "database"})
# Sentences with these repeat names and values.
_REPEATING = frozenset({400, 404})
# To look for more values in a driver's words would take long; these words are then left out.
_MOST_VALUES = 200


@dataclass
class RequestRecord:
    """A request: what was asked, what became of it. `status` 499 is a caller who went before the answer began."""

    endpoint: str
    caller: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 500
    source: str = ""
    place: str = ""
    table: str = ""
    columns: int | None = None
    operators: tuple[str, ...] = ()
    rows: int | None = None
    bytes: int = 0
    broken: bool = False
    reason: str = ""
    cause: str = ""
    values: tuple[Secret, ...] | None = ()

    def note_form(self, form: Form) -> None:
        """Note which values must not get into the log, wherever a driver repeats them."""
        connection = form.get("connection", "")
        secret = connection if isinstance(connection, str) else _without(connection, _HARMLESS)
        every = chain(_leaves(secret), _leaves(form.get("filter", "")))
        leaves = list(islice(every, _MOST_VALUES + 1))
        self.values = tuple(map(Secret, leaves)) if len(leaves) <= _MOST_VALUES else None

    def note_question(self, table: str, form: Form) -> None:
        self.table = table
        self.operators = tuple(sorted(set(_operators(form.get("filter", "")))))

    def note_refusal(self, error: RefusalError) -> None:
        # Other sentences repeat what was asked.
        tells = isinstance(error, SourceError) or error.status not in _REPEATING
        self.reason = str(error) if tells else "refused"
        if isinstance(error, SourceError):
            self.cause = self._hide_values(error.cause)

    def note_broken(self, reason: str) -> None:
        """Note that the answer broke off after its status was sent, or before if the caller went."""
        self.broken = True
        self.reason = reason

    def note_fault(self, error: BaseException) -> None:
        """Note an error that nobody foresaw: its class and place. Its text may hold values."""
        self.reason = f"{type(error).__name__} in {_place_of(error)}"

    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def write(self) -> None:
        """Write the log's record: a line for people, its facts beside it for machines."""
        facts = {
            "endpoint": self.endpoint,
            "status": self.status,
            "broken": self.broken or None,
            "caller": self.caller if self.status == 401 else "",
            "source": self.source,
            "place": self.place,
            "table": self.table[:80],
            "columns": self.columns,
            "operators": " ".join(self.operators),
            "rows": self.rows,
            "bytes": self.bytes,
            "ms": round(self.seconds() * 1000),
            "reason": self.reason,
            "cause": self.cause,
        }
        told = {name: value for name, value in facts.items() if value not in ("", None)}
        text = " ".join(f"{name}={_quote(value)}" for name, value in told.items())
        logger.log(self._level(), "%s", text, extra={"facts": told})

    def _level(self) -> int:
        if self.cause or self.status == 500:
            return logging.ERROR
        return logging.WARNING if self.broken or self.status > 500 else logging.INFO

    def _hide_values(self, text: str) -> str:
        if self.values is None:
            return "(left out: the request holds too many values that it might repeat)"
        return redact(text, self.values, cut=False)[:_LONGEST_CAUSE]


def _quote(value: object) -> str:
    text = str(value)
    return repr(text) if isinstance(value, str) and not re.fullmatch(r"[\w.:/-]+", text) else text


def _without(form: Form, names: Container[str]) -> Form:
    return {name: value for name, value in form.items() if name not in names}


def _leaves(value: Nested) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    for part in value.values():
        yield from _leaves(part)


def _operators(value: Nested) -> Iterator[str]:
    if isinstance(value, str):
        return
    for key, part in value.items():
        operator = _OPERATOR.match(key)
        if operator or not (key.isdigit() or key.upper() == "LOGIC"):
            yield operator[0] if operator else "="
        else:
            yield from _operators(part)


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "nowhere"
    code = trace.tb_frame.f_code
    return f"{code.co_qualname} (line {trace.tb_lineno})"
