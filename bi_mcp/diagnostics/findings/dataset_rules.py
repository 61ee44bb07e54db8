"""Findings of a diagnosis about a dataset's columns, their types and the data. Data."""

from __future__ import annotations

from bi_mcp.base.advice import AdviceKind
from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

_FIRST_ROW = text("Let the first row hold the columns' codes and the others the values in that order.")

# Answers

NO_ANSWER = Kind(
    "no_answer",
    "error",
    "connector",
    text("It gave no usable answer: {reason}."),
    AdviceKind.CHECK_ENDPOINT,
    "What rests on this answer could not be checked, and charts get nothing from it either.",
)
NO_HEADER = Kind(
    "no_header",
    "error",
    "connector",
    text("The first row is no list of codes."),
    _FIRST_ROW,
    "Bitrix24 takes the first row for the header, so every column stays empty.",
)
HEADER_UNKNOWN = Kind(
    "header_unknown",
    "error",
    "connector",
    text("None of it is a code of the table: {codes}."),
    _FIRST_ROW,
    "Every column stays empty. Often the header is missing and this is the first row of values.",
)
HEADER_MISPLACED = Kind(
    "header_misplaced",
    "error",
    "connector",
    text(
        "Its codes are in another order than the values: these are in the order of select, and suit the columns' types only so. Every column shows the values of another one."
    ),
    text("Build the header and the rows from one list of columns. No column has to be changed here."),
)
SELECTED_MISSING = Kind(
    "selected_missing",
    "error",
    "connector",
    text("Columns are missing, though select asked for them: {codes}."),
    text("Answer each column."),
    "These columns stay empty in every chart.",
)
DESCRIBED_MISSING = Kind(
    "described_missing",
    "error",
    "connector",
    text("Columns are missing, though urlTableDescription names them: {codes}."),
    text("Answer each column."),
    "These columns stay empty in every chart.",
)
NOT_SELECTED = Kind(
    "not_selected",
    "warning",
    "connector",
    text("It holds columns that select did not ask for: {codes}."),
    text("Answer only the columns of select."),
    "They are transferred and thrown away with every query.",
)
NOT_DESCRIBED = Kind(
    "not_described",
    "warning",
    "connector",
    text("It holds columns that urlTableDescription does not name: {codes}."),
    text("Name each column in urlTableDescription."),
    "Nobody can add them to a dataset.",
)
CODES_REPEATED = Kind(
    "codes_repeated",
    "error",
    "connector",
    text("Codes stand there more than once: {codes}."),
    text("Answer each column once."),
    "One of the two columns is lost.",
)
OTHER_ORDER = Kind(
    "other_order",
    "warning",
    "connector",
    text("Its columns are in another order than those of select."),
    text("Answer the columns in the order of select."),
    "It works as long as the values stand in the order of the header.",
)
NO_ROWS = Kind(
    "no_rows",
    "note",
    "connector",
    text("There are no rows, so values could not be checked."),
    text("Look whether it should be empty."),
    "A chart of it is empty. The login may see no rows, or the table holds none.",
)
ROWS_UNEVEN = Kind(
    "rows_uneven",
    "error",
    "connector",
    text(
        "{count} of {rows} rows are not as long as the header ({width}): {first}. Their values land in wrong columns."
    ),
    text("Answer a value for each column in each row, null where there is none."),
)

# The table

TABLE_GONE = Kind(
    "table_gone",
    "error",
    "connector",
    text(
        "The table {table!r} is no longer among the connector's tables, and nothing is answered for it: the dataset gets no data."
    ),
    text(
        "Bring the table back in the external system, or let the connector and the source's login see it again."
    ),
    "It was renamed or deleted, or the login may not see it any more. Listed tables that are called alike are named.",
)
NO_TABLE_LISTED = TABLE_GONE._replace(
    code="no_table_listed",
    what=text(
        "The connector lists no tables any more and answers nothing for {table!r}: the dataset gets no data."
    ),
    means="Often the source's login has lost its rights.",
)

# Columns

NO_COLUMNS_OUTSIDE = Kind(
    "no_columns_outside",
    "error",
    "connector",
    text("It names no columns for the table."),
    text("Let it answer the table's columns; look whether the table is still there."),
    "Often the table was renamed or deleted in the external system.",
)
ANOTHER_TABLE = Kind(
    "another_table",
    "error",
    "either",
    text("None of the {columns} columns is outside any more; there are {codes}."),
    AdviceKind.PROPOSE_DATASET,
    "Every chart of the dataset is empty.",
)
COLUMN_VANISHED = Kind(
    "column_vanished",
    "error",
    "either",
    text(
        "The column is no longer outside: urlTableDescription does not name its code. Charts that use it get no values."
    ),
    text("Bring the column back in the external system, or delete it here. {warning}"),
)
COLUMN_VANISHED_FROM_DATA = COLUMN_VANISHED._replace(
    code="column_vanished_from_data",
    what=text(
        "The column is no longer outside: the header of urlData does not name its code. Charts that use it get no values."
    ),
    means="As `column_vanished`, where `urlTableDescription` gave no answer.",
)
HIDDEN_COLUMN_VANISHED = COLUMN_VANISHED._replace(
    code="hidden_column_vanished",
    level="note",
    means="As `column_vanished`, of a column that is hidden: no chart can use it anyway.",
)
HIDDEN_COLUMN_VANISHED_FROM_DATA = COLUMN_VANISHED_FROM_DATA._replace(
    code="hidden_column_vanished_from_data",
    level="note",
    means="As `column_vanished_from_data`, of a column that is hidden.",
)
COLUMN_RENAMED = Kind(
    "column_renamed",
    "error",
    "either",
    text("{difference}: {code!r}. Codes are compared letter by letter."),
    AdviceKind.REPLACE_CODE,
    "The column stays empty. Its new name outside differs in capital letters, in signs, or is only similar.",
)
COLUMNS_NEW = Kind(
    "columns_new",
    "note",
    "setup",
    text("Outside there are columns that the dataset lacks: {codes}."),
    AdviceKind.ADD_WANTED,
    "Nothing is broken: a dataset need not have every column.",
)
COLUMNS_HIDDEN = Kind(
    "columns_hidden",
    "note",
    "setup",
    text("Hidden, so charts cannot use them: {names}."),
    text("If that is not wanted, show them."),
)
CODE_DOUBLED = Kind(
    "code_doubled",
    "error",
    "connector",
    text("The code {code!r} is there more than once; Bitrix24 cannot tell the columns apart."),
    text("Give each column a code of its own in the connector."),
)
CODES_ALIKE = Kind(
    "codes_alike",
    "warning",
    "connector",
    text("Codes that people take for the same: {codes}."),
    text("Rename one of them outside, so that nobody charts the wrong one."),
    "They differ in capital letters, signs, or letters that only look the same.",
)

# Types and values

VALUES_UNFIT = Kind(
    "values_unfit",
    "warning",
    "either",
    text("{count} of {filled} values are no {declared}: {offences}."),
    text("Let the connector answer {expected}."),
    "These values are lost: sums, periods and filters leave them out.",
)
TYPE_UNFIT = VALUES_UNFIT._replace(
    code="type_unfit",
    level="error",
    means="Not one value is of the column's type: the column stays empty.",
)
TYPE_DIFFERS = Kind(
    "type_differs",
    "warning",
    "either",
    text("The column is {ours} here and {theirs} in urlTableDescription."),
    AdviceKind.REPLACE_TYPE,
    "As a string a number cannot be summed, and a date has no periods.",
)
TYPE_MISDESCRIBED = TYPE_DIFFERS._replace(
    code="type_misdescribed",
    side="connector",
    what=text("{what} The values are {ours}, so the description is wrong: {format}."),
    fix=text("Let urlTableDescription answer {ours} for this column."),
    means="The column on the portal is right. A dataset that is made of the description would be wrong.",
)
TYPE_UNKNOWN = Kind(
    "type_unknown",
    "note",
    "connector",
    text("urlTableDescription calls its type {type!r}, which Bitrix24 does not know and takes for string."),
    text("Let the connector answer one of {types}, in small letters."),
    "New datasets get a string there: no sums, no periods.",
)
COLUMN_EMPTY = Kind(
    "column_empty",
    "note",
    "connector",
    text("Empty in all {rows} rows of the sample."),
    text("Look whether the connector fills it; if it never will, delete or hide the column."),
    "A chart of it shows nothing.",
)
VALUES_MIXED = Kind(
    "values_mixed",
    "note",
    "connector",
    text("Values of mixed kinds: {kinds}."),
    text("Filters and sorting treat all of them as text. Let the connector answer one kind."),
)
LETTERS_BROKEN = Kind(
    "letters_broken",
    "warning",
    "connector",
    text(
        'Letters are broken in {count} of {rows} values, such as "{value}": UTF-8 was read as another encoding.'
    ),
    text("Let the connector read its database or files as UTF-8."),
)
