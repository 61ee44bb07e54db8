"""The language of what people read: errors, findings, previews. English templates stand where they are used; translations in `locale/`.

Tool descriptions, instructions, help and logs are English: they are read by models and maintainers. Nothing is loaded for English.
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
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "bi_mcp"
FOLDER = Path(__file__).with_name("locale")

_spoken: ContextVar[Language] = ContextVar("language", default="en")


def speak(language: Language) -> None:
    """Speak this language from now on, in everything that is started from here."""
    _spoken.set(language)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak this language within."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> Language:
    """The language that is spoken here."""
    return _spoken.get()


def say(template: str, /, **values: object) -> str:
    """Translate a template and put the values into it: `say("{name} is gone.", name=name)`. Values are never templates."""
    translated = template if _spoken.get() == "en" else _catalogue(_spoken.get()).gettext(template)
    return translated.format(**values)


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


@cache
def _catalogue(language: Language) -> NullTranslations:
    # Imported here: English needs none of it.
    from gettext import translation

    return translation(DOMAIN, FOLDER, [language], fallback=True)
