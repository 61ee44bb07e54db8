"""Pure: fields as a model names them in `filter`, `select` and `order` of a list, under the names that the API has for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bi_mcp.base.foreign_json import is_deep
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.query import split_key
from bi_mcp.server.tools.synonyms import find_meant

# A condition on an id by one of these compares it with a whole title, not with a part of one.
_EQUALITY = frozenset({"", "=", "!=", "!", "@", "!@"})
_IDS = frozenset({"id", "sourceId", "connectorId"})


def rename_fields(arguments: dict[str, Any], group: str) -> dict[str, Any]:
    """Name the fields in the arguments of a list of this kind as the API does; unknown ones stay, and are refused by name."""
    known = _fields(group)
    select, conditions, order = (arguments.get(name) for name in ("select", "filter", "order"))
    if isinstance(select, list):
        arguments["select"] = [_meant(known, name, group) for name in select]
    if isinstance(conditions, dict) and not is_deep(conditions):
        arguments["filter"] = _rename_conditions(known, conditions, group)
    if isinstance(order, dict):
        arguments["order"] = _rename_keys(order, {name: _meant(known, name, group) for name in order})
    return arguments


def conditions_on_ids(conditions: object) -> Iterator[tuple[Any, str | int, str]]:
    """The places of the values that ids are compared with, also in groups: holder, key, and the name of the field."""
    if not isinstance(conditions, dict) or is_deep(conditions):
        return
    for key, value in conditions.items():
        operator, name = split_key(key)
        if key.isdecimal():
            yield from conditions_on_ids(value)
        elif name in _IDS and operator in _EQUALITY:
            if isinstance(value, list):
                yield from ((value, position, name) for position in range(len(value)))
            else:
                yield conditions, key, name


def _fields(group: str) -> Mapping[str, Any]:
    kind = next((kind for name, kind in KINDS.items() if name == group), KINDS["dataset"])
    models = kind.received.model_fields
    return {model.alias or name: {} for name, model in models.items()}


def _rename_conditions(known: Mapping[str, Any], given: dict[str, Any], group: str) -> dict[str, Any]:
    names = {}
    for key in given:
        operator, name = split_key(key)
        is_field = key != "logic" and not key.isdecimal()
        names[key] = f"{operator}{_meant(known, name.strip(), group)}" if is_field else key
    renamed = _rename_keys(given, names)
    return {
        key: _rename_conditions(known, value, group) if key.isdecimal() and isinstance(value, dict) else value
        for key, value in renamed.items()
    }


def _rename_keys(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A name that is taken stays as it was: the portal refuses it."""
    taken = {name for name in given if names[name] == name}
    renamed: dict[str, Any] = {}
    for name, value in given.items():
        free = names[name] not in taken and names[name] not in renamed
        renamed[names[name] if free else name] = value
    return renamed


def _meant(known: Mapping[str, Any], name: Any, group: str) -> Any:
    return (find_meant(known, name, group) or name) if isinstance(name, str) else name
