"""What sources say about themselves beside their data: what was guessed, and what is not served.

A source that has something to say has `notes(table)`, sentences, and `left_out(table)`, reasons by column; one of files also has
`left_out()`, reasons by file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from bi_mcp.base.language import say
from bi_mcp.connector.refusal import NothingServedError, RefusalError
from bi_mcp.connector.source import Source


@dataclass(frozen=True)
class SourceRemarks:
    """Sentences about the whole source, and about its tables by their codes. `served` are the tables with something to show."""

    of_source: Sequence[str] = ()
    of_tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    served: Sequence[str] = ()


def find_remarks(source: Source) -> SourceRemarks:
    """Ask a source for all that it has to say. Tables that cannot be asked now have nothing.

    Raises RefusalError if the source does not list its tables.
    """
    notes: Any = getattr(source, "notes", lambda _: ())
    left_out: Any = getattr(source, "left_out", lambda _: {})
    of_tables: dict[str, Sequence[str]] = {}
    unserved: dict[str, str] = {}
    for table in source.tables():
        try:
            found = _find(table, notes, left_out)
        except NothingServedError as error:
            unserved[table] = error.cause
            continue
        if found:
            of_tables[table] = found
    # Only now: a file that cannot be read is found when its table is asked for.
    whole: Mapping[str, str] = left_out() if _is_optional(left_out) else {}
    return SourceRemarks(
        [
            *(
                say("{what} is left out: {reason}", what=name, reason=reason)
                for name, reason in whole.items()
            ),
            *(
                say("table {code} is left out: {reason}", code=code, reason=reason)
                for code, reason in unserved.items()
            ),
        ],
        of_tables,
        # A file that turned out to be damaged is no table any more.
        [table for table in source.tables() if table not in unserved],
    )


def _find(
    table: str,
    notes: Callable[[str], Sequence[str]],
    left_out: Callable[[str], Mapping[str, str]],
) -> list[str]:
    try:
        columns = left_out(table)
        return [
            *notes(table),
            *(
                say("column {column} is left out: {reason}", column=name, reason=reason)
                for name, reason in columns.items()
            ),
        ]
    except NothingServedError:
        raise
    except RefusalError:
        # What is wrong with the whole table is found when it is asked for.
        return []


def _is_optional(told: Callable[..., object]) -> bool:
    return all(parameter.default is not parameter.empty for parameter in signature(told).parameters.values())
