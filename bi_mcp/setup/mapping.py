"""Pure: the setup of one portal adapted to another: other addresses, other names of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.errors import PlanError
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.setup.setup import Setup
from bi_mcp.vault.setting_values import SettingValue


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
        unmet = [name for name in (*self.urls, *self.secrets) if name not in met]
        if unmet:
            raise PlanError(
                say(
                    "The mapping matches nothing in the setup file: {unmet}. Correct or remove it.",
                    unmet=", ".join(unmet),
                )
            )
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


def read_pairs(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """`("old=new",)` -> `{"old": "new"}`. Raises `PlanError` for anything else."""
    for pair in pairs:
        if not all(pair.partition("=")):
            raise PlanError(say("{option} is written OLD=NEW, not {pair!r}.", option=option, pair=pair))
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}
