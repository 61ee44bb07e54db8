"""What each failure and each broken rule of an endpoint means in Bitrix24, and how to mend it. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bi_mcp.diagnostics.finding import Level
from bi_mcp.endpoints.answers import Rule
from bi_mcp.errors import EndpointReason

ENDPOINTS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")


class Meaning(NamedTuple):
    """`what` for broken rules only: a failure's own text says what happened."""

    level: Level
    why: str
    fix: str
    what: str = ""


# What the user of Bitrix24 meets when an endpoint gives no usable answer.
CONSEQUENCES: Mapping[str, str] = {
    "urlCheck": "Bitrix24 then creates no source and no dataset, and saves no change of a source.",
    "urlTableList": "Bitrix24 then shows no tables to choose from.",
    "urlTableDescription": "Bitrix24 then cannot create a dataset of the table.",
    "urlData": "Charts then stay empty, and Bitrix24 reports nothing.",
}

FAILURES: Mapping[EndpointReason, str] = {
    "bad_address": "Give the connector an address such as https://host/path.",
    "refused_address": "Move the endpoint to a public address, or allow private addresses while it is under development.",
    "bad_request": "Write the table's code and the settings as plain text.",
    "unresolved": "Correct the host in the connector, or add its DNS record.",
    "unreachable": "Start the service, open its port to the internet, and look into its log.",
    "tls": "Serve the whole chain of a valid certificate for this host.",
    "timeout": "Make the endpoint answer sooner: fewer columns, an index, an answer sent row by row.",
    "redirect": "Write the final address into the connector, a slash at the end included.",
    "status": "Answer a POST with HTTP 200; the service's log says why it did not.",
    "empty": 'Answer with a body of at least one character, such as {"status": "ok"}.',
    "encoding": "Send the body uncompressed; nobody asked for a compressed one.",
    "too_large": "Answer with one JSON array of short elements.",
    "not_json": "Answer with JSON in UTF-8, without a byte order mark and with nothing before or after it.",
}

_CODES_MATCH = "Answer the codes of urlTableDescription in the first row, in the spelling used there."

BREACHES: Mapping[Rule, Meaning] = {
    "not_array": Meaning(
        "error",
        "Bitrix24 reads nothing else.",
        "Answer with the array itself, not with an object around it.",
        "The answer is no JSON array",
    ),
    "empty_array": Meaning(
        "error",
        "A table without columns is an error in Bitrix24.",
        "Describe at least one column.",
        "The array is empty",
    ),
    "element_not_object": Meaning(
        "error",
        "Bitrix24 reads the keys of an object.",
        "Make each element an object.",
        "An element is no JSON object",
    ),
    "empty_code": Meaning(
        "error",
        "Bitrix24 refuses the whole answer.",
        "Give every element a code that is not empty.",
        "A code is empty or missing",
    ),
    "empty_title": Meaning(
        "error",
        "Bitrix24 refuses the whole answer.",
        "Give every table a title; its code will do.",
        "A title is empty or missing",
    ),
    "empty_name": Meaning(
        "error",
        "Bitrix24 refuses the whole answer.",
        "Give every column a name; its code will do.",
        "A name is empty or missing",
    ),
    "empty_type": Meaning(
        "error",
        "Bitrix24 refuses the whole answer.",
        "Give every column a type.",
        "A type is empty or missing",
    ),
    "not_text": Meaning(
        "note",
        "Bitrix24 turns it into text, which may differ from what the endpoint expects back.",
        "Answer it as a JSON string.",
        "A number stands where a text belongs",
    ),
    "duplicate_code": Meaning(
        "error",
        "Bitrix24 cannot tell the two apart and keeps one.",
        "Make the codes unique.",
        "A code occurs twice",
    ),
    "unknown_type": Meaning(
        "warning",
        "Bitrix24 treats the column as a string: no sums, no periods.",
        "Use int, string, double, date or datetime, in lower case.",
        "A type is unknown",
    ),
    "header_missing": Meaning(
        "error",
        "Bitrix24 takes the first row for the header, so every column stays empty and one row is lost.",
        _CODES_MATCH,
        "The first row is no header",
    ),
    "header_not_text": Meaning(
        "error",
        "The column below it cannot be found.",
        _CODES_MATCH,
        "The header holds something else than a code",
    ),
    "header_duplicate": Meaning(
        "error",
        "One of the two columns is lost.",
        "Make the codes unique.",
        "A code occurs twice in the header",
    ),
    "column_missing": Meaning(
        "error",
        "The column stays empty in every chart.",
        _CODES_MATCH,
        "A column is missing from the header",
    ),
    "column_unasked": Meaning(
        "warning",
        "It is transferred and thrown away with every query.",
        "Answer the columns named in select only.",
        "The header holds a column that select did not ask for",
    ),
    "column_order": Meaning(
        "note",
        "It works as long as values and header agree.",
        "Answer the columns in the order of select.",
        "The columns come in another order than in select",
    ),
    "column_undescribed": Meaning(
        "note",
        "Bitrix24 cannot use it.",
        "Describe it in urlTableDescription, or leave it out.",
        "The header holds a column that urlTableDescription does not describe",
    ),
    "row_not_array": Meaning(
        "error",
        "Bitrix24 reads values by their place in the row.",
        "Make each row an array of values, not an object.",
        "A row is no JSON array",
    ),
    "ragged_row": Meaning(
        "error",
        "Values end up in wrong columns or are lost.",
        "Answer one value for each column of the header, null where there is none.",
        "A row has another number of values than the header",
    ),
    "nested_value": Meaning(
        "error",
        "A cell holds one value, not an array or an object.",
        "Answer text, a number, true, false or null.",
        "A value is an array or an object",
    ),
    "limit_ignored": Meaning(
        "warning",
        "Every preview then transfers the whole table, and large ones run into the time limit.",
        "Stop after `limit` rows when it is given.",
        "More rows came than limit allows",
    ),
}
