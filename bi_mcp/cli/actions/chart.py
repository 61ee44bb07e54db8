"""The action of `bi-mcp chart`: a chart of the practice portal, as BI Builder would show it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

import anyio
import click

from bi_mcp.app.portals import EMBEDDED, build_portals
from bi_mcp.base.language import say, say_count, text
from bi_mcp.cli.actions.chart_conditions import parse_condition_group
from bi_mcp.config import LocalPortalSettings, read_settings
from bi_mcp.practice.run import open_chart

# Why a chart is empty, by the kinds of the practice portal, and what to do next.
REASONS: Mapping[str, str] = {
    "inactive": text(
        "The source is inactive, and Bitrix24 does not call its connector. Activate the source."
    ),
    "unreachable": text(
        "The connector could not be reached at its urlData. Start it, or correct the address."
    ),
    "timeout": text("The connector did not answer within {seconds} seconds. Let it answer faster."),
    "too_large": text(
        "The answer has more than {megabytes} MB. Narrow the chart down with a limit or a condition."
    ),
    "status": text(
        "The connector answered HTTP {status}, and Bitrix24 accepts only 200. The answer below may say why."
    ),
    "no_body": text("The connector answered with an empty body or 0. It must answer with a list of rows."),
    "not_json": text("The answer is not JSON. The connector must answer with a list of rows as JSON."),
    "not_rows": text("The answer is not a list of rows, each of them a list of plain values."),
    "no_header": text("The answer has no first row. Row 1 must name the columns, also where no row follows."),
    "codes_in_header": text(
        "Row 1 holds external codes, and this portal wants the names {columns}. Give each column its name as its code."
    ),
    "names_in_header": text(
        "Row 1 holds names, and this portal wants the external codes of {columns} where it sent mapFields."
    ),
    "columns_missing": text(
        "Row 1 does not name {columns}. The connector must return every column that is requested."
    ),
    "ragged": text(
        "Row {row} has {count} values, and row 1 has {expected}. All rows must have the same length."
    ),
    "old_date": text(
        "Row {row} holds {value} in {column}. Dates at or before 1900-01-01 break BI Builder: answer null instead."
    ),
}


def show_chart(
    *,
    dataset: str,
    columns: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    time_column: str | None,
    conditions: tuple[str, ...],
    summed: str | None,
    limit: int | None,
    as_json: bool,
    profile: str | None,
) -> None:
    """Print the rows of a chart, or why it is empty."""
    if time_column and not (start or end):
        raise click.UsageError(say("--time-column goes with --from or --to. Add one of them."))
    dates = {"from": _day(start), "to": _day(end), "column": time_column and time_column.upper()}
    asked = [name.upper() for name in columns]
    # The column that is added up is asked for, too, if columns are named at all.
    if asked and summed and summed.upper() not in asked:
        asked.append(summed.upper())
    question = {
        "dataset": dataset,
        "columns": asked,
        "dates": dates if start or end else None,
        "where": [_group(condition) for condition in conditions],
        "limit": limit,
    }
    opened = anyio.run(open_chart, _practice_portal(profile), question)
    if as_json:
        click.echo(json.dumps(opened.as_json(), ensure_ascii=False, indent=2))
    elif opened.failure is not None:
        _print_failure(say(REASONS[opened.failure.kind], **opened.failure.values), opened.sent, opened.answer)
    else:
        # Imported here: JSON does without rich.
        from bi_mcp.cli.actions.rows import print_rows

        print_rows(opened.columns, opened.rows)
        click.echo(say_count("{count} row", "{count} rows", len(opened.rows)))
        for unread in opened.picture.unread:
            _print_unread(unread.column, unread.type, unread.count)
        if summed:
            _print_sum(summed.upper(), opened.columns, opened.rows)
    sys.exit(0 if opened.failure is None else 1)


def _practice_portal(profile: str | None) -> LocalPortalSettings:
    settings = read_settings(profiles=(profile,) if profile else ())
    portals, default = build_portals(settings)
    if default != EMBEDDED:
        raise click.ClickException(
            say(
                "{portal} is a real portal, and its charts are seen in its BI Builder. Open charts on the practice portal: --profile embedded.",
                portal=portals[default].title,
            )
        )
    return settings.embedded


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def _group(condition: str) -> list[dict[str, object]]:
    try:
        return parse_condition_group(condition)
    except (ValueError, csv.Error):
        raise click.UsageError(
            say(
                '{condition!r} is not a condition. Write it as "CARRIER = UA, AA", "DELAY between 1 and 5", "DELAY > 60", "CARRIER contains U" or "TAIL_NUMBER is empty".',
                condition=condition,
            )
        ) from None


def _print_unread(column: str, column_type: str, count: int) -> None:
    click.echo(
        say(
            "! Values that are missing in the chart, since they are not of type {type}: {count} in {column}.",
            type=column_type,
            count=count,
            column=column,
        )
    )


def _print_sum(column: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if column not in columns:
        raise click.ClickException(
            say(
                "The chart has no column {column}. It shows {columns}. Name one of these.",
                column=column,
                columns=", ".join(columns),
            )
        )
    values = [row[columns.index(column)] for row in rows]
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers and any(value is not None for value in values):
        raise click.ClickException(
            say("{column} holds no numbers and cannot be added up. Name a column of numbers.", column=column)
        )
    click.echo(say("Sum of {column}: {sum}", column=column, sum=round(sum(numbers), 6)))


def _print_failure(reason: str, sent: Sequence[tuple[str, str]], answer: str) -> None:
    click.echo(say("The chart is empty. {reason}", reason=reason))
    if sent:
        click.echo(say("Sent, beside the settings of the source:"))
        for key, value in sent:
            click.echo(f"  {key}={value}")
    if answer:
        click.echo(say("Answer: {answer}", answer=answer))
