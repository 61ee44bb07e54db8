"""What a profile says of a dataset. Only models: the server loads them at its start, and what counts when it is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bi_mcp.base.language import say, say_count
from bi_mcp.diagnostics.profile.number_text import write_number
from bi_mcp.diagnostics.profile.time_steps import word_step


class Histogram(BaseModel):
    """Bars from left to right: the beginning of each, numbers or parts of ISO dates, and how many values are in it.

    `step` is the width of a bar; on a time axis `day`, `5 minutes` or another of the steps there.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    starts: list[int | float | str]
    counts: list[int]
    step: int | float | str


class Common(BaseModel):
    """A text that is often in a column, on one line and cut, and in how many rows."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    value: str
    count: int


class ColumnProfile(BaseModel):
    """What the counted rows hold in a column.

    `missing` columns are not in the connector's answer at all. `empty` rows have no value, `unfit` ones a value of another type, which a chart leaves out. The others have `distinct`
    different values from `least` to `greatest`. Numbers and times have a `histogram`, texts their `common` values if any is there twice.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    name: str
    type: str
    missing: bool | None = None
    empty: int
    unfit: int = 0
    distinct: int
    least: int | float | str | None = None
    greatest: int | float | str | None = None
    histogram: Histogram | None = None
    common: list[Common] | None = None


class FirstChart(BaseModel):
    """One chart of the rows of a `column`, or of the sum of a `measure` in them: bars from left to right.

    `step` is that of a time axis: `day`, `5 minutes` and so on. Charts of values have none.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    kind: Literal["time", "values"]
    column: str
    measure: str | None = None
    step: str | None = None
    labels: list[int | float | str]
    values: list[int | float]

    def title(self) -> str:
        """Say what the chart shows."""
        if self.step is None:
            return say("Rows by {column}", column=self.column)
        step = word_step(self.step)
        if self.measure is None:
            return say("Rows {step} ({column})", step=step, column=self.column)
        return say("Sum of {measure} {step} ({column})", measure=self.measure, step=step, column=self.column)


class DatasetProfile(BaseModel):
    """A dataset as a chart would use it, counted from its first rows.

    `counted` is how many rows those are, `complete` whether they are all. `left_out` counts visible columns beyond those
    described. `breaches` are the rules that the answer breaks. `first_rows` are values as they were answered, in the order of `columns`, on one line and cut.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    id: int
    name: str
    counted: int
    complete: bool
    columns: list[ColumnProfile]
    left_out: int = 0
    breaches: list[str] = []
    first_rows: list[list[str | None]]
    chart: FirstChart | None = None

    def scope(self) -> str:
        """Say in a sentence what was counted."""
        count = write_number(self.counted)
        if self.complete:
            return say_count(
                "Counted from {rows} row, all there is.",
                "Counted from all {rows} rows.",
                self.counted,
                rows=count,
            )
        return say("Counted from the first {rows} rows; there may be more.", rows=count)

    def remainder(self) -> str:
        """Say how many columns are not described; empty if all are."""
        if not self.left_out:
            return ""
        return say_count(
            "{columns} more column is not shown.",
            "{columns} more columns are not shown.",
            self.left_out,
            columns=write_number(self.left_out),
        )
