"""The texts of bi-mcp and their translations: complete, alike in what they hold, and compiled."""

from __future__ import annotations

import gettext
import io
import re
from string import Formatter

import pytest
from babel.messages.catalog import Message

from tests.language.catalogues import (
    COMPILED,
    compiled,
    extracted,
    packages,
    po_path,
    po_text,
    updated,
    written,
)

PACKAGES = sorted(packages())


def placeholders(template: str) -> set[tuple[str, str, str]]:
    return {
        (name, spec or "", conversion or "")
        for _, name, spec, conversion in Formatter().parse(template)
        if name is not None
    }


def forms(texts: str | tuple[str, ...] | list[str] | None) -> list[str]:
    if texts is None:
        return []
    return [texts] if isinstance(texts, str) else list(texts)


def messages(package: str) -> list[Message]:
    return [message for message in written(package) if message.id]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_kept_texts_are_those_of_the_source(package: str) -> None:
    assert po_path(package).read_bytes() == po_text(updated(package)), "run `make texts`"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_has_a_translation_with_the_same_values(package: str) -> None:
    for message in messages(package):
        translations = forms(message.string)
        assert len(translations) == (3 if message.pluralizable else 1), message.id
        wanted = placeholders(forms(message.id)[-1])
        for translation in translations:
            assert re.search("[а-яё]", translation, re.IGNORECASE), message.id
            assert placeholders(translation) <= wanted, message.id
        assert placeholders(translations[-1]) == wanted, message.id


def test_the_compiled_catalogue_is_that_of_the_kept_texts() -> None:
    kept = gettext.GNUTranslations(io.BytesIO(COMPILED.read_bytes()))
    made = gettext.GNUTranslations(io.BytesIO(compiled()))
    for package in packages():
        for message in extracted(package):
            if isinstance(message.id, str) and message.id:
                assert kept.gettext(message.id) == made.gettext(message.id), "run `make texts`"
