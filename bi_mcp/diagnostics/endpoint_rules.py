"""What each failure and each broken rule of an endpoint means in Bitrix24, and how to mend it. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bi_mcp.diagnostics.finding import Level
from bi_mcp.endpoints.answers import Rule
from bi_mcp.errors import BiMcpError, EndpointError, EndpointReason
from bi_mcp.language import say, text

ENDPOINTS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")


class Meaning(NamedTuple):
    """`what` for broken rules only: a failure's own text says what happened."""

    level: Level
    why: str
    fix: str
    what: str = ""


# What the user of Bitrix24 meets when an endpoint gives no usable answer.
CONSEQUENCES: Mapping[str, str] = {
    "urlCheck": text("Bitrix24 then creates no source and no dataset, and saves no change of a source."),
    "urlTableList": text("Bitrix24 then shows no tables to choose from."),
    "urlTableDescription": text("Bitrix24 then cannot create a dataset of the table."),
    "urlData": text("Charts then stay empty, and Bitrix24 reports nothing."),
}

FAILURES: Mapping[EndpointReason, str] = {
    "bad_address": text("Give the connector an address such as https://host/path."),
    "refused_address": text(
        "Move the endpoint to a public address, or allow private addresses while it is under development."
    ),
    "bad_request": text("Write the table's code and the settings as plain text."),
    "unresolved": text("Correct the host in the connector, or add its DNS record."),
    "unreachable": text("Start the service, open its port to the internet, and look into its log."),
    "tls": text("Serve the whole chain of a valid certificate for this host."),
    "timeout": text("Make the endpoint answer sooner: fewer columns, an index, an answer sent row by row."),
    "redirect": text("Write the final address into the connector, a slash at the end included."),
    "denied": text(
        "Check the values of the settings, the password first: the service does not accept them. Where they are right, its log says why."
    ),
    "not_found": text(
        "Check the address in the connector. Where only one table is answered so, it is gone or spelt otherwise: list the tables."
    ),
    "status": text("Answer a POST with HTTP 200; the service's log says why it did not."),
    "empty": text('Answer with a body of at least one character, such as {{"status": "ok"}}.'),
    "encoding": text("Send the body uncompressed; nobody asked for a compressed one."),
    "too_large": text("Answer with one JSON array of short elements."),
    "not_json": text(
        "Answer with JSON in UTF-8, without a byte order mark and with nothing before or after it."
    ),
}


def consequence(endpoint: str) -> str:
    """What the user of Bitrix24 meets, as a sentence."""
    return say(CONSEQUENCES[endpoint])


def remedy(reason: EndpointReason) -> str:
    """How to mend a failure, as a sentence."""
    return say(FAILURES[reason])


def advised(error: BiMcpError) -> str:
    """The text of an error; of an endpoint's answer it says only what was, and how to mend it is added."""
    if isinstance(error, EndpointError) and error.status is not None:
        return f"{error} {remedy(error.reason)}"
    return str(error)


_CODES_MATCH = text("Answer the codes of urlTableDescription in the first row, in the spelling used there.")

BREACHES: Mapping[Rule, Meaning] = {
    "not_array": Meaning(
        "error",
        text("Bitrix24 reads nothing else."),
        text("Answer with the array itself, not with an object around it."),
        text("The answer is no JSON array"),
    ),
    "empty_array": Meaning(
        "error",
        text("A table without columns is an error in Bitrix24."),
        text("Describe at least one column."),
        text("The array is empty"),
    ),
    "element_not_object": Meaning(
        "error",
        text("Bitrix24 reads the keys of an object."),
        text("Make each element an object."),
        text("An element is no JSON object"),
    ),
    "empty_code": Meaning(
        "error",
        text("Bitrix24 refuses the whole answer."),
        text("Give every element a code that is not empty."),
        text("A code is empty or missing"),
    ),
    "empty_title": Meaning(
        "error",
        text("Bitrix24 refuses the whole answer."),
        text("Give every table a title; its code will do."),
        text("A title is empty or missing"),
    ),
    "empty_name": Meaning(
        "error",
        text("Bitrix24 refuses the whole answer."),
        text("Give every column a name; its code will do."),
        text("A name is empty or missing"),
    ),
    "empty_type": Meaning(
        "error",
        text("Bitrix24 refuses the whole answer."),
        text("Give every column a type."),
        text("A type is empty or missing"),
    ),
    "not_text": Meaning(
        "note",
        text("Bitrix24 turns it into text, which may differ from what the endpoint expects back."),
        text("Answer it as a JSON string."),
        text("A number stands where a text belongs"),
    ),
    "duplicate_code": Meaning(
        "error",
        text("Bitrix24 cannot tell the two apart and keeps one."),
        text("Make the codes unique."),
        text("A code occurs twice"),
    ),
    "unknown_type": Meaning(
        "warning",
        text("Bitrix24 treats the column as a string: no sums, no periods."),
        text("Use int, string, double, date or datetime, in lower case."),
        text("A type is unknown"),
    ),
    "header_missing": Meaning(
        "error",
        text("Bitrix24 takes the first row for the header, so every column stays empty and one row is lost."),
        _CODES_MATCH,
        text("The first row is no header"),
    ),
    "header_not_text": Meaning(
        "error",
        text("The column below it cannot be found."),
        _CODES_MATCH,
        text("The header holds something else than a code"),
    ),
    "header_duplicate": Meaning(
        "error",
        text("One of the two columns is lost."),
        text("Make the codes unique."),
        text("A code occurs twice in the header"),
    ),
    "column_missing": Meaning(
        "error",
        text("The column stays empty in every chart."),
        _CODES_MATCH,
        text("A column is missing from the header"),
    ),
    "column_unasked": Meaning(
        "warning",
        text("It is transferred and thrown away with every query."),
        text("Answer the columns named in select only."),
        text("The header holds a column that select did not ask for"),
    ),
    "column_order": Meaning(
        "note",
        text("It works as long as values and header agree."),
        text("Answer the columns in the order of select."),
        text("The columns come in another order than in select"),
    ),
    "column_undescribed": Meaning(
        "note",
        text("Bitrix24 cannot use it."),
        text("Describe it in urlTableDescription, or leave it out."),
        text("The header holds a column that urlTableDescription does not describe"),
    ),
    "row_not_array": Meaning(
        "error",
        text("Bitrix24 reads values by their place in the row."),
        text("Make each row an array of values, not an object."),
        text("A row is no JSON array"),
    ),
    "ragged_row": Meaning(
        "error",
        text("Values end up in wrong columns or are lost."),
        text("Answer one value for each column of the header, null where there is none."),
        text("A row has another number of values than the header"),
    ),
    "nested_value": Meaning(
        "error",
        text("A cell holds one value, not an array or an object."),
        text("Answer text, a number, true, false or null."),
        text("A value is an array or an object"),
    ),
    "limit_ignored": Meaning(
        "warning",
        text("Every preview then transfers the whole table, and large ones run into the time limit."),
        text("Stop after `limit` rows when it is given."),
        text("More rows came than limit allows"),
    ),
}
