"""Steps of a time axis, from a second to five centuries, each aligned to the calendar. A table and pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bi_mcp.base.language import say, text

_BEGIN = datetime.combine(date.min, time())


@dataclass(frozen=True)
class TimeStep:
    """A step of so many seconds or so many months. `form` is how its beginnings are written."""

    code: str
    words: str
    form: str
    seconds: int = 0
    months: int = 0

    def index(self, moment: datetime) -> int:
        """Return the number of the step that holds a moment, counted from the first day of the calendar, which was a Monday."""
        if self.months:
            return (moment.year * 12 + moment.month - 1) // self.months
        return (moment - _BEGIN) // timedelta(seconds=self.seconds)

    def start(self, index: int) -> datetime:
        """Return the beginning of a step."""
        if self.months:
            year, month = divmod(index * self.months, 12)
            return datetime.combine(date(max(year, 1), month + 1, 1), time())
        return _BEGIN + timedelta(seconds=index * self.seconds)

    def write(self, index: int) -> str:
        """Write the beginning of a step as a part of an ISO date."""
        start = self.start(index)
        # Of years before 1000 strftime writes three digits on some systems.
        return start.strftime(self.form.replace("%Y", f"{start.year:04}"))


_DAY = 86_400
STEPS: Sequence[TimeStep] = (
    TimeStep("second", text("per second"), "%Y-%m-%d %H:%M:%S", seconds=1),
    TimeStep("5 seconds", text("per 5 seconds"), "%Y-%m-%d %H:%M:%S", seconds=5),
    TimeStep("15 seconds", text("per 15 seconds"), "%Y-%m-%d %H:%M:%S", seconds=15),
    TimeStep("minute", text("per minute"), "%Y-%m-%d %H:%M", seconds=60),
    TimeStep("5 minutes", text("per 5 minutes"), "%Y-%m-%d %H:%M", seconds=300),
    TimeStep("15 minutes", text("per 15 minutes"), "%Y-%m-%d %H:%M", seconds=900),
    TimeStep("hour", text("per hour"), "%Y-%m-%d %H:%M", seconds=3600),
    TimeStep("6 hours", text("per 6 hours"), "%Y-%m-%d %H:%M", seconds=6 * 3600),
    TimeStep("day", text("per day"), "%Y-%m-%d", seconds=_DAY),
    TimeStep("week", text("per week"), "%Y-%m-%d", seconds=7 * _DAY),
    TimeStep("month", text("per month"), "%Y-%m", months=1),
    TimeStep("quarter", text("per quarter"), "%Y-%m", months=3),
    TimeStep("year", text("per year"), "%Y", months=12),
    TimeStep("5 years", text("per 5 years"), "%Y", months=60),
    TimeStep("10 years", text("per 10 years"), "%Y", months=120),
    TimeStep("50 years", text("per 50 years"), "%Y", months=600),
    TimeStep("100 years", text("per 100 years"), "%Y", months=1200),
    TimeStep("500 years", text("per 500 years"), "%Y", months=6000),
)
_WORDS = {step.code: step.words for step in STEPS}
# Among days there is nothing finer to see.
_DAYS = STEPS[8:]


def choose_step(first: datetime, last: datetime, most: int, *, days: bool) -> TimeStep:
    """Choose the finest step that needs at most so many bars; among `days` none is finer than a day."""
    steps = _DAYS if days else STEPS
    return next((step for step in steps if step.index(last) - step.index(first) < most), steps[-1])


def word_step(code: str) -> str:
    """Say how often, in the reader's language."""
    return say(_WORDS[code])
