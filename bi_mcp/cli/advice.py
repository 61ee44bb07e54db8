"""Advice in the words for a person in a terminal, who runs commands and changes a setup file. Data."""

from __future__ import annotations

from bi_mcp.app.advice import COMMANDS
from bi_mcp.base.advice import AdviceKind as Kind
from bi_mcp.base.advice import Words
from bi_mcp.base.language import text

WORDS: Words = {
    **COMMANDS,
    Kind.CONNECT_AGAIN: Kind.CONNECT_AGAIN.value,
    Kind.SEE_LIST: text("`bi-mcp map` shows what this application can see."),
    Kind.DELETE_DEPENDENTS: text("They have to go first. `bi-mcp map` shows them."),
    Kind.LOOK_FOR_COPY: text("Look with `bi-mcp map` before you try again: a second attempt may make a second {group}."),
    Kind.LOOK_IF_GONE: text("Look with `bi-mcp map` whether it is gone before you try again."),
    Kind.LOOK_FIRST: text("Look what the portal has now (`bi-mcp plan`, or `bi-mcp history`) before you try again."),
    Kind.CHANGE_COLUMNS: text("Change the columns in the setup file."),
    Kind.LOOK_AT_COLUMNS: text("Look with `bi-mcp diagnose` before you change them again."),
    Kind.UNLOCK: text("Lift that with `bi-mcp profiles unlock NAME`, or go without BI_MCP_READ_ONLY."),
    Kind.STORE_SECRET: text("You can store it with `bi-mcp secret set NAME --for HOST` and write {{secret: NAME}}."),
    Kind.STORE_UNDER_NAME: text("Store it, then try again: `bi-mcp secret set {arguments}`."),
    Kind.STORE_VALUES: text("Store what is secret, {commands}, and write {{secret: NAME}} for it in the setup file. {{env: {env_prefix}…}} does as well."),
    Kind.SEE_SECRETS: text("`bi-mcp secret list` shows which there are."),
    Kind.ALLOW_HOSTS: text("Allow that, if you trust this address: `bi-mcp secret set {arguments}`."),
    Kind.SET_VARIABLE: text("Set it where you run bi-mcp."),
    Kind.USE_VARIABLE: text("A variable is accepted: put the value into one such as {variable} and write {{env: {variable}}}."),
    Kind.USE_FILE: text("A file in the folder for secrets is accepted as well: write {{file: name}}."),
    Kind.PRUNE: text("--prune would delete them."),
    Kind.SEE_ROWS: text("`bi-mcp preview DATASET` shows them."),
    Kind.ALLOW_DELETIONS: text("If they are meant, say so with --max-deletions {deletions}."),
    Kind.SKIP_CHECK: text("Repair the connector, or apply without the check (--no-check) if Bitrix24 reaches it from elsewhere."),
    Kind.SEE_HISTORY: text("`bi-mcp history` shows what there is."),
    Kind.CHECK_ENDPOINT: text("Repair the endpoint first; `bi-mcp check` says what Bitrix24 expects of it."),
    Kind.PROPOSE_DATASET: text("Probably the code leads to another table now. Correct that in the external system, or make a new dataset (`bi-mcp propose`) and move the charts."),
    Kind.ADD_WANTED: text("Add those that are wanted to the dataset's columns in the setup file."),
    Kind.DIAGNOSE_DATASET: text("`bi-mcp diagnose {id}` names the cause."),
    Kind.ADD_COLUMNS: text("Look with `bi-mcp diagnose {id}` and undo the deletion: `bi-mcp history` names it, `bi-mcp undo` reverts it."),
    Kind.REPLACE_CODE: text("A column's code is set once: with another code in the setup file it is deleted and added again under its name. {warning}"),
    Kind.REPLACE_TYPE: text("If {type} is right, write it into the setup file: the column is then deleted and added again. {warning}"),
    Kind.LOOK_AT_RENAMED: text("Nothing here can prove it: the old values are gone. Ask the connector's operator. If it is the same column, write the code {code!r} for it into the setup file."),
    Kind.DIAGNOSE_PORTAL: text("`bi-mcp map --diagnose` calls them and checks every dataset."),
}  # fmt: skip
