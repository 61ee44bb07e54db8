"""In a terminal no text speaks of tools: each that does to an assistant has words of its own there."""

from __future__ import annotations

import re

import pytest

from bi_mcp.base.language import rewording, say, speaking
from bi_mcp.cli import word_for_terminal
from bi_mcp.cli.terminal_words import WORDS
from bi_mcp.server.tools import TOOLSETS
from tests.language.catalogues import extracted
from tests.language.test_catalogues import placeholders

# What commands print is raised or found here.
HEARD = ("app", "auth", "base", "diagnostics", "endpoints", "history", "modules", "rest", "setup", "vault")
NAMES = "|".join(tool.name for tools in TOOLSETS.values() for tool in tools)
# Names of tools, and how one speaks to who calls them.
OF_TOOLS = re.compile(
    rf"\b(?:{NAMES})\b|\{{\w+\}}_[a-z]+\b|bi://|\bcall again|\b(?:two|this|the first|second) calls?\b|\bthe call\b"
    r"|\bthe user\b|\bonly the user\b|server's environment|\bpass\b",
    re.IGNORECASE,
)
# Of what no command does, or of people whom a reader in a terminal may have to ask.
TO_BOTH = {
    "confirm is not the token of a preview of this call with these arguments.",
    "Ask the person for these values and pass them as text: {codes}.",
    "settings.{code}: a reference is not accepted here, because values of this parameter are shown: its code or name says that it is not a secret, or the user named it in --show-settings. Nothing was sent. Write the value as text. If it is a secret, the connector must declare it under another code and name, such as password.",
    "Pass 'fields' with at least one field.",
    "Pass the id of the object.",
    "dataset {id}: nothing to change. Pass add, update or delete with at least one element.",
    "{group} {id}: nothing to change. Pass at least one field.",
    "Two columns of this call have the same externalCode. Each may occur once.",
    "Two columns of this call have the same name. Each may occur once.",
    "{name} cannot travel in a batch: {reason}. Call it by itself. Nothing was sent.",
    "settings.{code}: only variables whose name begins with {env_prefix} can be referred to. Rename the variable in the server's environment.",
    "The user may not use BI Builder on this portal.",
    "The webhook or the user behind it is unknown or inactive. Check it in the portal's developer section.",
    "An administrator must give the user both rights: 'Access to BI Builder' and 'Access to Analytics Hub'.",
    "The user needs the rights 'Access to BI Builder' and 'Access to Analytics Hub', and the call needs an application's access token: a webhook may call only the *.fields methods. With HTTP 403 the portal's plan may not include REST.",
}


def texts() -> set[str]:
    found = set[str]()
    for package in HEARD:
        for message in extracted(package):
            if message.id:
                found |= {message.id} if isinstance(message.id, str) else set(message.id)
    return found - set(WORDS.values())


def test_what_speaks_of_tools_has_words_for_a_terminal() -> None:
    said = texts()
    assert {template for template in said if OF_TOOLS.search(template)} <= {*WORDS, *TO_BOTH}
    assert {*WORDS, *TO_BOTH} <= said


@pytest.mark.parametrize("template", sorted(WORDS))
def test_words_for_a_terminal_hold_the_same_values_and_speak_of_no_tool(template: str) -> None:
    assert placeholders(WORDS[template]) <= placeholders(template)
    assert not OF_TOOLS.search(WORDS[template])


def test_who_speaks_for_a_server_within_a_command_speaks_of_tools() -> None:
    template = "The secret {name} was changed at this very moment. Call again."
    with rewording(word_for_terminal):
        assert say(template, name="x") == "The secret x was changed at this very moment. Try again."
        with speaking("en"):
            assert say(template, name="x").endswith("Call again.")
        assert say(template, name="x").endswith("Try again.")
    with speaking("ru"), rewording(word_for_terminal):
        assert "Попробуйте" in say(template, name="x")
