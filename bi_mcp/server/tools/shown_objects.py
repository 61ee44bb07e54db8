"""Objects of a portal as they may be seen: without secrets, and without what is long or goes without saying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from bi_mcp.base.secret import hide_logins
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.vault.known_values import NOTHING_KNOWN, KnownValues
from bi_mcp.vault.secret_parameters import may_show

if TYPE_CHECKING:
    from bi_mcp.rest.models import Connector, FieldDescription, Source, SourceSetting

# A logo is often a whole picture as data: URI; a model needs to know that it is there, not its bytes.
LONGEST_LOGO = 200
_PICTURE = "data:"


class SettingView(BaseModel):
    """A source's setting, with its value where that may be seen."""

    code: str
    name: str | None = None
    type: str | None = None
    set: bool
    value: str | None = None


class SourceView(BaseModel):
    """A source that can be shown."""

    model_config = ConfigDict(alias_generator=to_camel, defer_build=True, validate_by_name=True)

    id: int
    title: str | None = None
    type: str | None = None
    code: str | None = None
    description: str | None = None
    active: bool | None = None
    connector_id: int | None = None
    settings: list[SettingView] | None = None
    date_create: str | None = None
    date_update: str | None = None
    created_by_id: int | None = None
    updated_by_id: int | None = None


def view_connector(connector: Connector) -> Connector:
    """Cut a logo that is a whole picture, and mask logins in addresses."""
    masked = {
        name: hide_logins(value)
        for name in ("logo", *ADDRESSES)
        if (value := getattr(connector, name)) is not None
    }
    logo = masked.get("logo", "")
    if len(logo) > LONGEST_LOGO or logo.startswith(_PICTURE):
        masked["logo"] = f"{logo[:40]}… ({len(logo)} characters)"
    return connector.model_copy(update=masked)


def view_source(source: Source, shown: frozenset[str], known: KnownValues = NOTHING_KNOWN) -> SourceView:
    """Replace the values of settings by whether they are set, except those that `may_be_seen` and that are not `known`.

    A value that is `known` to come from a reference is not shown under any code.
    """
    settings = source.settings
    return SourceView(
        **source.model_dump(include=_SHOWN_AS_IS, exclude_none=True),
        settings=None if settings is None else [_view_setting(setting, shown, known) for setting in settings],
    )


def may_be_seen(setting: SourceSetting, shown: frozenset[str]) -> bool:
    """Check whether the rule for values that may be seen lets this one pass."""
    return may_show(setting.code, setting.name or "", setting.value, shown)


_SHOWN_AS_IS = set(SourceView.model_fields) - {"settings"}


def _view_setting(setting: SourceSetting, shown: frozenset[str], known: KnownValues) -> SettingView:
    visible = may_be_seen(setting, shown) and not known.may_hold(setting.value)
    return SettingView(
        code=setting.code,
        name=setting.name,
        type=setting.type,
        set=bool(setting.value),
        value=setting.value.reveal() if visible else None,
    )


# Flag of the API -> what it says in a short description.
_FLAGS = {
    "is_immutable": "immutable",
    "is_read_only": "read only",
    "is_multiple": "multiple",
}


def view_field(field: FieldDescription) -> str:
    """A field in a few words: its type, and only the flags that it has."""
    flags = [words for flag, words in _FLAGS.items() if getattr(field, flag)]
    required = ["required"] if field.required_on_creation else []
    return ", ".join([field.type, *required, *flags])
