"""Advice in the words of both doors: commands that the user runs in a terminal. Data."""

from __future__ import annotations

from bi_mcp.base.advice import AdviceKind as Kind
from bi_mcp.base.advice import Words
from bi_mcp.base.language import text

COMMANDS: Words = {
    Kind.LOOK_AT_COMMANDS: Kind.LOOK_AT_COMMANDS.value,
    Kind.USE_NEW_ADDRESS: text("If the portal was renamed, run `bi-mcp profiles move {host} {new}`, or set BI_MCP_PORTAL_URL to https://{new} where a variable names the portal."),
    Kind.LOG_IN: text("Run `bi-mcp login {arguments}`."),
    Kind.LOG_IN_AGAIN: text("Delete it and run `bi-mcp login` again."),
    Kind.LOG_IN_AS_APPLICATION: text("Use the access token of an application: `bi-mcp login`, or BI_MCP_ACCESS_TOKEN."),
    Kind.LOG_OUT_FIRST: text("Choose another --name, or run `bi-mcp logout {name}` first."),
    Kind.CHOOSE_PROFILE: text("Choose with --profile NAME or `bi-mcp profiles default NAME`."),
    Kind.STORE_COMMAND: "`bi-mcp secret set {arguments}`",
    Kind.STORE_IN_FILE: text("Store it again with `bi-mcp secret set … --keep-in file`."),
    Kind.STORE_ALL_AGAIN: text("Delete it and store the secrets again with `bi-mcp secret set`."),
    Kind.FORGET_FORMER: text("If the former values are no longer valid anywhere, forget them in a terminal: `bi-mcp secret forget-former {names}`."),
    Kind.ADOPT: text("The command is `bi-mcp adopt {assignment}`."),
}  # fmt: skip
