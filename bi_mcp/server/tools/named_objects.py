"""Objects and columns that a call names by their titles: looked up on the portal, so that a tool, and a confirmation, is about ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.rest.dataset_source import read_with_source
from bi_mcp.server.tools.list_arguments import conditions_on_ids
from bi_mcp.server.tools.object_lookup import (
    ObjectKind,
    Place,
    find_object,
    refuse,
    refuse_ambiguous,
    refuse_missing,
)
from bi_mcp.server.tools.schema import is_object_id

if TYPE_CHECKING:
    from bi_mcp.server.tools.middleware import ToolCall

# Argument -> the kind of object that it names. `id` is of the tool's own kind, that of an element of a list a column.
_KINDS: Mapping[str, ObjectKind] = {
    "source": "source",
    "sourceId": "source",
    "connectorId": "connector",
    "like": "dataset",
}
# Tool -> what else its `source` may name, for the source of it: people speak of datasets.
_STAND_FOR_A_SOURCE: Mapping[str, tuple[ObjectKind, ...]] = {
    "connector_check": ("dataset", "connector"),
    "source_tables": ("dataset",),
    "dataset_propose": ("dataset",),
}


@dataclass(frozen=True)
class Named:
    """A title in the place of an id: `holder[key]`, which `where` describes. Without `kind` it is of the tool's own kind."""

    holder: Any
    key: str | int
    where: str
    kind: ObjectKind | None = None

    @property
    def name(self) -> str:
        """The title."""
        return str(self.holder[self.key])


async def find_ids(call: ToolCall, arguments: dict[str, Any]) -> dict[str, Any]:
    """Replace the titles among repaired arguments by ids, mostly with one request for each. Raises `InvalidRequestError` where
    there is not exactly one such object; it does not repeat the title, which may be a secret in the wrong place.
    """
    properties = call.parameters["properties"]
    for named in [*_named_objects(properties, arguments), *_named_in_filter(call, arguments)]:
        named.holder[named.key] = await _find(call, named, arguments)
    columns = list(_named_columns(properties, arguments))
    if columns and isinstance(arguments.get("id"), int):
        await _find_columns(call, int(arguments["id"]), columns)
    return arguments


def _named_objects(
    properties: Mapping[str, Any], arguments: dict[str, Any], where: str = ""
) -> Iterator[Named]:
    for name, value in arguments.items():
        if is_object_id(properties.get(name, {})) and _is_name(value):
            yield Named(arguments, name, f"{where}{name}", _KINDS.get(name))
    fields = arguments.get("fields")
    if not where and isinstance(fields, dict):
        yield from _named_objects(properties.get("fields", {}).get("properties", {}), fields, "fields.")


def _named_in_filter(call: ToolCall, arguments: dict[str, Any]) -> Iterator[Named]:
    if not call.tool.lists:
        return
    for holder, key, field in conditions_on_ids(arguments.get("filter")):
        if _is_name(holder[key]):
            yield Named(holder, key, f"filter.{field}", _KINDS.get(field))


def _named_columns(properties: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[Named]:
    for name, elements in arguments.items():
        items = properties.get(name, {}).get("items", {})
        for position, element in enumerate(elements if isinstance(elements, list) else ()):
            where = f"{name}[{position}]"
            inner = items.get("properties", {}).get("id")
            if is_object_id(items) and isinstance(element, str):
                yield Named(elements, position, where)
            elif (
                is_object_id(inner or {}) and isinstance(element, dict) and isinstance(element.get("id"), str)
            ):
                yield Named(element, "id", f"{where}.id")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


async def _find(call: ToolCall, named: Named, arguments: dict[str, Any]) -> int:
    # Only tools about such objects take ids.
    kind = named.kind or cast("ObjectKind", call.tool.group)
    others = _STAND_FOR_A_SOURCE.get(call.tool.name, ()) if named.where == "source" else ()
    place = Place(call, named.where, (kind, *others))
    found = await find_object(place, named.name)
    if found.kind == kind:
        return found.id
    if found.kind == "connector":
        return await _only_source(place, found.id)
    dataset = await read_with_source(call.app.bi.datasets, found.id)
    if dataset.source_id is None:
        raise refuse(place, say("the portal does not say which source dataset {id} uses", id=found.id))
    if call.tool.name == "connector_check" and arguments.get("table") is None:
        arguments["table"] = dataset.external_code
    return dataset.source_id


async def _only_source(place: Place, connector: int) -> int:
    page = await place.call.app.bi.sources.list_page(
        select=["id", "title"], filter={"connectorId": connector}
    )
    if len(page.items) == 1:
        return page.items[0].id
    if page.items:
        listed = ", ".join(f"{item.id} {quote(item.label)}" for item in page.items)
        raise refuse(
            place, say("connector {id} has several sources: {candidates}", id=connector, candidates=listed)
        )
    raise refuse(place, say("connector {id} has no source", id=connector))


async def _find_columns(call: ToolCall, dataset: int, columns: Sequence[Named]) -> None:
    methods = call.app.bi.tables if call.tool.group == "table" else call.app.bi.datasets
    held = (await methods.get(dataset)).fields or []
    labels = [(column.id, column.name or "") for column in held]
    for named in columns:
        place = Place(call, named.where, ())
        titled = [label for label in labels if label[1] == named.name]
        numbered = [label for label in labels if str(label[0]) == named.name.strip()]
        meant = list(dict.fromkeys([*titled, *numbered]))
        if len(meant) > 1:
            raise refuse_ambiguous(place, [f"{id} {name}" for id, name in meant])
        if not meant and not named.name.strip().isdecimal():
            raise refuse_missing(place, named.name, labels)
        named.holder[named.key] = meant[0][0] if meant else int(named.name)
