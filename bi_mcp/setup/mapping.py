"""Pure: the setup of one portal adapted to another: other addresses, other names of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import PlanError
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.setup.setup import Setup
from bi_mcp.vault.setting_values import SettingValue

_TITLES = ("title", "description")
_ADDRESSES = ("logo", "urlCheck", "urlTableList", "urlTableDescription", "urlData")


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
    """Replacements of text in addresses, titles, descriptions, plain values, and names of references."""

    texts: Mapping[str, str]

    def of(self, setup: Setup) -> Setup:
        """The setup with everything replaced, once: what was put in is not replaced again. Raises `PlanError` for a text that is nowhere, and for a setup that becomes wrong."""
        if not self.texts:
            return setup
        met = set[str]()
        document = setup.model_dump(mode="json", by_alias=True, exclude_none=True)
        for entry in document.get("connectors", {}).values():
            self._replace(entry, [*_TITLES, *_ADDRESSES], met)
        for entry in document.get("sources", {}).values():
            self._replace(entry, _TITLES, met)
            settings = entry.get("settings", {})
            self._replace(settings, [code for code in settings if isinstance(settings[code], str)], met)
            for reference in settings.values():
                if isinstance(reference, dict):
                    self._replace(reference, list(reference), met)
        for entry in document.get("datasets", {}).values():
            self._replace(entry, _TITLES, met)
        _refuse_unmet([text for text in self.texts if text not in met])
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

    def _replace(self, entry: dict[str, Any], names: Iterable[str], met: set[str]) -> None:
        longest_first = sorted(self.texts, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))

        def put(found: re.Match[str]) -> str:
            met.add(found[0])
            return self.texts[found[0]]

        for name in names:
            if isinstance(entry.get(name), str):
                entry[name] = pattern.sub(put, entry[name])


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
