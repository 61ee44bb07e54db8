"""Pure: an answer of the portal -> the value, or an error from one of the three places where errors hide."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from bi_mcp.base.foreign_json import parse_foreign
from bi_mcp.base.language import say, text
from bi_mcp.errors import MESSAGE_CHARACTERS, LimitError, PortalError, UnexpectedAnswerError
from bi_mcp.rest.error_codes import error_for, look_first
from bi_mcp.rest.methods import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.methods import Method

    _Failure = PortalError | UnexpectedAnswerError

# Spellings of a refusal without a code.
_NO_CODES = frozenset({"0", "", "-"})
# The portal has no code of its own for a page with HTTP 429.
PAGE_OF_A_LIMIT = "HTTP_429"

_ADDRESS = re.compile(r"\bhttps?://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Timing:
    """Accumulated run time of a method, as the portal says: seconds used, and the unix time at which the oldest minute
    of them is forgotten.

    `portal_time` is the portal's own clock at the time of the answer.
    """

    operating: float | None = None
    operating_reset_at: float | None = None
    portal_time: float | None = None


@dataclass(frozen=True)
class Envelope:
    """A successful answer: its `result`, and what the portal says about its run time."""

    result: object
    timing: Timing = Timing()


def parse_answer(
    method: Method, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> Envelope:
    """Return `result` of an answer, and its timing. Of the `headers` only `date` and `retry-after` are read.

    Raises `PortalError` for an error inside `result` (HTTP 200), at the root with HTTP 200, or at the root with a
    status of its own, `LimitError` for a page with HTTP 429; `UnexpectedAnswerError` for everything else that is not an
    answer of the REST API.
    """
    date, wait = (headers or {}).get("date"), _retry_after(headers or {})
    answer = _parse(method, status, body, date)
    if isinstance(answer, Envelope):
        return answer
    if isinstance(answer, PortalError):
        answer.retry_after = wait
    elif status == 429:
        answer = _limit_error(method, wait)
    raise answer


def _parse(method: Method, status: int, body: bytes, date: str | None) -> Envelope | _Failure:
    if not body.strip():
        return unexpected_answer(method, status, say("an empty body"))
    try:
        answer = parse_foreign(body)
    except ValueError:
        return unexpected_answer(method, status, _describe_text(body))
    if not isinstance(answer, dict):
        what = say("JSON of the wrong shape ({kind} where an object belongs)", kind=_json_type(answer))
        return unexpected_answer(method, status, what)
    timing = _timing(answer, date)
    error = _error_in(answer, method, status, timing) if "error" in answer else None
    if error is not None:
        return error
    if status != 200 or "result" not in answer:
        what = say("a JSON object without 'result'")
        if status != 200:
            what = say("HTTP {status} without an error code", status=status)
        return unexpected_answer(method, status, what)
    result = answer["result"]
    return hidden_error(method, status, result) or Envelope(result, timing)


def _limit_error(method: Method, wait: float | None) -> LimitError:
    """Make the error for a page that asks for fewer requests: a proxy before the portal has passed nothing on."""
    hint = say("Nothing happened. Try again in a minute.")
    if wait is not None:
        hint = say("Nothing happened. Try again in {wait} s.", wait=math.ceil(wait))
    error = LimitError(
        method=method.name,
        code=PAGE_OF_A_LIMIT,
        message=say("Too many requests: a page came instead of the portal's answer"),
        hint=hint,
        status=429,
    )
    error.retry_after = wait
    return error


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait, which the header gives as a number or as the moment at which they end."""
    given = headers.get("retry-after", "").strip()
    moment, now = _http_date(given), _http_date(headers.get("date"))
    if moment is not None and now is not None:
        return max(0.0, moment - now)
    seconds = _number(given) if given else None
    return None if seconds is None or seconds < 0 else seconds


def hidden_error(method: Method, status: int, result: object) -> _Failure | None:
    """Return the error that this module puts inside a `result`, if there is one."""
    if not isinstance(result, dict) or "error" not in result:
        return None
    return _error_in(result, method, status, Timing())


def _error_in(holder: dict[str, Any], method: Method, status: int, timing: Timing) -> _Failure | None:
    error = holder.get("error")
    # The module nests code and text once more under `error`; the system puts them side by side.
    place = error if isinstance(error, dict) else holder
    if not _is_refusal(holder, place):
        return None
    code = place.get("error")
    if isinstance(code, bool) or not isinstance(code, str | int | None):
        return unexpected_answer(method, status, say("an error without a code"))
    name = _one_line(code)
    message = _one_line(place.get("error_description"))
    refusal = error_for(method, "" if name in _NO_CODES else name, message, status)
    refusal.retry_at, refusal.portal_time = timing.operating_reset_at, timing.portal_time
    return refusal


def _is_refusal(holder: dict[str, Any], place: dict[str, Any]) -> bool:
    """Recognise a refusal. Some have the number 0 or an empty text as code, and only their other keys show it."""
    error = holder.get("error")
    if error is None or error is False:
        return False
    return bool(error) or "error_description" in place or not set(holder) - {"error", "time"}


def _timing(answer: dict[str, Any], date: str | None) -> Timing:
    block = answer.get("time")
    block = block if isinstance(block, dict) else {}
    clock = _number(block.get("finish"))
    return Timing(
        operating=_number(block.get("operating")),
        operating_reset_at=_number(block.get("operating_reset_at")),
        portal_time=_http_date(date) if clock is None else clock,
    )


def _http_date(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return number if number is None or math.isfinite(number) else None


def _one_line(text: object) -> str:
    """Return the first line, without addresses: the rest may be a stack trace, and an address may hold a credential."""
    lines = str(text or "").strip().splitlines()
    return _ADDRESS.sub("(address)", lines[0])[:MESSAGE_CHARACTERS] if lines else ""


def unexpected_answer(method: Method, status: int, what: str) -> UnexpectedAnswerError:
    """Make the error for an answer that is not the REST API's. `what` describes it and never repeats it."""
    advice = say("Check the portal's address and that no proxy or login page answers in its place.")
    if method.effect is not Effect.READ:
        advice = say("The change may have been made all the same. {advice}", advice=look_first(method))
    return UnexpectedAnswerError(
        say(
            "{name}: the portal's answer (HTTP {status}) was {what}, not an answer of the REST API. {advice}",
            name=method.name,
            status=status,
            what=what,
            advice=advice,
        ),
        method=method.name,
        status=status,
    )


def _describe_text(body: bytes) -> str:
    start = body.lstrip()[:1]
    if start.startswith(b"<"):
        return say("an HTML page")
    if start.startswith((b"{", b"[")):
        return say("broken or cut-off JSON")
    return say("plain text")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    return say(
        {list: text("an array"), str: text("a string"), bool: text("a boolean")}.get(
            type(value), text("a number")
        )
    )
