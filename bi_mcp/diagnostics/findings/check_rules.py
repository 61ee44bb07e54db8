"""Findings of a connector's check about its addresses and the questions that it was asked. Failures and broken rules are elsewhere. Data."""

from __future__ import annotations

from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

NOT_PUBLIC = Kind(
    "not_public",
    "warning",
    "connector",
    text("{endpoints}: the address leads to {kinds}. Bitrix24's cloud does not call such addresses."),
    text("Before real use, move the connector to a public https address."),
    "It is called only where private addresses are allowed, as on the practice portal.",
)
CLEAR_TEXT = Kind(
    "clear_text",
    "warning",
    "connector",
    text(
        "{endpoints}: called by plain http, so Bitrix24 sends the connection's values, passwords included, in clear text."
    ),
    text("Serve the endpoints over https."),
)
COMPRESSED = Kind(
    "compressed",
    "warning",
    "connector",
    text(
        "The answer came compressed though nobody asked for it. Who does not unpack it unasked reads nothing."
    ),
    text("Send the body uncompressed; nobody asked for a compressed one."),
)
NOT_CALLED = Kind(
    "not_called",
    "note",
    "nobody",
    text("Not called, since no table is known."),
    text("Mend urlTableList first, or name a table."),
)
WRONG_PASSWORD_ACCEPTED = Kind(
    "wrong_password_accepted",
    "warning",
    "connector",
    text(
        "A wrong value in {codes} is accepted with HTTP 200. Bitrix24 then saves a source that cannot read anything, and nobody learns that its password is wrong."
    ),
    text("Check the values of connection against the system, and answer 401 when they are wrong."),
)
NO_TABLES = Kind(
    "no_tables",
    "warning",
    "either",
    text("The list of tables is empty. Bitrix24 then has nothing to make a dataset of."),
    text("See whether this login may read any table."),
)
TABLE_NOT_LISTED = Kind(
    "table_not_listed",
    "warning",
    "either",
    text("The table {table} is not in the list. A person in Bitrix24 cannot choose it."),
    text("List it, or use the code of a table that is listed."),
)
SEARCH_FAILS = Kind(
    "search_fails",
    "error",
    "connector",
    text("A search that finds nothing fails: {error} The field for searching in Bitrix24 then breaks."),
    text("Answer an empty array when nothing is found."),
)
SEARCH_IGNORED = Kind(
    "search_ignored",
    "warning",
    "connector",
    text(
        "searchString is ignored. Bitrix24 leaves the search to the endpoint, so its field for searching does nothing."
    ),
    text("Answer only the tables whose code or title contains searchString."),
)
ANSWERS_WITH_A_PAGE = Kind(
    "answers_with_a_page",
    "warning",
    "connector",
    text(
        "It answers 200 with a web page, such as a form to log in or an error message. Bitrix24 takes any body for a yes."
    ),
    text(
        "Look at the address in a browser. Answer a short text where the values are right, and 401 where they are not."
    ),
)
ANSWERS_BY_TURNS = Kind(
    "answers_by_turns",
    "warning",
    "connector",
    text(
        "It answers only sometimes: {failed} of {asked} calls failed, though the same call was answered another time. The first failure: {error} Bitrix24 meets such failures, too."
    ),
    text(
        "Look into the service's log for what differs between the calls: one of several servers, too many calls at once, a time limit."
    ),
)
ROWS_CUT_OFF = Kind(
    "rows_cut_off",
    "error",
    "connector",
    text(
        "Without limit only {count} rows come, and with a larger limit more. There are no pages that Bitrix24 could ask for, so charts miss the rest."
    ),
    text("Answer all rows where no limit is given."),
)
