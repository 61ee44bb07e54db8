"""Words for a person in a terminal in place of words for an assistant: a command or a line of the setup file, not a
tool.

Data. A text that suits both needs no line here. A test finds texts that name a tool, and lines whose text is not used
any more.
"""

from __future__ import annotations

from bi_mcp.base.language import text

_SEES = text(
    "It does not exist, or another application created it. `bi-mcp map` shows what this application can see."
)
_TRUSTED = "Only the user can allow that, if they trust this address, in a terminal: `{command}`."

WORDS = {
    # rest
    "{group}: an id is a positive whole number, as {group}_list returns it. Nothing was sent.": text(
        "{group}: an id is a positive whole number; `bi-mcp map` shows them. Nothing was sent."
    ),
    "It does not exist, or another application created it. connector_list shows what this application can see.": _SEES,
    "It does not exist, or another application created it. source_list shows what this application can see.": _SEES,
    "It does not exist, or another application created it. dataset_list shows what this application can see.": _SEES,
    "Sources still use this connector. Find them with source_list (filter connectorId) and delete them first.": text(
        "Sources still use this connector; they have to go first. `bi-mcp map` shows them."
    ),
    "Datasets still use this source. Find them with dataset_list (filter sourceId) and delete them first.": text(
        "Datasets still use this source; they have to go first. `bi-mcp map` shows them."
    ),
    "The source is there, but its connector is gone or belongs to another application. Such a source does not work any more: delete it with source_delete.": text(
        "The source is there, but its connector is gone or belongs to another application. Such a source does not work any more: delete it."
    ),
    "dataset {id} has no column with the id {foreign}. Nothing was sent: a portal would delete such a column of another dataset. dataset_get shows the columns and their ids.": text(
        "dataset {id} has no column with the id {foreign}. Nothing was sent: a portal would delete such a column of another dataset. `bi-mcp plan` reads the columns again."
    ),
    "dataset_update changes only the description; columns are changed with dataset_fields_update.": text(
        "The update of a dataset changes only its description; its columns are changed apart from it."
    ),
    "The columns ARE saved; only the synchronisation with BI Builder failed and nothing was rolled back. Do not send the change again: look with dataset_get first.": text(
        "The columns ARE saved; only the synchronisation with BI Builder failed and nothing was rolled back. Look with `bi-mcp diagnose` before you change them again."
    ),
    "delete takes ids of columns, positive whole numbers, as dataset_get returns them.": text(
        "Columns are deleted by their ids, which are positive whole numbers."
    ),
    "Newer portals answer this to dataset.delete; there the table family deletes. Look with dataset_list whether it is gone.": text(
        "Newer portals answer this to dataset.delete; there the table family deletes. `bi-mcp map` shows whether it is gone."
    ),
    "Look with {group}_list before you send it again: a second call may make a second {group}.": text(
        "Look with `bi-mcp map` before you try again: a second attempt may make a second {group}."
    ),
    "Look with {group}_list whether it is gone before you send it again.": text(
        "Look with `bi-mcp map` whether it is gone before you try again."
    ),
    "Look with {group}_get before you send it again.": text(
        "Look what the portal has now (`bi-mcp plan`, or `bi-mcp history`) before you try again."
    ),
    "{name} was not sent: the portal is locked read-only here. Only the user can lift that, by starting without --read-only (BI_MCP_READ_ONLY) or with `bi-mcp profiles unlock NAME`.": text(
        "{name} was not sent: the portal is locked read-only here. Lift that with `bi-mcp profiles unlock NAME`, or go without BI_MCP_READ_ONLY."
    ),
    # setting values
    "settings.{code} looks like a secret and is not accepted as text. {store_first}Put the value into a variable such as {env_prefix}{variable} of the server's environment and pass {{\"env\": \"{env_prefix}{variable}\"}}{or_a_file}.": text(
        "settings.{code} looks like a secret and does not belong into the file as text. {store_first}Put the value into a variable such as {env_prefix}{variable} and write {{env: {env_prefix}{variable}}}{or_a_file}."
    ),
    'Ask the user to store it with `bi-mcp secret set NAME --for HOST` and pass {{"secret": "NAME"}}. Or: ': text(
        "Store it with `bi-mcp secret set NAME --for HOST` and write {{secret: NAME}}. Or: "
    ),
    ', or pass {{"file": "name"}} for a file in the folder for secrets': text(
        ", or {{file: name}} for a file in the folder for secrets"
    ),
    "settings.{code}: that is no name of a stored secret. Names hold only a-z, 0-9, - and _; `bi-mcp secret list` shows the user which there are.": text(
        "settings.{code}: that is no name of a stored secret. Names hold only a-z, 0-9, - and _; `bi-mcp secret list` shows which there are."
    ),
    "settings.{code}: no secret is stored under the name {name}. Nothing was sent. Ask the user to store it in a terminal, which asks for the value: `{command}`. Then call again.": text(
        "settings.{code}: no secret is stored under the name {name}. Nothing was sent. Store it, then try again: `{command}`."
    ),
    "settings.{code}: the secret {name} is bound to {hosts} and would be sent to {strange}. Nothing was sent. " + _TRUSTED: text(
        "settings.{code}: the secret {name} is bound to {hosts} and would be sent to {strange}. Nothing was sent. Allow that, if you trust this address: `{command}`."
    ),
    "settings.{code}: the variable {variable} is not set where bi-mcp runs. Set it in the server's environment (the env block of the MCP client's configuration) and restart the server. {or_stored}": text(
        "settings.{code}: the variable {variable} is not set. Set it where you run bi-mcp. {or_stored}"
    ),
    'Or ask the user to store the value with `bi-mcp secret set NAME --for HOST` and pass {{"secret": "NAME"}}.': text(
        "Or store the value with `bi-mcp secret set NAME --for HOST` and write {{secret: NAME}}."
    ),
    "The value of the secret {name} is no longer where it was kept ({keeper}). The user stores it again with `{secret}`.": text(
        "The value of the secret {name} is no longer where it was kept ({keeper}). Store it again with `{secret}`."
    ),
    "The secret {name} was changed at this very moment. Call again.": text(
        "The secret {name} was changed at this very moment. Try again."
    ),
    # diagnostics
    "Probably the code leads to another table now. Put that right in the external system, or make a new dataset (dataset_propose) and move the charts.": text(
        "Probably the code leads to another table now. Put that right in the external system, or make a new dataset (`bi-mcp propose`) and move the charts."
    ),
    "Add those that are wanted; take the others out of the call.": text(
        "Add those that are wanted to the dataset's columns in the setup file."
    ),
    "Mend the endpoint first; connector_check tells what Bitrix24 expects of it.": text(
        "Mend the endpoint first; `bi-mcp check` tells what Bitrix24 expects of it."
    ),
    "Charts and filters in BI Builder lose the column with the first call; look at them after the second one.": text(
        "Charts and filters in BI Builder lose the column meanwhile; look at them afterwards."
    ),
    "A column's code is set once: delete the column and add it again under its name, in two calls. {warning}": text(
        "A column's code is set once: with another code in the setup file it is deleted and added again under its name. {warning}"
    ),
    "Or delete the column and add it again as {type}, in two calls. {warning}": text(
        "Or make it {type} in the setup file: the column is then deleted and added again. {warning}"
    ),
    "If outside is right, delete the column and add it again as {theirs}, in two calls. {warning}": text(
        "If outside is right, make it {theirs} in the setup file: the column is then deleted and added again. {warning}"
    ),
    "Look what the table has, then add columns with dataset_fields_update.": text(
        "Look what the table has, then add columns to the dataset in the setup file."
    ),
    "The connector was not changed: source {id} {title} holds the secret {name} in {code}, which is bound to {hosts} and would be sent to {unbound}. " + _TRUSTED: text(
        "The connector was not changed: source {id} {title} holds the secret {name} in {code}, which is bound to {hosts} and would be sent to {unbound}. Allow that, if you trust this address: `{command}`."
    ),
    'The user stores what is secret in a terminal, {commands}; then pass it by that name. {{"env": "{env_prefix}…"}} does as well.': text(
        "Store what is secret, {commands}, and write {{secret: NAME}} for it in the setup file. {{env: {env_prefix}…}} does as well."
    ),
    "What is no secret goes into variables of the server's environment ({names}), or is passed as it is.": text(
        "What is no secret stands in the setup file as it is."
    ),
    "No endpoint was called. portal_map with diagnose calls them and checks every dataset.": text(
        "No endpoint was called. `bi-mcp map --diagnose` calls them and checks every dataset."
    ),
    # setup files and history
    "Nothing was sent: another bi-mcp process has been changing this portal for {patience:.0f} s. Wait for it to end, or end it, and call again.": text(
        "Nothing was sent: another bi-mcp process has been changing this portal for {patience:.0f} s. Wait for it to end, or end it, and try again."
    ),
    "{group} {id} has values that a setup cannot hold: {where}. Mend them on the portal with {group}_update, then export again.": text(
        "{group} {id} has values that a setup cannot hold: {where}. Mend them on the portal with what made them, then export again."
    ),
    "cannot be reverted: {group} {id} was changed since ({fields}). Undo that first, or delete it with {group}_delete.": text(
        "cannot be reverted: {group} {id} was changed since ({fields}). Undo that first, or let `bi-mcp apply --prune` delete it."
    ),
    "The history has no entry {ids}. `bi-mcp history` and bi://history show what there is.": text(
        "The history has no entry {ids}. `bi-mcp history` shows what there is."
    ),
    "Nothing was sent: settings.{code} holds the secret {name}, which is bound to {hosts} and would be sent to {strange}. Only the user can allow that: `{command}`.": text(
        "Nothing was sent: settings.{code} holds the secret {name}, which is bound to {hosts} and would be sent to {strange}. Allow that, if you trust this address: `{command}`."
    ),
}  # fmt: skip
