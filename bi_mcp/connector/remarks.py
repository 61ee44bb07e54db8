"""What sources say about themselves beside their data: what was guessed, and what is not served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.connector.refusal import NothingServedError, RefusalError
from bi_mcp.connector.source import RemarkingSource, Source
from bi_mcp.connector.unknown_names import UnknownName


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
    if not isinstance(source, RemarkingSource):
        return SourceRemarks(served=list(source.tables()))
    of_tables: dict[str, Sequence[str]] = {}
    unserved: dict[str, str] = {}
    for table in source.tables():
        try:
            found = _find(source, table)
        except NothingServedError as error:
            unserved[table] = error.cause
            continue
        if found:
            of_tables[table] = found
    # Only now: a file that cannot be read is found when its table is asked for.
    whole = source.left_out_tables()
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


def find_unknown_names(source: Source) -> Sequence[UnknownName]:
    """Ask a source which names of its options it has not. Raises RefusalError if it does not answer."""
    return source.unknown_names() if isinstance(source, RemarkingSource) else ()


def _find(source: RemarkingSource, table: str) -> list[str]:
    try:
        columns = source.left_out(table)
        return [
            *source.notes(table),
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
