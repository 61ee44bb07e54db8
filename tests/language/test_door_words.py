"""Each door words every kind of advice for its own reader; what lies below the doors names no tool and no command."""

from __future__ import annotations

import ast
import re

import pytest

from bi_mcp.app.advice import COMMANDS
from bi_mcp.base.advice import AdviceKind, advise, use_words
from bi_mcp.base.language import speaking
from bi_mcp.cli.advice import WORDS as TERMINAL
from bi_mcp.errors import PlanError
from bi_mcp.rest.error_codes import error_for
from bi_mcp.rest.methods import method
from bi_mcp.server.advice import SIGNED_IN, use_words_for
from bi_mcp.server.advice import WORDS as SERVER
from bi_mcp.server.tools import TOOLSETS
from tests.language.catalogues import extracted, spoken_modules
from tests.language.test_catalogues import forms, placeholders

BELOW = ("auth", "base", "diagnostics", "endpoints", "history", "modules", "rest", "setup", "vault")
NAMES = "|".join(tool.name for tools in TOOLSETS.values() for tool in tools)
OF_A_DOOR = re.compile(rf"\b(?:{NAMES})\b|\{{\w+\}}_[a-z]+\b|bi://|`bi-mcp |\bcall again", re.IGNORECASE)
OF_THE_SERVER = re.compile(
    rf"\b(?:{NAMES})\b|\{{\w+\}}_[a-z]+\b|bi://|\bcall again|\b(?:two|this) calls?\b|\bthe call\b|\bthe user\b"
    r"|server's environment|\bpass\b",
    re.IGNORECASE,
)
# What only the user can do: log in, store secrets, say where they may go, lift a lock.
OF_THE_USER = {*COMMANDS, *(AdviceKind[name] for name in ("ALLOW_HOSTS", "SEE_SECRETS", "STORE_SECRET", "STORE_UNDER_NAME", "UNLOCK"))}  # fmt: skip
OF_A_SECRET = {("arguments", "", ""), ("hosts", "", ""), ("name", "", "")}


def test_what_lies_below_the_doors_names_no_tool_and_no_command() -> None:
    said = [text for package in BELOW for message in extracted(package) for text in forms(message.id)]
    assert len(said) > 900
    assert [text for text in said if OF_A_DOOR.search(text)] == []


@pytest.mark.parametrize("kind", AdviceKind)
def test_each_door_words_every_kind_for_its_reader(kind: AdviceKind) -> None:
    assert not OF_THE_SERVER.search(TERMINAL[kind])
    assert kind in OF_THE_USER or "`bi-mcp " not in SERVER[kind]


def test_an_advice_has_the_facts_of_its_words() -> None:
    nodes = [node for path in spoken_modules() for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    checked = set()
    for call in [node for node in nodes if isinstance(node, ast.Call) and node.args]:
        name, _, kind = ast.unparse(call.args[0]).partition("AdviceKind.")
        function = ast.unparse(call.func)
        if not name and function in {"advise", "advise_store"}:
            facts = {(given.arg or "", "", "") for given in call.keywords}
            facts |= OF_A_SECRET if function == "advise_store" else set()
            for words in (AdviceKind[kind].value, SERVER[AdviceKind[kind]], TERMINAL[AdviceKind[kind]]):
                assert placeholders(words) <= facts, kind
            assert placeholders(SIGNED_IN[AdviceKind[kind]]) <= facts | {("page", "", "")}, kind
            checked.add(kind)
    assert len(checked) > 25


@pytest.mark.parametrize("kind", AdviceKind)
def test_whoever_signed_in_is_not_sent_to_a_terminal_or_to_settings(kind: AdviceKind) -> None:
    assert not re.search(r"`bi-mcp |terminal|command line|BI_MCP_|--[a-z]|environment", SIGNED_IN[kind])


def test_words_for_whoever_signed_in_name_the_page_of_their_secrets() -> None:
    advice = advise(AdviceKind.STORE_UNDER_NAME, name="shop", hosts="shop.example", arguments="shop --for x")
    with use_words_for("https://bi.example/secrets"):
        assert "at https://bi.example/secrets under the name shop for shop.example" in str(advice)
    with use_words_for(None):
        assert "`bi-mcp secret set shop --for x`" in str(advice)


def test_an_error_is_worded_by_the_door_at_which_it_leaves() -> None:
    refused = error_for(method("source", "delete"), "BX_ERROR", "Still used", 400)
    assert refused.advice == (advise(AdviceKind.DELETE_DEPENDENTS, group="dataset", filter="sourceId"),)
    assert "Find them with biconnector.dataset.list (filter sourceId)" in str(refused)
    with use_words(SERVER):
        assert "Find them with dataset_list (filter sourceId)" in f"Not done. {refused}"
    with use_words(TERMINAL), speaking("ru"):
        assert str(refused).endswith("Какие, показывает `bi-mcp map`.")
        assert str(PlanError("", advise(AdviceKind.UNLOCK))).startswith(" Снимите запрет командой")
