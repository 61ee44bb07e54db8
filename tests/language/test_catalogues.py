"""The texts of bi-mcp and their translations: complete, alike in what they hold, and compiled."""

from __future__ import annotations

import gettext
import io
import re
import shutil
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message

from tests.language import catalogues
from tests.language.catalogues import (
    COMPILED,
    compiled,
    extracted,
    packages,
    po_path,
    po_text,
    updated_catalogues,
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


@pytest.fixture(scope="module")
def updated() -> dict[str, Catalog]:
    return updated_catalogues()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_kept_texts_are_those_of_the_source(package: str, updated: dict[str, Catalog]) -> None:
    path, catalogue = po_path(package), updated[package]
    wanted = po_text(catalogue) if len(catalogue) or catalogue.obsolete else b""
    assert (path.read_bytes() if path.exists() else b"") == wanted, "run `make texts`"


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


SOURCE = '''
from bi_mcp.base.language import say, say_count, text

def say_nothing(text="not a text"):
    """Not a text (nor is this [one])."""

RULES = {"a": (text("In a (nested) table"),), "b": [text("In a list")][0]}

def told(name, count):
    told = say("{name} is " "gone.", name=say("It"), more=", ".join(["not a text"]))
    return f"{name}: {say('Within an f-string')}" + say(name) + say(f"{name} varies") + say_count(
        "{count} row", "{count} rows", count
    )
'''


def test_texts_are_what_is_said_or_marked_and_nothing_else() -> None:
    assert set(catalogues.texts_in(SOURCE)) == {
        "In a (nested) table",
        "In a list",
        "{name} is gone.",
        "It",
        "Within an f-string",
        ("{count} row", "{count} rows"),
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source with two packages and catalogues of its own."""
    for package in ("one", "two"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    locale = tmp_path / "locale"
    (locale / "ru/LC_MESSAGES").mkdir(parents=True)
    monkeypatch.setattr(catalogues, "SOURCE", tmp_path)
    monkeypatch.setattr(catalogues, "FOLDER", locale)
    monkeypatch.setattr(catalogues, "COMPILED", locale / "ru/LC_MESSAGES/bi_mcp.mo")
    (tmp_path / "one/told.py").write_text('say("Gone.")\nsay_count("{count} row", "{count} rows", 1)\n')
    catalogues.collect()
    kept = po_path("one").read_text(encoding="utf-8")
    for form, translation in enumerate(("строка", "строки", "строк")):
        kept = kept.replace(f'msgstr[{form}] ""', f'msgstr[{form}] "{{count}} {translation}"')
    po_path("one").write_text(kept.replace('msgstr ""', 'msgstr "Нет."'), encoding="utf-8")
    return tmp_path


def test_a_translation_outlives_its_text_and_comes_back_with_it(project: Path) -> None:
    catalogues.collect()
    before = po_path("one").read_bytes()
    (project / "one/told.py").rename(project / "told.txt")
    catalogues.collect()
    assert messages("one") == []
    assert '#~ msgstr "Нет."' in po_path("one").read_text(encoding="utf-8")
    catalogues.collect()
    (project / "told.txt").rename(project / "one/told.py")
    catalogues.collect()
    assert po_path("one").read_bytes() == before
    assert "Нет." in before.decode()


def test_a_text_takes_its_translation_along_into_another_package(project: Path) -> None:
    shutil.move(project / "one/told.py", project / "two/told.py")
    catalogues.collect()
    assert not po_path("one").exists()
    assert [message.string for message in messages("two")] == [
        "Нет.",
        ("{count} строка", "{count} строки", "{count} строк"),
    ]


def test_translations_of_lost_texts_are_dropped_on_demand_only(project: Path) -> None:
    (project / "one/told.py").unlink()
    catalogues.collect()
    assert po_path("one").exists()
    catalogues.collect(forget=True)
    assert not po_path("one").exists()
