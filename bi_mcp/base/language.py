"""The language of what people read: errors, findings, previews. English templates stand where they are used; translations in `locale/`.

Tool descriptions, instructions and logs are English: they are read by models and maintainers. Nothing is loaded for English.
What is said speaks of tools, as to an assistant; in a terminal it speaks of commands and setup files (`terminal.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from gettext import NullTranslations

Language = Literal["en", "ru"]
Surface = Literal["assistant", "terminal"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "bi_mcp"
FOLDER = Path(__file__).with_name("locale")

_spoken: ContextVar[Language] = ContextVar("language", default="en")
_surface: ContextVar[Surface] = ContextVar("surface", default="assistant")


def speak(language: Language) -> None:
    """Speak this language from now on, in everything that is started from here."""
    _spoken.set(language)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak this language within, as one speaks to an assistant."""
    tokens = _spoken.set(language), _surface.set("assistant")
    try:
        yield
    finally:
        _spoken.reset(tokens[0])
        _surface.reset(tokens[1])


@contextmanager
def speaking_in_terminal() -> Iterator[None]:
    """Speak within as one speaks in a terminal, where `speaking` does not say otherwise."""
    token = _surface.set("terminal")
    try:
        yield
    finally:
        _surface.reset(token)


def spoken() -> Language:
    """The language that is spoken here."""
    return _spoken.get()


def say(template: str, /, **values: object) -> str:
    """Translate a template and put the values into it: `say("{name} is gone.", name=name)`. Values are never templates."""
    worded = template if _surface.get() == "assistant" else _in_terminal(template)
    return translate(worded).format(**values)


def translate(text: str, /) -> str:
    """Translate a text as it is, braces and all."""
    return text if _spoken.get() == "en" else _catalogue(_spoken.get()).gettext(text)


def say_count(one: str, many: str, count: int, /, **values: object) -> str:
    """As `say`, in the form that fits the number: `say_count("{count} table", "{count} tables", 5)`."""
    if _spoken.get() == "en":
        template = one if count == 1 else many
    else:
        template = _catalogue(_spoken.get()).ngettext(one, many, count)
    return template.format(count=count, **values)


def text(template: str, /) -> str:
    """Mark a template that stands in a table, and is said later."""
    return template


def _in_terminal(template: str) -> str:
    # Imported here: a server says nothing of it.
    from bi_mcp.base.terminal import WORDS

    return WORDS.get(template, template)


@cache
def _catalogue(language: Language) -> NullTranslations:
    # Imported here: English needs none of it.
    from gettext import translation

    return translation(DOMAIN, FOLDER, [language], fallback=True)
