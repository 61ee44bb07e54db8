"""Pure: the setup of one portal adapted to another: other addresses, other names of secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import PlanError
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.stored_choices import fold, names_of_place, reference_name
from bi_mcp.vault.secret_index import is_name
from bi_mcp.vault.setting_values import SettingValue

_TITLES = ("title", "description")
_ADDRESSES = ("logo", "urlCheck", "urlTableList", "urlTableDescription", "urlData")
# A reference that was just put in is not replaced again.
_CHOSEN = "chosen"


@dataclass(frozen=True)
class MappedSetup:
    """Replacements: beginnings of addresses, and names of secrets."""

    urls: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def of(self, setup: Setup) -> Setup:
        """The setup with everything replaced. Raises `PlanError` for a mapping that meets nothing: it was misspelled."""
        met = set[str]()
        connectors = {
            key: entry.model_copy(update={name: self._url(getattr(entry, name), met) for name in ADDRESSES})
            for key, entry in setup.connectors.items()
        }
        settings = {
            key: {code: self._value(value, met) for code, value in entry.settings.items()}
            for key, entry in setup.sources.items()
        }
        sources = {
            key: entry.model_copy(update={"settings": settings[key]}) for key, entry in setup.sources.items()
        }
        _refuse_unmet([name for name in (*self.urls, *self.secrets) if name not in met])
        return setup.model_copy(update={"connectors": connectors, "sources": sources})

    def _url(self, url: str, met: set[str]) -> str:
        for old, new in self.urls.items():
            if url.startswith(old):
                met.add(old)
                return new + url.removeprefix(old)
        return url

    def _value(self, value: SettingValue, met: set[str]) -> SettingValue:
        if isinstance(value, str | int):
            return value
        ((kind, name),) = value.model_dump().items()
        if name not in self.secrets:
            return value
        met.add(name)
        return value.model_copy(update={kind: self.secrets[name]})


@dataclass(frozen=True)
class ReplacedSetup:
    """Replacements of text in addresses, titles, descriptions, plain values, and names of references.

    Where the new text is the name of a `stored` secret, the reference that the old one means becomes one to that secret: by its
    name, or by the place where it stands.
    """

    texts: Mapping[str, str]
    stored: Collection[str] = ()

    def of(self, setup: Setup) -> Setup:
        """The setup with everything replaced, once: what was put in is not replaced again. Raises `PlanError` for a text that is empty or nowhere, and for a setup that becomes wrong."""
        if not self.texts:
            return setup
        if "" in self.texts:
            raise PlanError(
                say("A replacement replaces an empty text. Name the text to replace, or leave it out.")
            )
        document = setup.model_dump(mode="json", by_alias=True, exclude_none=True)
        met = self._put_secrets(setup, document)
        # The name of a place or of a variable is no text to replace elsewhere; the name of a secret may be one.
        texts = _Texts({old: new for old, new in self.texts.items() if old not in met or is_name(old)})
        for entry in document.get("connectors", {}).values():
            texts.replace(entry, [*_TITLES, *_ADDRESSES])
        for entry in document.get("sources", {}).values():
            texts.replace(entry, _TITLES)
            settings = entry.get("settings", {})
            texts.replace(settings, [code for code in settings if isinstance(settings[code], str)])
            for reference in settings.values():
                if isinstance(reference, dict) and _CHOSEN not in reference:
                    texts.replace(reference, list(reference))
        for entry in document.get("datasets", {}).values():
            texts.replace(entry, _TITLES)
        _refuse_unmet([text for text in self.texts if text not in met | texts.met])
        return _validate(document)

    def _put_secrets(self, setup: Setup, document: dict[str, Any]) -> set[str]:
        """Put references to stored secrets in, and return the old texts that mean them."""
        secrets = {old: new for old, new in self.texts.items() if new in self.stored}
        met = set[str]()
        for key, source in setup.sources.items():
            for code, value in source.settings.items():
                name = reference_name(value)
                if name is None:
                    continue
                places = names_of_place(setup, key, code)
                meant = [old for old in secrets if old == name or fold(old) in places]
                if meant:
                    # The longest says the most: `Shop password` before `password`.
                    old = name if name in meant else max(meant, key=len)
                    document["sources"][key]["settings"][code] = {_CHOSEN: secrets[old]}
                    met.update(meant)
        return met


@dataclass
class _Texts:
    """Texts to replace, the longest first, and those that were met, be it inside of a longer one."""

    texts: Mapping[str, str]
    met: set[str] = field(default_factory=set)

    def replace(self, entry: dict[str, Any], names: Iterable[str]) -> None:
        if not self.texts:
            return
        pattern = re.compile("|".join(map(re.escape, sorted(self.texts, key=len, reverse=True))))
        for name in names:
            if isinstance(held := entry.get(name), str):
                self.met.update(text for text in self.texts if text in held)
                entry[name] = pattern.sub(lambda found: self.texts[found[0]], held)


def _validate(document: dict[str, Any]) -> Setup:
    for source in document.get("sources", {}).values():
        for code, value in source.get("settings", {}).items():
            if isinstance(value, dict) and _CHOSEN in value:
                source["settings"][code] = {"secret": value[_CHOSEN]}
    try:
        return Setup.model_validate(document)
    except ValidationError as error:
        places = {".".join(map(str, each["loc"])) for each in error.errors(include_input=False)}
        raise PlanError(
            say(
                "The replacements make the setup wrong: {places}. Correct them.",
                places=", ".join(sorted(places)),
            )
        ) from None


def _refuse_unmet(unmet: Sequence[str]) -> None:
    if unmet:
        raise PlanError(
            say(
                "The mapping matches nothing in the setup file: {unmet}. Correct or remove it.",
                unmet=", ".join(unmet),
            )
        )


def read_pairs(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """`("old=new",)` -> `{"old": "new"}`. Raises `PlanError` for anything else."""
    for pair in pairs:
        if not all(pair.partition("=")):
            raise PlanError(say("{option} is written OLD=NEW, not {pair!r}.", option=option, pair=pair))
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}
