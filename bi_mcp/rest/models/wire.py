"""Types of values on the wire: tolerant where they are received, strict where they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

_TRUE = {"y", "true", "1"}
_FALSE = {"n", "false", "0", ""}


def _parse_bool(value: object) -> object:
    """Read a boolean, which portals answer as `true`, `"true"`, `"Y"` or `1`."""
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE or value is None:
        return False
    return value


def _parse_int(value: object) -> object:
    """Read an empty text as None. Other numbers that come as text are read by pydantic."""
    return None if isinstance(value, str) and not value.strip() else refuse_bool(value)


def _parse_text(value: object) -> object:
    """Read a text: numbers become text, and PHP's `false` the empty one."""
    if value is False:
        return ""
    return str(value) if isinstance(value, int | float) else value


def _parse_moment(value: object) -> object:
    """Read a moment. Newer portals answer an empty object for one that a list names."""
    return None if value in ({}, [], "", False) else _parse_text(value)


def parse_list(value: object) -> object:
    """Read a list. PHP has one type for lists and maps: one with gaps comes as an object with numeric keys, or as `{}`."""
    if not isinstance(value, dict) or not all(str(key).isdecimal() for key in value):
        return value
    return list(value.values())


def refuse_bool(value: object) -> object:
    """Refuse a boolean, which pydantic would read as a number."""
    if isinstance(value, bool):
        raise ValueError("a whole number belongs here, not a boolean")  # noqa: TRY004  what pydantic collects
    return value


WireBool = Annotated[bool, BeforeValidator(_parse_bool)]
WireInt = Annotated[int, BeforeValidator(_parse_int)]
WireIntOrNone = Annotated[int | None, BeforeValidator(_parse_int)]
WireText = Annotated[str, BeforeValidator(_parse_text)]

# A moment as the portal writes it: `Y-m-d H:i:s` in the portal's time zone, without an offset. Kept as text on purpose:
# turned into a datetime it would pretend to know the zone.
WireMoment = Annotated[str | None, BeforeValidator(_parse_moment)]

Element = TypeVar("Element")
WireList = Annotated[list[Element], BeforeValidator(parse_list)]


class CamelCased(BaseModel):
    """Base of models that are spelled in camelCase outside of Python. Their errors do not repeat values."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,
    )


class Sent(CamelCased):
    """Base of models that go to the portal: unknown keys are refused, and the API's rules are checked before sending."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def pick(cls, values: Mapping[str, Any]) -> Self:
        """Build it from those of the values, named as the API names them, that it has fields for; None is left out."""
        names = map(to_camel, cls.model_fields)
        return cls.model_validate({name: values[name] for name in names if values.get(name) is not None})

    def to_wire(self) -> dict[str, Any]:
        """Return the parameters as the API spells them, only those that were set. Secrets stay secrets until the transport."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Received(CamelCased):
    """Base of models that come from the portal: unknown keys are kept, a field that was not answered is None."""

    model_config = ConfigDict(extra="allow")


class Identified(Received):
    """An object of a portal."""

    id: WireInt
