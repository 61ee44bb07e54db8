"""Help in another language, and Click's own words: its headings and its errors about arguments. English does not need it."""

from __future__ import annotations

import gettext
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TypeVar

import click

from bi_mcp.base.language import DOMAIN, FOLDER, Language, translate
from bi_mcp.config import system_language

# The mark before a paragraph whose lines Click must leave as they are.
KEPT = "\b\n"
HEADINGS = ("Example:", "Examples:")

AnyCommand = TypeVar("AnyCommand", bound=click.Command)


@contextmanager
def click_speaking(language: Language) -> Iterator[None]:
    """Let Click find its words in our catalogue: it asks gettext, and gettext asks the environment for the language."""
    before = gettext.textdomain()
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
    try:
        with system_language(language):
            yield
    finally:
        gettext.textdomain(before)


def translate_command(command: AnyCommand) -> AnyCommand:
    """Copy a command and all below it in the language that is spoken. The original stays English."""
    translated = copy(command)
    # Click keeps this option in the language in which it was first asked for.
    translated._help_option = None  # noqa: SLF001  nothing public makes a command forget it
    translated.help = "\n\n".join(map(_translate_paragraph, paragraphs(command.help or "")))
    translated.short_help = translate(command.short_help) if command.short_help else None
    translated.params = [_translate_parameter(parameter) for parameter in command.params]
    if isinstance(translated, click.Group):
        translated.commands = {name: translate_command(each) for name, each in translated.commands.items()}
    return translated


def templates(command: click.Command) -> Iterator[str]:
    """The texts of a command's help, and of all below it, in the form in which they are translated."""
    for paragraph in paragraphs(command.help or ""):
        yield _split(paragraph)[0]
    if command.short_help:
        yield command.short_help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            yield parameter.help
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from templates(each)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a command's help; where Click wraps one, its lines have no meaning."""
    return [paragraph for paragraph in inspect.cleandoc(text).split("\n\n") if paragraph]


def _translate_parameter(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    translated = copy(parameter)
    translated.help = translate(parameter.help)
    return translated


def _translate_paragraph(paragraph: str) -> str:
    template, examples = _split(paragraph)
    kept = KEPT if paragraph.startswith(KEPT) else ""
    return f"{kept}{translate(template)}{examples}"


def _split(paragraph: str) -> tuple[str, str]:
    """Split a paragraph into the text, which is translated, and the examples below it, which are not."""
    if not paragraph.startswith(KEPT):
        return " ".join(paragraph.split()), ""
    text = paragraph.removeprefix(KEPT)
    heading, line_end, examples = text.partition("\n")
    return (heading, line_end + examples) if heading in HEADINGS else (text, "")
