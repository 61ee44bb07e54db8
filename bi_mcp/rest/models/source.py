"""Source: a connector plus the values of its parameters. Every value is held as a secret: the API answers them in plain text."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from bi_mcp.base.secret import Secret
from bi_mcp.rest.models.connector import Title
from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.models.wire import (
    Received,
    Sent,
    WireBool,
    WireIntOrNone,
    WireList,
    WireMoment,
    WireText,
    refuse_bool,
)

PositiveId = Annotated[int, Field(ge=1), BeforeValidator(refuse_bool)]


def _check_setting(value: object) -> object:
    # A Secret accepts any value that a portal answers; a value that is sent must be text or a whole number.
    if isinstance(value, bool) or not isinstance(value, str | int | Secret):
        raise ValueError("the value of a setting is text or a whole number")  # noqa: TRY004  what pydantic collects
    return value


SentSecret = Annotated[Secret, BeforeValidator(_check_setting)]


class SourceFields(Sent):
    """Fields of `source.add`. `settings` is `{code: value}`; codes that the connector lacks are dropped by the portal."""

    title: Title
    connector_id: PositiveId
    settings: dict[str, SentSecret]
    description: str | None = None
    active: StrictBool | None = None


class SourceChanges(Sent):
    """Fields of `source.update`. `settings` are merged by code: a code that is not passed keeps its value."""

    title: Title | None = None
    settings: dict[str, SentSecret] | None = None
    description: str | None = None
    active: StrictBool | None = None


class SourceSetting(Received):
    """One parameter's value. Unknown keys could repeat the value, so they are secrets too."""

    __pydantic_extra__: dict[str, Secret]

    code: WireText
    name: WireText | None = None
    type: WireText | None = None
    value: Secret = Field(default_factory=lambda: Secret(""))


class Source(PortalObject):
    """A source as a portal answers it, whether its fields came flat or under `connection`."""

    __pydantic_extra__: dict[str, Secret]

    title: WireText | None = None
    type: WireText | None = None
    code: WireText | None = None
    description: WireText | None = None
    active: WireBool | None = None
    connector_id: WireIntOrNone = None
    settings: WireList[SourceSetting] | None = None
    date_create: WireMoment = None
    date_update: WireMoment = None
    created_by_id: WireIntOrNone = None
    updated_by_id: WireIntOrNone = None

    @property
    def label(self) -> str:
        """The title."""
        return self.title or ""

    @property
    def last_change(self) -> tuple[int | None, str | None]:
        """The user and the moment of the last change, or of the creation."""
        return self.updated_by_id or self.created_by_id, self.date_update or self.date_create

    def documented(self) -> dict[str, Any]:
        """Return what the API documents, its settings as `{code: Secret}`."""
        settings = {setting.code: setting.value for setting in self.settings or ()}
        return {**super().documented(), "settings": settings}

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("connection"), dict):
            return data
        return {**data["connection"], **{key: value for key, value in data.items() if key != "connection"}}

    @model_validator(mode="before")
    @classmethod
    def _settings_as_array(cls, data: Any) -> Any:
        """Turn `settings` into a list: some answers hold `{code: value}` or `{code: {…}}`. PHP's numeric keys are not codes."""
        settings = data.get("settings") if isinstance(data, dict) else None
        if not isinstance(settings, dict):
            return data
        listed = [
            item if isinstance(item, dict) else {"code": code, "value": item}
            for code, item in settings.items()
        ]
        return {**data, "settings": listed}
