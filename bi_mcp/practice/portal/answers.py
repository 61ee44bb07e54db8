"""The two kinds of refusal, and the envelopes that answers travel in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


class ModuleFault(Exception):  # noqa: N818 - the vendor's documents speak of errors of the module; a fault is ours
    """An error of the module: HTTP 200, inside `result`, or at the root if the settings say so.

    `code` is the number 0 for the refusals to which the vendor does not give a code.
    """

    def __init__(self, code: str | int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SystemFault(Exception):  # noqa: N818 - see ModuleFault
    """An error of the REST service: at the root of the answer, with its own HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class AnswerTiming:
    """Start and end of a call, in unix seconds, and the method's run time used up so far."""

    start: float
    finish: float
    operating: float = 0.0
    operating_reset_at: float | None = None


def error_body(fault: ModuleFault | SystemFault) -> dict[str, object]:
    return {"error": fault.code, "error_description": fault.message}


def time_body(timing: AnswerTiming) -> dict[str, object]:
    """Build the `time` object that every answer carries, and every command of a batch."""
    duration = timing.finish - timing.start
    reset_at = timing.operating_reset_at if timing.operating_reset_at is not None else timing.finish + 600
    return {
        "start": timing.start,
        "finish": timing.finish,
        "duration": duration,
        "processing": duration,
        "date_start": _moment(timing.start),
        "date_finish": _moment(timing.finish),
        "operating_reset_at": int(reset_at),
        "operating": timing.operating,
    }


def success(result: object, timing: AnswerTiming) -> dict[str, object]:
    return {"result": result, "time": time_body(timing)}


def module_error(fault: ModuleFault, timing: AnswerTiming, *, place: str) -> Mapping[str, object]:
    """Build the answer with HTTP 200 for an error of the module; `place` is "result" or "root"."""
    if place == "root":
        return error_body(fault)
    return success({"error": error_body(fault)}, timing)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
