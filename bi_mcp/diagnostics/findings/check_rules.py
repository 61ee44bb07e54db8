"""Findings of a connector's check about its addresses and the questions that it was asked. Failures and broken rules are elsewhere. Data."""

from __future__ import annotations

from bi_mcp.base.language import text
from bi_mcp.diagnostics.findings.finding import Kind

NOT_PUBLIC = Kind(
    "not_public",
    "warning",
    "connector",
    text("{endpoints}: the address is not public ({kinds}). Bitrix24's cloud does not call such addresses."),
    text("Before real use, move the connector to a public https address."),
    "Not said where the portal itself is in a private network, as the practice portal is.",
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
        "The answer is compressed although compression was not requested. A caller that does not expect this cannot read it."
    ),
    text("Send the body uncompressed: Bitrix24 does not request compression."),
)
NOT_CALLED = Kind(
    "not_called",
    "note",
    "nobody",
    text("Not called, because no table is known."),
    text("Repair urlTableList first, or name a table."),
)
WRONG_PASSWORD_ACCEPTED = Kind(
    "wrong_password_accepted",
    "warning",
    "connector",
    text(
        "A wrong value in {codes} is accepted with HTTP 200. Bitrix24 then saves a source that cannot read anything, and does not report that its password is wrong."
    ),
    text("Check the values of connection against the system, and answer 401 if they are wrong."),
)
SOURCE_FAILS = Kind(
    "source_fails",
    "error",
    "machine",
    text("The source cannot be asked."),
    "",
    "Said by `bi-mcp connector check` of a database or files that it opens itself; the error itself says what to do.",
)
NO_TABLES = Kind(
    "no_tables",
    "warning",
    "either",
    text("The list of tables is empty, so Bitrix24 cannot create a dataset."),
    text("Check whether this login may read any table."),
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
    text("A search that finds nothing fails: {error} The search field in Bitrix24 then breaks."),
    text("Return an empty array if nothing is found."),
)
SEARCH_IGNORED = Kind(
    "search_ignored",
    "warning",
    "connector",
    text(
        "searchString is ignored. Bitrix24 leaves the search to the endpoint, so its search field does nothing."
    ),
    text("Return only the tables whose code or title contains searchString."),
)
ANSWERS_WITH_A_PAGE = Kind(
    "answers_with_a_page",
    "warning",
    "connector",
    text(
        "It answers 200 with a web page, such as a login form or an error message. Bitrix24 treats any body as success."
    ),
    text(
        "Open the address in a browser. Return a short text if the values are right, and 401 if they are not."
    ),
)
ANSWERS_BY_TURNS = Kind(
    "answers_by_turns",
    "warning",
    "connector",
    text(
        "It answers only sometimes: {failed} of {asked} calls failed, although the same call succeeded at another time. The first failure: {error} Bitrix24 gets such failures, too."
    ),
    text(
        "Check in the service's log how the calls differ: one of several servers, too many calls at once, a time limit."
    ),
    effect="at times",
)
ANSWERS_AT_A_RATE = Kind(
    "answers_at_a_rate",
    "error",
    "connector",
    text(
        "It answered {answered} of {asked} equal calls rightly; the others failed: {failures}. Charts fail as often."
    ),
    text(
        "Check in the service's log how the calls differ: one of several servers, too many calls at once, a time limit."
    ),
    "Counted where the same question is asked several times. `empty` is an answer without elements where others have some, `no_body` one without any text.",
)
ROWS_CUT_OFF = Kind(
    "rows_cut_off",
    "error",
    "connector",
    text(
        "Without limit, only {count} rows are returned; with a larger limit, more are. Bitrix24 cannot ask for further pages, so charts miss the rest."
    ),
    text("Return all rows if limit is not given."),
)
