"""Every error says what to do next: it asks for something, says how a thing is written right, or ends with advice that it was given.

A wrong advice goes unseen here, and so does a text that a variable holds; that there is none does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bi_mcp import errors
from tests.language.catalogues import SOURCE, spoken_modules

# What is shown as it is. The door adds a remedy to an `EndpointError`, and a `PortalError` has a hint of its own.
SHOWN = {
    name
    for name, kind in vars(errors).items()
    if name.endswith("Error") and not issubclass(kind, errors.PortalError | errors.EndpointError)
} | {"ClickException", "ResourceNotFoundError", "ToolError", "UsageError"}
ASKING = re.compile(
    "add|allow|answer|ask|begin|call|check|choose|close|configure|copy|correct|create|delete|divide|do|drop|end|enter|export|filter"
    "|give|install|keep|leave|let|log|look|make|mend|move|name|open|pass|plan|put|read|remove|rename|repair|restore|run|save|say|send"
    "|set|split|start|store|take|try|unlock|unpack|use|wait|write"
)
CLAUSE = re.compile(r"(?:[.:;,}]|\bthen) (?:(?:or|and|then|else) )?")
RIGHT = re.compile(
    r"such as|must be|must look|looks like|\btakes\b|is written|_get shows|(?:_list|`|history) (?:shows?|returns)|holds only|AND or OR"
    r"|[Tt]he user (?:can|stores)|can be called again|for example|they change|map of the portal shows"
)
GIVEN = re.compile(r"\{(?:advice|called|command|error|got|obstacles|reasons|remedy|there_are)\}[`.]*$")


def says_what_to_do(text: str) -> bool:
    asks = any(ASKING.fullmatch(clause.split(" ")[0].lower()) for clause in CLAUSE.split(text))
    return asks or bool(RIGHT.search(text) or GIVEN.search(text))


def shown_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Each text that an error is made of where it is raised, with its place."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in SHOWN:
            for said in call.args[:1]:
                if isinstance(said, ast.Call) and getattr(said.func, "id", "") == "say":
                    text = said.args[0]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        advised = f"{text.value} {{advice}}" if call.args[1:] else text.value
                        yield advised, f"{path.relative_to(SOURCE)}:{said.lineno}"


def test_every_error_says_what_to_do_next() -> None:
    files = spoken_modules()
    texts = [found for path in files for found in shown_texts(path)]
    assert len(texts) > 150
    assert [(place, text) for text, place in texts if not says_what_to_do(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "{path} cannot be read ({strerror}).",
        "The value is empty. Nothing was stored.",
        "{a} and {b} are both set.",
        "{name} was not sent: {error} Nothing was changed.",
        "--source goes with --all.",
    ],
)
def test_a_text_that_only_states_what_happened_is_found(text: str) -> None:
    assert not says_what_to_do(text)
