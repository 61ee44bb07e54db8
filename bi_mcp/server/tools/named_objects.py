"""Objects and columns that a call names by their titles: looked up on the portal, so that a tool, and a confirmation, is about ids."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.errors import InvalidRequestError
from bi_mcp.server.tools.schema import OBJECT_ID

if TYPE_CHECKING:
    from bi_mcp.rest.kind_methods import KindMethods
    from bi_mcp.rest.kinds import Group
    from bi_mcp.server.tools.middleware import ToolCall

MOST_CANDIDATES = 10

# Argument -> the kind of object that it names. `id` is of the tool's own kind, that of an element of a list a column.
_KINDS: Mapping[str, Group] = {
    "source": "source",
    "sourceId": "source",
    "connectorId": "connector",
    "like": "dataset",
}
# As links and maps write an object.
_WRITTEN = re.compile(r"(?:bi://)?([a-z]+)[ /]([1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Named:
    """A title in the place of an id: `holder[key]`, which `where` describes. Without `kind` it is of the tool's own kind."""

    holder: Any
    key: str | int
    where: str
    kind: Group | None

    @property
    def name(self) -> str:
        """The title."""
        return str(self.holder[self.key])


async def find_ids(call: ToolCall, arguments: dict[str, Any]) -> dict[str, Any]:
    """Replace the titles among repaired arguments by ids, with one request for each. Raises `InvalidRequestError` where there is
    not exactly one such object; it does not repeat the title, which may be a secret in the wrong place.
    """
    properties = call.parameters["properties"]
    for named in _named_objects(properties, arguments):
        named.holder[named.key] = await _find_object(call, named)
    columns = list(_named_columns(properties, arguments))
    if columns and isinstance(arguments.get("id"), int):
        await _find_columns(call, int(arguments["id"]), columns)
    return arguments


def _named_objects(
    properties: Mapping[str, Any], arguments: dict[str, Any], where: str = ""
) -> Iterator[Named]:
    for name, value in arguments.items():
        schema = properties.get(name)
        if schema == OBJECT_ID and isinstance(value, str) and value.strip():
            yield Named(arguments, name, f"{where}{name}", _KINDS.get(name))
    fields = arguments.get("fields")
    if not where and isinstance(fields, dict):
        yield from _named_objects(properties.get("fields", {}).get("properties", {}), fields, "fields.")


def _named_columns(properties: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[Named]:
    for name, elements in arguments.items():
        items = properties.get(name, {}).get("items", {})
        for position, element in enumerate(elements if isinstance(elements, list) else ()):
            where = f"{name}[{position}]"
            inner = items.get("properties", {}).get("id")
            if items == OBJECT_ID and isinstance(element, str):
                yield Named(elements, position, where, None)
            elif inner == OBJECT_ID and isinstance(element, dict) and isinstance(element.get("id"), str):
                yield Named(element, "id", f"{where}.id", None)


async def _find_object(call: ToolCall, named: Named) -> int:
    group = named.kind or call.tool.group
    methods = call.app.bi.tables if group == "table" else call.app.bi.of(group)
    title = methods.kind.title
    found = (await methods.list_page(select=["id", title], filter={title: named.name})).items
    exact = [item for item in found if item.label == named.name]
    if len(exact) == 1:
        return int(exact[0].id)
    if exact:
        raise _refusal(
            call, say("{where}: several have this title: {candidates}", **_told(named, _labels(exact)))
        )
    # A title may look so, too.
    if (written := _WRITTEN.fullmatch(named.name)) and written[1] == group:
        return int(written[2])
    raise await _missing(call, methods, named)


async def _missing(call: ToolCall, methods: KindMethods[Any, Any, Any], named: Named) -> InvalidRequestError:
    page = await methods.list_page(select=["id", methods.kind.title])
    candidates = _closest(named.name, _labels(page.items))
    if not candidates:
        return _refusal(
            call, say("{where}: there is no {noun} yet", where=named.where, noun=methods.kind.noun)
        )
    return _refusal(
        call, say("{where}: none has this title; there are {candidates}", **_told(named, candidates))
    )


async def _find_columns(call: ToolCall, dataset: int, columns: Sequence[Named]) -> None:
    methods = call.app.bi.tables if call.tool.group == "table" else call.app.bi.datasets
    held = (await methods.get(dataset)).fields or []
    ids = {column.name or "": column.id for column in held}
    for named in columns:
        if named.name not in ids:
            candidates = _closest(named.name, [(column.id, column.name or "") for column in held])
            raise _refusal(
                call, say("{where}: none has this title; there are {candidates}", **_told(named, candidates))
            )
        named.holder[named.key] = ids[named.name]


def _labels(items: Sequence[Any]) -> list[tuple[int, str]]:
    return [(item.id, item.label) for item in items]


def _closest(name: str, labels: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The labels, those first that resemble the name."""
    alike = difflib.get_close_matches(name, [label for _, label in labels], n=MOST_CANDIDATES)
    return sorted(labels, key=lambda each: alike.index(each[1]) if each[1] in alike else len(alike))


def _told(named: Named, candidates: Sequence[tuple[int, str]]) -> dict[str, str]:
    listed = [f"{id} {quote(label)}" for id, label in candidates[:MOST_CANDIDATES]]
    return {
        "where": named.where,
        "candidates": ", ".join(listed + ["…"] * (len(candidates) > MOST_CANDIDATES)),
    }


def _refusal(call: ToolCall, problem: str) -> InvalidRequestError:
    return InvalidRequestError(
        say(
            "{name} was not sent: {unknown}. Correct the arguments and call again.",
            name=call.tool.name,
            unknown=problem,
        )
    )
