"""Whether an answer of `urlData` can be read at all: its header, and rows that are as long as it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bi_mcp.diagnostics.external import Sample, repeated
from bi_mcp.diagnostics.finding import Finding, Level
from bi_mcp.diagnostics.values import MAX_OFFENCES, listed
from bi_mcp.language import say, text
from bi_mcp.rest.models import Column

HEADER = text("header of urlData")


def check_shape(
    sample: Sample, columns: Sequence[Column], described: Sequence[str], *, maps: bool
) -> list[Finding]:
    """`described` are the codes of `urlTableDescription`, empty when it did not answer. `maps`: the connector promises to
    heed `mapFields`; others may answer codes or names.
    """
    if not sample.header:
        return [_finding("error", say("The first row is no list of codes."), say(_FIRST_ROW))]
    known = {column.external_code for column in columns} | set(described)
    if known.isdisjoint(sample.codes):
        return [_unknown_header(sample, columns)]
    return [
        *(_check_mapping(sample) if maps else ()),
        *_check_header(sample, described),
        *_check_rows(sample),
    ]


_FIRST_ROW = text("Let the first row hold the columns' codes and the others the values in that order.")


def _finding(level: Level, what: str, fix: str, where: str = HEADER) -> Finding:
    return Finding(level=level, where=say(where), what=what, fix=fix)


def _unknown_header(sample: Sample, columns: Sequence[Column]) -> Finding:
    names = {column.name for column in columns}
    if names & set(sample.header):
        return _finding(
            "error",
            say(
                "It holds the names of the dataset's columns, which nobody asked to map: {names}.",
                names=listed(sample.header),
            ),
            say("Answer codes unless mapFields asks for names."),
        )
    return _finding(
        "error",
        say("None of it is a code of the table: {codes}.", codes=listed(sample.header)),
        say(_FIRST_ROW),
    )


def _check_mapping(sample: Sample) -> Iterator[Finding]:
    header = set(sample.header)
    ignored = [
        code for code, name in sample.mapped.items() if code != name and code in header and name not in header
    ]
    if ignored:
        yield _finding(
            "error",
            say(
                "mapFields is ignored: it holds the codes, not the names asked for: {codes}.",
                codes=listed(ignored),
            ),
            say("Answer the names that mapFields gives, or switch supportMapping of the connector off."),
        )


def _check_header(sample: Sample, described: Sequence[str]) -> Iterator[Finding]:
    codes, selected = sample.codes, list(sample.selected)
    wanted = [code for code in described if code in selected] if selected else list(described)
    missing = [code for code in wanted if code not in codes]
    unasked = [code for code in codes if code not in (selected or described)] if selected or described else []
    doubled = repeated(codes)
    if missing:
        what = (
            text("Columns are missing, though select asked for them: {codes}.")
            if selected
            else text("Columns are missing, though urlTableDescription names them: {codes}.")
        )
        yield _finding("error", say(what, codes=listed(missing)), say("Answer each column."))
    if unasked:
        yield _unasked(unasked, bool(selected))
    if doubled:
        yield _finding(
            "error",
            say("Codes stand there more than once: {codes}.", codes=listed(doubled)),
            say("Answer each column once."),
        )
    if sorted(codes) == sorted(selected) and codes != selected:
        yield _finding(
            "warning",
            say("Its columns are in another order than those of select."),
            say("Answer the columns in the order of select."),
        )


def _unasked(codes: Sequence[str], selected: bool) -> Finding:
    if selected:
        return _finding(
            "warning",
            say("It holds columns that select did not ask for: {codes}.", codes=listed(codes)),
            say("Answer only the columns of select."),
        )
    return _finding(
        "warning",
        say("It holds columns that urlTableDescription does not name: {codes}.", codes=listed(codes)),
        say("Name each column in urlTableDescription."),
    )


def _check_rows(sample: Sample) -> Iterator[Finding]:
    if not sample.rows:
        yield _finding(
            "note",
            say("There are no rows, so values could not be checked."),
            say("Look whether it should be empty."),
            "urlData",
        )
    width = len(sample.header)
    ragged = [(number, len(row)) for number, row in enumerate(sample.rows, 1) if len(row) != width]
    if ragged:
        first = ", ".join(
            say("row {row} has {length}", row=row, length=length) for row, length in ragged[:MAX_OFFENCES]
        )
        yield _finding(
            "error",
            say(
                "{count} of {rows} rows are not as long as the header ({width}): {first}. Their values land in wrong columns.",
                count=len(ragged),
                rows=len(sample.rows),
                width=width,
                first=first,
            ),
            say("Answer a value for each column in each row, null where there is none."),
            "urlData",
        )
