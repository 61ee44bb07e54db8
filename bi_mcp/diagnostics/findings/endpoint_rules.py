"""The meaning of each failure and each broken rule of an endpoint in Bitrix24, and the repair. Data."""

from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings.finding import Kind, Side
from bi_mcp.endpoints.answers import Rule
from bi_mcp.endpoints.guard import parse_address
from bi_mcp.errors import BiMcpError, EndpointError, EndpointReason, InvalidRequestError

ENDPOINTS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")


def _failure(code: EndpointReason, side: Side, fix: str, means: str) -> Kind:
    """The error itself says what happened."""
    return Kind(code, "error", side, "", fix, means)


# What the user of Bitrix24 meets when an endpoint gives no usable answer.
CONSEQUENCES: Mapping[str, str] = {
    "urlCheck": text("Bitrix24 then creates no source and no dataset, and saves no change of a source."),
    "urlTableList": text("Bitrix24 then shows no tables to choose from."),
    "urlTableDescription": text("Bitrix24 then cannot create a dataset of the table."),
    "urlData": text("Charts then stay empty, and Bitrix24 reports nothing."),
}

FAILURES: Mapping[EndpointReason, Kind] = {
    "bad_address": _failure(
        "bad_address",
        "setup",
        text("Give the connector an address such as https://host/path."),
        "The address is no http or https address, holds a user name, or has a broken host.",
    ),
    "refused_address": _failure(
        "refused_address",
        "either",
        text(
            "Move the endpoint to a public address, or allow private addresses while it is under development."
        ),
        "The host leads into a private network or to this machine. Bitrix24's cloud does not call such addresses either.",
    ),
    "bad_request": _failure(
        "bad_request",
        "setup",
        text("Write the table's code and the settings as plain text."),
        "What would be sent cannot be written as a form: half a Unicode character, or nested too deeply.",
    ),
    "unresolved": _failure(
        "unresolved",
        "either",
        text("Correct the host in the connector, or add its DNS record."),
        "The host has no address in DNS.",
    ),
    "unreachable": _failure(
        "unreachable",
        "connector",
        text("Start the service, open its port to the internet, and look into its log."),
        "Nothing listens there, a firewall is in the way, or the connection broke off.",
    ),
    "tls": _failure(
        "tls",
        "connector",
        text("Serve the whole chain of a valid certificate for this host."),
        "The certificate is not valid for the host, has expired, or lacks a part of its chain.",
    ),
    "timeout": _failure(
        "timeout",
        "connector",
        text("Make the endpoint answer sooner: fewer columns, an index, an answer sent row by row."),
        "No connection within 250 seconds, or no whole answer within 60.",
    ),
    "redirect": _failure(
        "redirect",
        "setup",
        text("Write the final address into the connector, a slash at the end included."),
        "The endpoint sends the caller elsewhere (HTTP 301, 302, 307, 308). Bitrix24 counts only HTTP 200.",
    ),
    "loop": _failure(
        "loop",
        "connector",
        text(
            "Answer the POST itself. A service that redirects to its own address often wants a cookie or a login in a browser first."
        ),
        "The endpoint redirects to its own address, so that nobody ever gets an answer.",
    ),
    "denied": _failure(
        "denied",
        "setup",
        text(
            "Check the values of the settings, the password first: the service does not accept them. Where they are right, its log says why."
        ),
        "HTTP 401 or 403: the service does not accept the values of the source's settings.",
    ),
    "not_found": _failure(
        "not_found",
        "either",
        text(
            "Check the address in the connector. Where only one table is answered so, it is gone or spelt otherwise: list the tables."
        ),
        "HTTP 404: there is nothing at this address, or the table is gone.",
    ),
    "too_often": _failure(
        "too_often",
        "connector",
        text("Allow more calls, or let them wait instead of refusing them."),
        "HTTP 429: the service takes no more calls for now.",
    ),
    "status": _failure(
        "status",
        "connector",
        text("Answer a POST with HTTP 200; the service's log says why it did not."),
        "Any other HTTP status than 200.",
    ),
    "empty": _failure(
        "empty",
        "connector",
        text('Answer with a body of at least one character, such as {{"status": "ok"}}.'),
        "HTTP 200 without a body, from `urlCheck`.",
    ),
    "encoding": _failure(
        "encoding",
        "connector",
        text("Send the body uncompressed; nobody asked for a compressed one."),
        "The body is compressed in a way that nobody asked for, or is not what its header says.",
    ),
    "too_large": _failure(
        "too_large",
        "connector",
        text("Answer with one JSON array of short elements."),
        "The answer goes on and on without an element that ends.",
    ),
    "not_json": _failure(
        "not_json",
        "connector",
        text("Answer with JSON in UTF-8, without a byte order mark and with nothing before or after it."),
        "The answer is no JSON: often a page of HTML, a warning of PHP before it, or a byte order mark.",
    ),
}


def check_addresses(addresses: Mapping[str, str | None]) -> None:
    """Refuse what no address of an endpoint can be. Raises `InvalidRequestError`, which does not repeat it: it may hold a password."""
    for name, address in addresses.items():
        try:
            parse_address(address or "https://left.out")
        except EndpointError as error:
            raise InvalidRequestError(
                say(
                    "{name}: {error} Put a login or a password into settings. Nothing was sent.",
                    name=name,
                    error=error,
                )
            ) from None


def consequence(endpoint: str) -> str:
    """The effect on the user of Bitrix24, as a sentence."""
    return say(CONSEQUENCES[endpoint])


def remedy(reason: EndpointReason) -> str:
    """The repair of a failure, as a sentence."""
    return FAILURES[reason].remedy()


# Their texts say themselves which address is right.
_OF_ADDRESSES: frozenset[EndpointReason] = frozenset({"bad_address", "refused_address", "unresolved"})


def add_advice(error: BiMcpError) -> str:
    """The text of an error; of an endpoint it says only what happened, and how to repair that is added."""
    if isinstance(error, EndpointError) and error.reason not in _OF_ADDRESSES:
        return f"{error} {remedy(error.reason)}"
    return str(error)


_CODES_MATCH = text("Answer the codes of urlTableDescription in the first row, in the spelling used there.")

BREACHES: Mapping[Rule, Kind] = {
    "not_array": Kind(
        "not_array",
        "error",
        "connector",
        text("The answer is no JSON array"),
        text("Answer with the array itself, not with an object around it."),
        text("Bitrix24 reads nothing else."),
    ),
    "empty_array": Kind(
        "empty_array",
        "error",
        "connector",
        text("The array is empty"),
        text("Describe at least one column."),
        text("A table without columns is an error in Bitrix24."),
    ),
    "element_not_object": Kind(
        "element_not_object",
        "error",
        "connector",
        text("An element is no JSON object"),
        text("Make each element an object."),
        text("Bitrix24 reads the keys of an object."),
    ),
    "empty_code": Kind(
        "empty_code",
        "error",
        "connector",
        text("A code is empty or missing"),
        text("Give every element a code that is not empty."),
        text("Bitrix24 refuses the whole answer."),
    ),
    "empty_title": Kind(
        "empty_title",
        "error",
        "connector",
        text("A title is empty or missing"),
        text("Give every table a title; its code will do."),
        text("Bitrix24 refuses the whole answer."),
    ),
    "empty_name": Kind(
        "empty_name",
        "error",
        "connector",
        text("A name is empty or missing"),
        text("Give every column a name; its code will do."),
        text("Bitrix24 refuses the whole answer."),
    ),
    "empty_type": Kind(
        "empty_type",
        "error",
        "connector",
        text("A type is empty or missing"),
        text("Give every column a type."),
        text("Bitrix24 refuses the whole answer."),
    ),
    "not_text": Kind(
        "not_text",
        "note",
        "connector",
        text("A number stands where a text belongs"),
        text("Answer it as a JSON string."),
        text("Bitrix24 turns it into text, which may differ from what the endpoint expects back."),
    ),
    "zero_as_text": Kind(
        "zero_as_text",
        "error",
        "connector",
        text('A code, title, name or type is the text "0"'),
        text('Use another text than "0", such as "0." or a word.'),
        text('PHP counts "0" as empty, so Bitrix24 refuses the whole answer.'),
    ),
    "duplicate_code": Kind(
        "duplicate_code",
        "error",
        "connector",
        text("A code occurs twice"),
        text("Make the codes unique."),
        text("Bitrix24 cannot tell the two apart and keeps one."),
    ),
    "unknown_type": Kind(
        "unknown_type",
        "warning",
        "connector",
        text("A type is unknown"),
        text("Use int, string, double, date or datetime."),
        text("Bitrix24 treats the column as a string: no sums, no periods."),
    ),
    "header_missing": Kind(
        "header_missing",
        "error",
        "connector",
        text("The first row is no header"),
        _CODES_MATCH,
        text("Bitrix24 takes the first row for the header, so every column stays empty and one row is lost."),
    ),
    "header_not_text": Kind(
        "header_not_text",
        "error",
        "connector",
        text("The header holds something else than a code"),
        _CODES_MATCH,
        text("The column below it cannot be found."),
    ),
    "header_duplicate": Kind(
        "header_duplicate",
        "error",
        "connector",
        text("A code occurs twice in the header"),
        text("Make the codes unique."),
        text("One of the two columns is lost."),
    ),
    "header_in_codes": Kind(
        "header_in_codes",
        "error",
        "connector",
        text("Without mapFields the header holds codes instead of the names that select asked for"),
        text(
            "Without mapFields repeat the names of select in the first row, or announce codes that are legal column names."
        ),
        text(
            "A portal that sends no mapFields passes the header on as it is, so these columns stay empty in every chart."
        ),
    ),
    "header_in_names": Kind(
        "header_in_names",
        "error",
        "connector",
        text("With mapFields the header holds the names of the columns instead of their codes"),
        text("With mapFields answer the codes in the first row."),
        text("Bitrix24 looks for codes there and leaves these columns empty."),
    ),
    "column_missing": Kind(
        "column_missing",
        "error",
        "connector",
        text("A column is missing from the header"),
        _CODES_MATCH,
        text("The column stays empty in every chart."),
    ),
    "column_unasked": Kind(
        "column_unasked",
        "warning",
        "connector",
        text("The header holds a column that select did not ask for"),
        text("Answer the columns named in select only."),
        text("It is transferred and thrown away with every query."),
    ),
    "column_order": Kind(
        "column_order",
        "note",
        "connector",
        text("The columns come in another order than in select"),
        text("Answer the columns in the order of select."),
        text("It works as long as values and header agree."),
    ),
    "column_undescribed": Kind(
        "column_undescribed",
        "note",
        "connector",
        text("The header holds a column that urlTableDescription does not describe"),
        text("Describe it in urlTableDescription, or leave it out."),
        text("Bitrix24 cannot use it."),
    ),
    "row_not_array": Kind(
        "row_not_array",
        "error",
        "connector",
        text("A row is no JSON array"),
        text("Make each row an array of values, not an object."),
        text("Bitrix24 reads values by their place in the row."),
    ),
    "ragged_row": Kind(
        "ragged_row",
        "error",
        "connector",
        text("A row has another number of values than the header"),
        text("Answer one value for each column of the header, null where there is none."),
        text("Values end up in wrong columns or are lost."),
    ),
    "nested_value": Kind(
        "nested_value",
        "error",
        "connector",
        text("A value is an array or an object"),
        text("Answer text, a number, true, false or null."),
        text("A cell holds one value, not an array or an object."),
    ),
    "limit_ignored": Kind(
        "limit_ignored",
        "warning",
        "connector",
        text("More rows came than limit allows"),
        text("Stop after `limit` rows when it is given."),
        text("Every preview then transfers the whole table, and large ones run into the time limit."),
    ),
}
