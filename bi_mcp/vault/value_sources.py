"""Pure: the origin of a setting's value in words for a person, before it is sent somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.base.secret import Secret
from bi_mcp.vault.known_values import NOTHING_KNOWN, KnownValues
from bi_mcp.vault.secret_parameters import may_show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.vault.setting_values import SettingValue


def name_values(
    settings: Mapping[str, SettingValue],
    names: Mapping[str, str],
    shown: frozenset[str],
    known: KnownValues = NOTHING_KNOWN,
) -> str:
    """`login: "ann", password: secret "shop"`: references by kind and name, and the plain values that may be seen.

    `names` are those of the parameters by code, `shown` the codes that the user chose to show.
    """
    return ", ".join(
        f"{code}: {_name(value, code, names.get(code, ''), shown, known)}" for code, value in settings.items()
    )


def _name(value: SettingValue, code: str, name: str, shown: frozenset[str], known: KnownValues) -> str:
    if not isinstance(value, str | int):
        return " ".join(f"{kind} {quote(str(name))}" for kind, name in value.model_dump().items())
    held = Secret(str(value))
    seen = may_show(code, name, held, shown) and not known.may_hold(held)
    return quote(str(value)) if seen else say("a text that is not shown")
