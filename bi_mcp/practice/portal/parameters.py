"""Parameters of a call: read from JSON body, form body and query, and turned into the intended values."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.requests import Request

from bi_mcp.practice.portal.brackets import parse_brackets

_MAX_INTEGER = 2**63 - 1
_TRUE = frozenset({"1", "true", "y"})
_FALSE = frozenset({"", "0", "false", "n"})


async def read_parameters(request: Request) -> dict[str, object]:
    """Return query and body together; the body wins. A body that cannot be read counts as empty, as in PHP."""
    return {**parse_brackets(request.url.query), **await _body(request)}


async def _body(request: Request) -> Mapping[str, object]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        return _json_object(await request.body())
    if content_type == "application/x-www-form-urlencoded":
        return parse_brackets((await request.body()).decode("utf-8", "replace"))
    return {}


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def as_integer(value: object) -> int | None:
    """Read an integer or its decimal text, of at most 64 bits; None for anything else, `true` included."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        value = int(value) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_MAX_INTEGER <= value <= _MAX_INTEGER else None


def as_boolean(value: object) -> bool | None:
    """Read a boolean, also as `Y`, `"true"` or `1`; None for anything else."""
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else None
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def as_mapping(value: object) -> Mapping[str, object] | None:
    """Read a map, or a list as the map with the keys 0, 1, 2… that it is in PHP; None for anything else."""
    if isinstance(value, Mapping):
        return {str(key): below for key, below in value.items()}
    if isinstance(value, list):
        return {str(index): below for index, below in enumerate(value)}
    return None


def as_sequence(value: object) -> list[object] | None:
    """Read a list, or a map as the list of its values, as PHP would; None for anything else."""
    mapping = as_mapping(value)
    return None if mapping is None else list(mapping.values())
