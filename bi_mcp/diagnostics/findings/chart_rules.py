"""Findings of a connector's check about the questions that charts ask. Data."""

from __future__ import annotations

from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

_GUIDE = text('The guide "Write a connector" has a table of everything that Bitrix24 sends.')

NAMES_UNKNOWN = Kind(
    "names_unknown",
    "error",
    "connector",
    text(
        "{way}, columns are not found by their names in the dataset. Sent: {sent}. It answered: {reply}. Every chart on such a dataset stays empty."
    ),
    text(
        "Announce codes that are legal column names (capital Latin letters, digits and _), so that code and name never differ; or find the column through mapFields, and without mapFields by its code, ignoring case."
    ),
    "Bitrix24 asks by the names of the dataset's columns, not by their external codes.",
    effect="no data",
)
NAMES_UNKNOWN_ELSEWHERE = Kind(
    "names_unknown_elsewhere",
    "warning",
    "connector",
    text(
        "{way}, columns are not found by their names in the dataset. This portal asks in another way; on a portal that asks in this way, every chart stays empty. Sent: {sent}. It answered: {reply}."
    ),
    text(
        "Find columns through mapFields, and without mapFields by the code, ignoring case; or announce codes that are legal column names."
    ),
)
MAPPING_IGNORED = Kind(
    "mapping_ignored",
    "warning",
    "connector",
    text(
        "mapFields is ignored: a column whose name in the dataset differs from its code is not found. Sent: {sent}. It answered: {reply}. Charts with such a column stay empty."
    ),
    text("Find columns by the names that mapFields gives, or name every column of a dataset like its code."),
    "Columns of a dataset that are named like their codes still work.",
)
FILTER_IGNORED = Kind(
    "filter_ignored",
    "error",
    "connector",
    text(
        "filter is ignored. Sent: {sent}. It answered {reply}. Charts with a filter or a date range show too much."
    ),
    text("Return only the rows that satisfy filter."),
)
FILTER_REFUSED = Kind(
    "filter_refused",
    "error",
    "connector",
    text(
        "It fails if a filter is given. Sent: {sent}. It answered: {reply}. Charts with a filter stay empty."
    ),
    _GUIDE,
)
LISTS_REFUSED = Kind(
    "value_lists_refused",
    "error",
    "connector",
    text(
        'Lists of values are not understood, although Bitrix24 sends the values of "is one of" and of most other conditions as a list, even a single value. Sent: {sent}. It answered: {reply}. Charts with such a filter stay empty or show wrong rows.'
    ),
    text('Treat a list of values as "any of these": filter[0][0][=CODE][0]=a, filter[0][0][=CODE][1]=b.'),
)
GROUPS_REFUSED = Kind(
    "groups_refused",
    "error",
    "connector",
    text(
        "Numbered groups of conditions are not understood, although Bitrix24 puts each condition of a chart into one. Sent: {sent}. It answered: {reply}. Charts with a filter stay empty or show wrong rows."
    ),
    text("Join the numbered members of a group by its LOGIC (OR), and the groups themselves by AND."),
)
DATE_RANGE_REFUSED = Kind(
    "date_range_refused",
    "error",
    "connector",
    text(
        "A date range is refused, on columns of the type {types}. {formats}Sent: {sent}. It answered: {reply}. A chart or a dashboard with a date range stays empty."
    ),
    text(
        "Support >= and <= on time columns, with dates in the portal's own format such as 31.12.2025 and 31.12.2025 23:59:59."
    ),
    "Almost every dashboard has a date range.",
    effect="dates",
)
DATE_FORMAT_REFUSED = Kind(
    "date_format_refused",
    "warning",
    "connector",
    text(
        "Dates in ISO format are refused, on columns of the type {types}. Sent: {sent}. It answered: {reply}. On a portal that writes dates in this format, a chart with a date range stays empty."
    ),
    text("Read dates in every format that portals use, ISO included."),
)
DATE_FORMAT_MISREAD = Kind(
    "date_format_misread",
    "error",
    "connector",
    text(
        "Dates in the portal's format are misread, on columns of the type {types}, perhaps with day and month swapped: the same range in ISO format finds the right rows. Sent: {sent}. It answered {reply}. A chart with a date range shows wrong rows."
    ),
    text(
        "Read dates in the portal's format; where day and month are ambiguous, add a setting to the connector."
    ),
    effect="wrong",
)
OPERATOR_REFUSED = Kind(
    "operator_refused",
    "warning",
    "connector",
    text(
        "Conditions that a chart may have are refused: {shapes}. Sent, for example: {sent}. It answered: {reply}. A chart with such a condition may stay empty."
    ),
    _GUIDE,
    "Which conditions Bitrix24 hands down to the connector and which it applies itself may change with any release.",
)
OPERATOR_WRONG_ROWS = Kind(
    "operator_wrong_rows",
    "error",
    "connector",
    text(
        "Conditions that a chart may have are answered with wrong rows: {shapes}. Sent, for example: {sent}. It answered {reply}. A chart with such a condition shows wrong numbers."
    ),
    _GUIDE,
    "The chart is drawn, so the error goes unnoticed.",
)
NOT_EVERYTHING_ASKED = Kind(
    "not_everything_asked",
    "note",
    "nobody",
    text("The check stopped after {asked} calls of urlData. These conditions were not tried: {shapes}."),
    text("Repair the other findings first, then check again."),
)
DATES_TOO_EARLY = Kind(
    "dates_too_early",
    "warning",
    "connector",
    text(
        "Column {column} holds dates at or before 1900-01-01: {count} of {filled} sampled values, such as {value}. The engine behind BI Builder breaks on such dates, and charts of the column fail."
    ),
    text("Return null instead of such a date, or replace it with a later one."),
    "Systems such as 1C write 0001-01-01 where a date is missing.",
    effect="no values",
)
REPLACEMENT_CHARACTERS = Kind(
    "replacement_characters",
    "warning",
    "connector",
    text(
        "Column {column} holds the replacement character U+FFFD: {count} of {filled} sampled values, such as {value}. Letters were lost on the way, and no filter finds the real words."
    ),
    text("Decode the data in its real encoding, such as cp1251, before answering in UTF-8."),
    "The service decodes a legacy encoding as UTF-8.",
)
CODE_AND_NAME_DIFFER = Kind(
    "code_and_name_differ",
    "error",
    "either",
    text(
        "{why} These columns are not found, and every chart on them stays empty: {columns}. Sent: {sent}. It answered: {reply}."
    ),
    text(
        "Name the columns like their codes: delete each and add it again under its code in capital letters. Or let the connector announce codes that are legal names."
    ),
    "The portal asks by names, and the connector cannot know which codes they belong to.",
    effect="no values",
    first="you",
)
CHART_FAILS = Kind(
    "chart_fails",
    "error",
    "connector",
    text(
        "A chart with {question} gets no data. Sent: {sent}. It answered: {reply}. The chart stays empty, and Bitrix24 shows no reason."
    ),
    text("A check of the connector names each kind of condition that it does not understand."),
    effect="conditions",
)
CHART_SHOWS_WRONG_ROWS = Kind(
    "chart_shows_wrong_rows",
    "error",
    "connector",
    text(
        "A chart with {question} gets wrong rows. Sent: {sent}. It answered {reply}. The chart shows wrong numbers."
    ),
    text("A check of the connector names each kind of condition that it does not understand."),
    effect="wrong",
)
