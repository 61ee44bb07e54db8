"""The meaning of each failure and each broken rule of an endpoint in Bitrix24, and the repair. Data."""

from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings.finding import Kind, Level, Side, Who
from bi_mcp.endpoints.answers import Rule
from bi_mcp.errors import BiMcpError, EndpointError, EndpointReason

ENDPOINTS = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")


def _failure(
    code: EndpointReason, side: Side, fix: str, means: str, first: Who = "connector operator"
) -> Kind:
    """The error itself says what happened."""
    return Kind(code, "error", side, "", fix, means, first=first)


def _breach(code: Rule, what: str, fix: str, means: str, level: Level = "error") -> Kind:
    return Kind(code, level, "connector", what, fix, means)


def _by_code(*kinds: Kind) -> Mapping[str, Kind]:
    return {kind.code: kind for kind in kinds}


# What the user of Bitrix24 meets when an endpoint gives no usable answer.
CONSEQUENCES: Mapping[str, str] = {
    "urlCheck": text("Bitrix24 then cannot create sources or datasets, nor change a source."),
    "urlTableList": text("Bitrix24 then shows no tables to choose from."),
    "urlTableDescription": text("Bitrix24 then cannot create a dataset of the table."),
    "urlData": text("Charts then stay empty, and Bitrix24 reports nothing."),
}

FAILURES = _by_code(
    _failure(
        "bad_address",
        "setup",
        text("Give the connector an address such as https://host/path."),
        "The address is not an http or https address, contains a user name, or has an invalid host.",
    ),
    _failure(
        "refused_address",
        "either",
        text("Move the endpoint to a public address, or allow private addresses during development."),
        "The host leads into a private network or to this machine. Bitrix24's cloud does not call such addresses either.",
    ),
    _failure(
        "bad_request",
        "setup",
        text("Write the table's code and the settings as plain text."),
        "What would be sent cannot be written as a form: half a Unicode character, or nested too deeply.",
    ),
    _failure(
        "unresolved",
        "either",
        text("Correct the host in the connector, or add its DNS record."),
        "The host has no address in DNS.",
        first="you",
    ),
    _failure(
        "unreachable",
        "connector",
        text("Start the service, open its port to the internet, and check its log."),
        "Nothing listens there, a firewall is in the way, or the connection broke off.",
    ),
    _failure(
        "tls",
        "connector",
        text("Serve the whole chain of a valid certificate for this host."),
        "The certificate is not valid for the host, has expired, or lacks a part of its chain.",
    ),
    _failure(
        "timeout",
        "connector",
        text("Make the endpoint answer faster: fewer columns, an index, or rows sent as they are read."),
        "No connection within 250 seconds, or no complete answer within 60.",
    ),
    _failure(
        "redirect",
        "setup",
        text("Enter the final address in the connector, including a slash at its end."),
        "The endpoint sends the caller elsewhere (HTTP 301, 302, 307, 308). Bitrix24 counts only HTTP 200.",
    ),
    _failure(
        "loop",
        "connector",
        text("Answer the POST itself. Such a service often wants a cookie or a browser login first."),
        "The endpoint redirects to its own address, so a caller never gets an answer.",
    ),
    _failure(
        "denied",
        "setup",
        text("Check the settings' values, the password first; if they are right, see the service's log."),
        "HTTP 401 or 403: the service does not accept the values of the source's settings.",
    ),
    _failure(
        "not_found",
        "either",
        text("Check the connector's address; if only one table is not found, list the tables."),
        "HTTP 404: there is nothing at this address, or the table is gone.",
        first="you",
    ),
    _failure(
        "too_often",
        "connector",
        text("Allow more calls, or let them wait instead of refusing them."),
        "HTTP 429: the service accepts no more calls for now.",
    ),
    _failure(
        "status",
        "connector",
        text("Answer a POST with HTTP 200; the service's log says why it does not."),
        "Any other HTTP status than 200.",
    ),
    _failure(
        "empty",
        "connector",
        text('Answer with a body of at least one character, such as {{"status": "ok"}}.'),
        "HTTP 200 without a body, from `urlCheck`.",
    ),
    _failure(
        "encoding",
        "connector",
        text("Send the body uncompressed: Bitrix24 does not request compression."),
        "The body is compressed in a way that was not requested, or is not what its header says.",
    ),
    _failure(
        "too_large",
        "connector",
        text("Answer with one JSON array of short elements."),
        "The answer reaches the size limit before its first element ends.",
    ),
    _failure(
        "not_json",
        "connector",
        text("Answer with JSON in UTF-8, without a byte order mark and with nothing before or after it."),
        "The answer is not JSON: often a page of HTML, a warning of PHP before it, or a byte order mark.",
    ),
)


def consequence(endpoint: str) -> str:
    """The effect on the user of Bitrix24, as a sentence."""
    return say(CONSEQUENCES[endpoint])


def remedy(reason: EndpointReason) -> str:
    """The repair of a failure, as a sentence."""
    return FAILURES[reason].remedy()


_SAID = text('It said "{said}".')

# Their texts say themselves which address is right.
_OF_ADDRESSES: frozenset[EndpointReason] = frozenset({"bad_address", "refused_address", "unresolved"})


def quote_answer(error: EndpointError) -> str:
    """The failure of an endpoint with what the service said about it, which often names the cause."""
    return f"{error} {say(_SAID, said=error.said.rstrip('.'))}" if error.said else str(error)


# The cause of failures because of refused values.
DENIED: EndpointReason = "denied"


def cause_of(error: EndpointError) -> str:
    """What failures of several endpoints have in common if one cause explains them: not their addresses."""
    # A refused login is one, whatever each endpoint says about it.
    said = "" if error.reason == DENIED else f"{error.status or ''} {error.said}"
    return f"{error.reason} {said}".strip()


def add_advice(error: BiMcpError) -> str:
    """The text of an error; of an endpoint it says only what happened, and how to repair that is added."""
    if not isinstance(error, EndpointError):
        return str(error)
    parts = (
        [quote_answer(error)]
        if error.reason in _OF_ADDRESSES
        else [quote_answer(error), remedy(error.reason)]
    )
    if error.dataset is not None:
        parts.append(str(advise(AdviceKind.DIAGNOSE_DATASET, id=error.dataset)))
    return " ".join(parts)


_CODES_MATCH = text("Return the codes of urlTableDescription in the first row, spelled as they are there.")

BREACHES = _by_code(
    _breach(
        "not_array",
        text("The answer is not a JSON array"),
        text("Return the array itself, not an object around it."),
        text("Bitrix24 reads nothing else."),
    ),
    _breach(
        "empty_array",
        text("The array is empty"),
        text("Describe at least one column."),
        text("A table without columns is an error in Bitrix24."),
    ),
    _breach(
        "element_not_object",
        text("An element is not a JSON object"),
        text("Make each element an object."),
        text("Bitrix24 reads the keys of an object."),
    ),
    _breach(
        "empty_code",
        text("A code is empty or missing"),
        text("Give every element a code that is not empty."),
        text("Bitrix24 refuses the whole answer."),
    ),
    _breach(
        "empty_title",
        text("A title is empty or missing"),
        text("Give every table a title; its code will do."),
        text("Bitrix24 refuses the whole answer."),
    ),
    _breach(
        "empty_name",
        text("A name is empty or missing"),
        text("Give every column a name; its code will do."),
        text("Bitrix24 refuses the whole answer."),
    ),
    _breach(
        "empty_type",
        text("A type is empty or missing"),
        text("Give every column a type."),
        text("Bitrix24 refuses the whole answer."),
    ),
    _breach(
        "not_text",
        text("A value that must be text is a number"),
        text("Return it as a JSON string."),
        text("Bitrix24 turns it into text, which may differ from what the endpoint expects back."),
        level="note",
    ),
    _breach(
        "zero_as_text",
        text('A code, title, name or type is the text "0"'),
        text('Use a text other than "0", such as "0." or a word.'),
        text('PHP treats "0" as empty, so Bitrix24 refuses the whole answer.'),
    ),
    _breach(
        "duplicate_code",
        text("A code occurs twice"),
        text("Make the codes unique."),
        text("Bitrix24 cannot distinguish the two and keeps one."),
    ),
    _breach(
        "unknown_type",
        text("A type is unknown"),
        text("Use int, string, double, date or datetime."),
        text("Bitrix24 treats the column as a string: no sums, no periods."),
        level="warning",
    ),
    _breach(
        "header_missing",
        text("The first row is not a header"),
        _CODES_MATCH,
        text("Bitrix24 uses the first row as the header, so every column stays empty and one row is lost."),
    ),
    _breach(
        "header_not_text",
        text("The header contains something other than a code"),
        _CODES_MATCH,
        text("The column below it cannot be found."),
    ),
    _breach(
        "header_duplicate",
        text("A code occurs twice in the header"),
        text("Make the codes unique."),
        text("One of the two columns is lost."),
    ),
    _breach(
        "header_in_codes",
        text("Without mapFields, the header contains codes instead of the names that select asked for"),
        text("Without mapFields, return the names of select, or announce codes that are legal column names."),
        text("A portal without mapFields passes the header on unchanged, so these columns stay empty."),
    ),
    _breach(
        "header_in_names",
        text("With mapFields, the header contains the names of the columns instead of their codes"),
        text("With mapFields, return the codes in the first row."),
        text("Bitrix24 looks for codes there and leaves these columns empty."),
    ),
    _breach(
        "column_missing",
        text("A column is missing from the header"),
        _CODES_MATCH,
        text("The column stays empty in every chart."),
    ),
    _breach(
        "column_unasked",
        text("The header contains a column that select did not ask for"),
        text("Return only the columns named in select."),
        text("It is transferred and discarded with every query."),
        level="warning",
    ),
    _breach(
        "column_order",
        text("The columns are in a different order than in select"),
        text("Return the columns in the order of select."),
        text("It works as long as the values match the header."),
        level="note",
    ),
    _breach(
        "column_undescribed",
        text("The header contains a column that urlTableDescription does not describe"),
        text("Describe it in urlTableDescription, or leave it out."),
        text("Bitrix24 cannot use it."),
        level="note",
    ),
    _breach(
        "row_not_array",
        text("A row is not a JSON array"),
        text("Make each row an array of values, not an object."),
        text("Bitrix24 reads values by their place in the row."),
    ),
    _breach(
        "ragged_row",
        text("A row does not have as many values as the header"),
        text("Return one value for each column of the header, null where there is none."),
        text("Values end up in the wrong columns or are lost."),
    ),
    _breach(
        "nested_value",
        text("A value is an array or an object"),
        text("Return text, a number, true, false or null."),
        text("A cell holds one value, not an array or an object."),
    ),
    _breach(
        "limit_ignored",
        text("The answer has more rows than limit allows"),
        text("Stop after `limit` rows when it is given."),
        text("Every preview then transfers the whole table, and a large table exceeds the time limit."),
        level="warning",
    ),
)
