"""Findings of a diagnosis about a dataset's columns, their types and the data. Data."""

from __future__ import annotations

from bi_mcp.base.advice import AdviceKind
from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

_FIRST_ROW = text(
    "Return the columns' codes in the first row, and the values in the same order in the other rows."
)

# Answers

NO_ANSWER = Kind(
    "no_answer",
    "error",
    "connector",
    text("It gave no usable answer: {reason}."),
    AdviceKind.CHECK_ENDPOINT,
    "Checks that need this answer were left out, and charts get no data from it either.",
)
NO_HEADER = Kind(
    "no_header",
    "error",
    "connector",
    text("The first row is not a list of codes."),
    _FIRST_ROW,
    "Bitrix24 uses the first row as the header, so every column stays empty.",
    effect="no data",
)
HEADER_UNKNOWN = Kind(
    "header_unknown",
    "error",
    "connector",
    text("It contains none of the table's codes: {codes}."),
    _FIRST_ROW,
    "Every column stays empty. Often the header is missing and this is the first row of values.",
    effect="no data",
)
HEADER_MISPLACED = Kind(
    "header_misplaced",
    "error",
    "connector",
    text(
        "Its codes are in a different order than the values: the values are in the order of select and fit the columns' types only in that order. Every column shows the values of another one."
    ),
    text("Build the header and the rows from one list of columns. The dataset's columns need no change."),
    effect="wrong",
)
SELECTED_MISSING = Kind(
    "selected_missing",
    "error",
    "connector",
    text("Columns are missing, although select asked for them: {codes}."),
    text("Return every column."),
    "These columns stay empty in every chart.",
    effect="no values",
)
DESCRIBED_MISSING = Kind(
    "described_missing",
    "error",
    "connector",
    text("Columns are missing, although urlTableDescription lists them: {codes}."),
    text("Return every column."),
    "These columns stay empty in every chart.",
    effect="no values",
)
NOT_SELECTED = Kind(
    "not_selected",
    "warning",
    "connector",
    text("It contains columns that select did not ask for: {codes}."),
    text("Return only the columns of select."),
    "They are transferred and discarded with every query.",
)
NOT_DESCRIBED = Kind(
    "not_described",
    "warning",
    "connector",
    text("It contains columns that urlTableDescription does not list: {codes}."),
    text("List each column in urlTableDescription."),
    "They cannot be added to a dataset.",
)
CODES_REPEATED = Kind(
    "codes_repeated",
    "error",
    "connector",
    text("Codes occur more than once: {codes}."),
    text("Return each column once."),
    "One of the two columns is lost.",
)
OTHER_ORDER = Kind(
    "other_order",
    "warning",
    "connector",
    text("Its columns are in a different order than in select."),
    text("Return the columns in the order of select."),
    "It works as long as the values are in the order of the header.",
)
NO_ROWS = Kind(
    "no_rows",
    "note",
    "connector",
    text("There are no rows, so values could not be checked."),
    text("Check whether the table should be empty."),
    "A chart of it is empty. The login may see no rows, or the table holds none.",
)
ROWS_UNEVEN = Kind(
    "rows_uneven",
    "error",
    "connector",
    text(
        "{count} of {rows} rows do not have as many values as the header ({width}): {first}. Their values end up in the wrong columns."
    ),
    text("Return a value for each column in each row, null where there is none."),
    effect="wrong",
)

# The table

TABLE_GONE = Kind(
    "table_gone",
    "error",
    "connector",
    text(
        "The connector no longer lists the table {table!r} and returns nothing for it, so the dataset gets no data."
    ),
    text(
        "Bring the table back in the external system, or let the connector and the source's login see it again."
    ),
    "It was renamed or deleted, or the login may no longer see it. The finding names listed tables that are similar.",
    effect="no data",
)
NO_TABLE_LISTED = TABLE_GONE._replace(
    code="no_table_listed",
    what=text(
        "The connector no longer lists any tables and returns nothing for {table!r}, so the dataset gets no data."
    ),
    means="Often the source's login has lost its rights.",
)

# Columns

NO_COLUMNS_OUTSIDE = Kind(
    "no_columns_outside",
    "error",
    "connector",
    text("It describes no columns for the table."),
    text("Return the table's columns; check whether the table still exists."),
    "Often the table was renamed or deleted in the external system.",
)
ANOTHER_TABLE = Kind(
    "another_table",
    "error",
    "either",
    text("The external table no longer has any of the {columns} columns; it has {codes}."),
    AdviceKind.PROPOSE_DATASET,
    "Every chart of the dataset is empty.",
    effect="no data",
)
COLUMN_VANISHED = Kind(
    "column_vanished",
    "error",
    "either",
    text(
        "The external column is gone: urlTableDescription does not list its code. Charts that use it get no values."
    ),
    text("Bring the column back in the external system, or delete it here. {warning}"),
    effect="no values",
)
COLUMN_VANISHED_FROM_DATA = COLUMN_VANISHED._replace(
    code="column_vanished_from_data",
    what=text(
        "The external column is gone: the header of urlData does not contain its code. Charts that use it get no values."
    ),
    means="As `column_vanished`, where `urlTableDescription` gave no answer.",
)
HIDDEN_COLUMN_VANISHED = COLUMN_VANISHED._replace(
    code="hidden_column_vanished",
    level="note",
    effect=None,
    means="As `column_vanished`, of a column that is hidden: no chart can use it anyway.",
)
HIDDEN_COLUMN_VANISHED_FROM_DATA = COLUMN_VANISHED_FROM_DATA._replace(
    code="hidden_column_vanished_from_data",
    level="note",
    effect=None,
    means="As `column_vanished_from_data`, of a column that is hidden.",
)
COLUMN_RENAMED = Kind(
    "column_renamed",
    "error",
    "either",
    text("The external column is now called {code!r}: {reasons}."),
    AdviceKind.REPLACE_CODE,
    "The column stays empty. Its new code differs in case or signs only, or its label or the column's name says that it is the same.",
    effect="no values",
    first="you",
)
COLUMN_RENAMED_PROBABLY = COLUMN_RENAMED._replace(
    code="column_renamed_probably",
    what=text("The external column is gone; {code!r} is new and probably its new name: {reasons}."),
    means="As `column_renamed`: the new name is like the old one, and the column kept its place.",
)
COLUMN_RENAMED_PERHAPS = COLUMN_RENAMED._replace(
    code="column_renamed_perhaps",
    what=text(
        "The external column is gone; {codes} may be its new name: {reasons}. That is not enough to be sure."
    ),
    fix=AdviceKind.LOOK_AT_RENAMED,
    means="No call is offered: another column under the old name would show wrong numbers without a sign of it.",
    first="connector operator",
)
COLUMNS_NEW = Kind(
    "columns_new",
    "note",
    "setup",
    text("The external table has columns that the dataset lacks: {codes}."),
    AdviceKind.ADD_WANTED,
    "Nothing is broken: a dataset need not have every column.",
)
COLUMNS_HIDDEN = Kind(
    "columns_hidden",
    "note",
    "setup",
    text("Hidden, so charts cannot use them: {names}."),
    text("If charts need them, show them."),
)
CODE_DOUBLED = Kind(
    "code_doubled",
    "error",
    "connector",
    text("The code {code!r} occurs more than once; Bitrix24 cannot distinguish the columns."),
    text("Give each column a code of its own in the connector."),
)
CODES_ALIKE = Kind(
    "codes_alike",
    "warning",
    "connector",
    text("Codes that are easily confused: {codes}."),
    text("Rename one of them in the external system, so that charts do not use the wrong one."),
    "They differ in case, in signs, or in letters that only look the same.",
)

# Types and values

VALUES_UNFIT = Kind(
    "values_unfit",
    "warning",
    "either",
    text("{count} of {filled} values are not of the type {declared}: {offences}."),
    text("Let the connector return {expected}."),
    "These values are lost: sums, periods and filters leave them out.",
    effect="some values",
)
TYPE_UNFIT = VALUES_UNFIT._replace(
    code="type_unfit",
    level="error",
    effect="no values",
    means="Not one value is of the column's type: the column stays empty.",
)
TYPE_DIFFERS = Kind(
    "type_differs",
    "warning",
    "either",
    text("The column's type is {ours} here and {theirs} in urlTableDescription."),
    AdviceKind.REPLACE_TYPE,
    "As a string a number cannot be summed, and a date has no periods.",
    first="you",
)
TYPE_MISDESCRIBED = TYPE_DIFFERS._replace(
    code="type_misdescribed",
    side="connector",
    what=text("{what} The values are {ours}, so the description is wrong: {format}."),
    fix=text("Let urlTableDescription return {ours} for this column."),
    means="The column on the portal is right. A dataset that is created from the description would be wrong.",
)
TYPE_TOO_WIDE = TYPE_MISDESCRIBED._replace(
    code="type_too_wide",
    level="note",
    what=text(
        "{what} The values are {ours}, so the type here is the better one: as text they would lose sums or periods."
    ),
)
TYPE_UNKNOWN = Kind(
    "type_unknown",
    "note",
    "connector",
    text("urlTableDescription gives the type {type!r}, which Bitrix24 does not know and treats as string."),
    text("Let the connector return one of {types}, in lower case."),
    "New datasets get a string there: no sums, no periods.",
)
COLUMN_EMPTY = Kind(
    "column_empty",
    "note",
    "connector",
    text("Empty in all {rows} rows of the sample."),
    text("Check whether the connector fills it; if it never will, delete or hide the column."),
    "A chart of it shows nothing.",
    effect="no values",
)
VALUES_MIXED = Kind(
    "values_mixed",
    "note",
    "connector",
    text("Values of mixed kinds: {kinds}."),
    text("Filters and sorting treat all of them as text. Let the connector return one kind."),
)
LETTERS_BROKEN = Kind(
    "letters_broken",
    "warning",
    "connector",
    text(
        'Letters are broken in {count} of {rows} values, such as "{value}": UTF-8 was read as another encoding.'
    ),
    text("Let the connector read its database or files as UTF-8."),
    effect="letters",
)
