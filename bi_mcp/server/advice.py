"""Advice in the words for an assistant: it calls tools, and asks the user for what only a person may do."""

from __future__ import annotations

from contextlib import AbstractContextManager

from bi_mcp.app.advice import COMMANDS
from bi_mcp.base.advice import AdviceKind as Kind
from bi_mcp.base.advice import Words, use_words
from bi_mcp.base.language import text

WORDS: Words = {
    **COMMANDS,
    Kind.CONNECT_AGAIN: text("Only the user can sign in again: in their client they disconnect this server, connect it again and sign in with Bitrix24."),
    Kind.SEE_LIST: text("{group}_list shows what this application can see."),
    Kind.DELETE_DEPENDENTS: text("Find them with {group}_list (filter {filter}) and delete them first."),
    Kind.LOOK_FOR_COPY: text("Look with {group}_list before you send it again: a second call may make a second {group}."),
    Kind.LOOK_IF_GONE: text("Look with {group}_list whether it is gone before you send it again."),
    Kind.LOOK_FIRST: text("Look with {group}_get before you send it again."),
    Kind.CHANGE_COLUMNS: text("Columns are changed with dataset_fields_update."),
    Kind.LOOK_AT_COLUMNS: text("Do not send the change again: look with dataset_get first."),
    Kind.UNLOCK: text("Only the user can lift that, by starting without --read-only (BI_MCP_READ_ONLY) or with `bi-mcp profiles unlock NAME`."),
    Kind.STORE_SECRET: text('The user can store it with `bi-mcp secret set NAME --for HOST`; then pass {{"secret": "NAME"}}.'),
    Kind.STORE_UNDER_NAME: text("Ask the user to store it in a terminal, which asks for the value: `bi-mcp secret set {arguments}`. Then call again."),
    Kind.STORE_VALUES: text('The user stores what is secret in a terminal, {commands}; then pass it by that name. {{"env": "{env_prefix}…"}} does as well.'),
    Kind.SEE_SECRETS: text("`bi-mcp secret list` shows the user which there are."),
    Kind.ALLOW_HOSTS: text("Only the user can allow that, if they trust this address, in a terminal: `bi-mcp secret set {arguments}`."),
    Kind.SET_VARIABLE: text("Set it in the server's environment (the env block of the MCP client's configuration) and restart the server."),
    Kind.USE_VARIABLE: text('A variable of the server\'s environment is accepted: put the value into one such as {variable} and pass {{"env": "{variable}"}}.'),
    Kind.USE_FILE: text('A file in the folder for secrets is accepted as well: pass {{"file": "name"}}.'),
    Kind.SEE_HISTORY: text("history_list shows what there is."),
    Kind.PRUNE: text("With prune, workspace_plan would delete them."),
    Kind.SEE_ROWS: text("portal_map with diagnose asks all of them."),
    Kind.ALLOW_DELETIONS: text("Apply fewer at once; so many are for the user, on the command line."),
    Kind.SKIP_CHECK: text("Repair the connector, then call again. If Bitrix24 reaches it from elsewhere, only the user can apply it without this check, on the command line."),
    Kind.CHECK_ENDPOINT: text("Repair the endpoint first; connector_check says what Bitrix24 expects of it."),
    Kind.PROPOSE_DATASET: text("Probably the code leads to another table now. Correct that in the external system, or make a new dataset (dataset_propose with like) and move the charts."),
    Kind.ADD_WANTED: text("Add those that are wanted; take the others out of the call."),
    Kind.DIAGNOSE_DATASET: text("dataset_diagnose {id} names the cause."),
    Kind.ADD_COLUMNS: text("Look with dataset_get {id} and add those that are missing: dataset_fields_update with {arguments}."),
    Kind.REPLACE_CODE: text("dataset_columns_replace gives the column its new code and keeps its name, by which charts find it. {warning}"),
    Kind.REPLACE_TYPE: text("If {type} is right, dataset_columns_replace makes it the column's type and keeps its name. {warning}"),
    Kind.LOOK_AT_RENAMED: text("Nothing here can prove it: the old values are gone. Ask the user or the connector's operator. If it is the same column, dataset_columns_replace gives the column {id} the code {code!r} and keeps its name."),
    Kind.DIAGNOSE_PORTAL: text("portal_map with diagnose calls them and checks every dataset."),
}  # fmt: skip

_SIGN_IN_AGAIN = WORDS[Kind.CONNECT_AGAIN]

# Whoever signed in has a browser, and neither a terminal nor settings of this server. `page` shows their stored secrets.
SIGNED_IN: Words = {
    **WORDS,
    Kind.LOOK_AT_COMMANDS: Kind.LOOK_AT_COMMANDS.value,
    Kind.USE_NEW_ADDRESS: text("If the portal was renamed, the operator of this server has to name https://{new} as its address."),
    Kind.LOG_IN: _SIGN_IN_AGAIN,
    Kind.LOG_IN_AGAIN: _SIGN_IN_AGAIN,
    Kind.LOG_IN_AS_APPLICATION: text("The operator of this server has to let people sign in with an application of the portal."),
    Kind.LOG_OUT_FIRST: Kind.LOG_OUT_FIRST.value,
    Kind.CHOOSE_PROFILE: Kind.CHOOSE_PROFILE.value,
    Kind.ADOPT: Kind.ADOPT.value,
    Kind.UNLOCK: text("Only the operator of this server can lift that."),
    Kind.STORE_SECRET: text('The user can store it at {page}; then pass {{"secret": "NAME"}} with the name that they gave it.'),
    Kind.STORE_UNDER_NAME: text("Ask the user to store it at {page} under the name {name} for {hosts}, then call again."),
    Kind.STORE_VALUES: text("The user stores what is secret at {page} ({commands}); then pass it by that name."),
    Kind.STORE_COMMAND: Kind.STORE_COMMAND.value,
    Kind.STORE_IN_FILE: text("Ask the user to store it again at {page}."),
    Kind.STORE_ALL_AGAIN: text("The operator of this server has to delete that file; the user then stores the secrets again at {page}."),
    Kind.SEE_SECRETS: text("The user sees at {page} which there are."),
    Kind.ALLOW_HOSTS: text("Only the user can allow that, if they trust this address: at {page} they store {name} again, for {hosts}."),
    Kind.FORGET_FORMER: text("If the former values are no longer valid anywhere, the user can forget them at {page} ({names})."),
    Kind.SET_VARIABLE: text("Only the operator of this server can set it."),
    Kind.USE_VARIABLE: Kind.STORE_SECRET.value,
    Kind.USE_FILE: Kind.STORE_SECRET.value,
    Kind.ALLOW_DELETIONS: text("Apply fewer at once."),
    Kind.SKIP_CHECK: text("Repair the connector, then call again."),
}  # fmt: skip


def use_words_for(secrets_page: str | None) -> AbstractContextManager[None]:
    """Word each advice within for an assistant. `secrets_page` is where its user stores secrets, None for a user with a terminal."""
    return use_words(WORDS) if secrets_page is None else use_words(SIGNED_IN, page=secrets_page)
