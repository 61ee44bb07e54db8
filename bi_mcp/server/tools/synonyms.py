"""Pure: arguments under other names that models give them, taken for the ones that are meant where only one can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of the objects that a tool is about, by the first word of its name; of a column in the lists of columns.
COLUMN = "column"
_OWN: Mapping[str, tuple[str, ...]] = {
    "connector": ("connector", "connectorId"),
    "source": ("source", "sourceId"),
    "dataset": ("dataset", "datasetId", "tableId"),
    "table": ("table", "tableId", "dataset", "datasetId"),
    COLUMN: ("column", "columnId"),
}
# Argument -> its other names. One that is an argument of the same object itself is never taken for another.
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "source": ("sourceId",),
    "sourceId": ("source",),
    "connectorId": ("connector",),
    "title": ("name",),
    "name": ("title",),
    "settings": ("parameters",),
    "externalCode": ("code",),
    "table": ("externalCode", "code"),
    "search": ("query",),
    "limit": ("rows",),
    "setup": ("yaml",),
}
_OTHERS_OF_LISTS: Mapping[str, tuple[str, ...]] = {"fields": ("columns",), "select": ("columns", "fields")}


def rename(schema: Mapping[str, Any], given: Mapping[str, object], own: str = COLUMN) -> dict[str, object]:
    """Give arguments the names that the schema has for them. `own` is the kind of object that `id` means.

    An argument that is given under two names with different values keeps both, and is refused with the unknown ones.
    """
    properties = schema.get("properties", {})
    renamed = {name: value for name, value in given.items() if name in properties}
    for name, value in given.items():
        if name in properties:
            continue
        meant = find_meant(properties, name, own)
        if meant is None:
            renamed[name] = value
        elif renamed.get(meant) is None:
            renamed[meant] = value
        elif value is not None and str(value) != str(renamed[meant]):
            renamed[name] = value
    return renamed


def find_meant(properties: Mapping[str, Any], name: str, own: str = COLUMN) -> str | None:
    """Find the argument that a name means: spelled otherwise (`source_id`), or one of its other names."""
    if name in properties:
        return name
    letters = _letters(name)
    spelled = [known for known in properties if _letters(known) == letters]
    others = [known for known, part in properties.items() if letters in _other_names(known, part, own)]
    # The code of a dataset is that of its table; a column has another.
    if letters == "table" and {"externalCode", "externalName"} <= properties.keys():
        others.append("externalCode")
    return next(iter(spelled or others), None)


def _other_names(name: str, schema: Mapping[str, Any], own: str) -> Iterator[str]:
    yield from map(_letters, _OTHERS.get(name, ()))
    if schema.get("type") == "array":
        yield from map(_letters, _OTHERS_OF_LISTS.get(name, ()))
    if name == "id":
        yield from map(_letters, _OWN.get(own, ()))
    if name == own:
        yield "id"


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
