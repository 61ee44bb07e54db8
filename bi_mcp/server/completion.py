"""Completion of a half-typed argument: of the templates `bi://GROUP/{id}`, and of prompts.

An address has a place only for the id, so titles are searched and ids are offered. A prompt is read by a model, so `12
Sales` is offered there, which also shows a person what they choose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import anyio
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from bi_mcp.errors import BiMcpError

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from bi_mcp.app.app import App
    from bi_mcp.app.apps import Apps
    from bi_mcp.rest.models import Connector, Dataset, Source

# The protocol allows no more.
MOST = 100
# A person who types does not wait longer.
WITHIN_S = 5.0
# The ids 7, 70-79, 700-799 … begin with 7; ids longer than that are not completed.
DIGITS_MORE = 5
GROUPS = ("connector", "source", "dataset")
_TEMPLATE = re.compile(rf"bi://({'|'.join(GROUPS)})/\{{id\}}")
# `12`, or `12 Sales` as it was offered.
_ID = re.compile(r"([1-9][0-9]{0,12})(\s.*)?", re.DOTALL)
NOTHING = Completion(values=[], total=0, has_more=False)

Languages = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class _Typed:
    """The beginning of a value, and the other arguments of the same prompt."""

    value: str
    others: Mapping[str, str]


def add_completion(server: MCPServer, apps: Apps, languages: Languages) -> None:
    """Let the server complete arguments. `languages` returns the languages of a prompt."""

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        typed = _Typed(argument.value.strip(), (context.arguments if context else None) or {})
        if isinstance(ref, PromptReference):
            # A portal or an endpoint is not asked for what no prompt takes.
            prompts = [known for known in await server.list_prompts() if known.name == ref.name]
            taken = chain.from_iterable(known.arguments or [] for known in prompts)
            if argument.name not in {parameter.name for parameter in taken}:
                return NOTHING
        with anyio.move_on_after(WITHIN_S):
            try:
                return await _complete(apps.current(), languages, ref, argument.name, typed)
            except BiMcpError:
                # A failed completion must not disturb the person; the call itself reports the error.
                return NOTHING
        return NOTHING

    server.completion()(complete)  # type: ignore[no-untyped-call]  # the SDK's decorator has no annotations


async def _complete(
    app: App,
    languages: Languages,
    ref: PromptReference | ResourceTemplateReference,
    argument: str,
    typed: _Typed,
) -> Completion:
    if isinstance(ref, ResourceTemplateReference):
        template = _TEMPLATE.fullmatch(ref.uri)
        if template is None or argument != "id":
            return NOTHING
        return await _objects(app, template[1], typed.value, lambda key, _: str(key))
    if argument == "language":
        values = [language for language in languages(ref.name) if language.startswith(typed.value.lower())]
        return Completion(values=values, total=len(values), has_more=False)
    if argument == "table":
        return await _tables(app, typed)
    if argument in GROUPS:
        return await _objects(app, argument, typed.value, lambda key, name: f"{key} {name}".strip())
    return NOTHING


async def _objects(app: App, group: str, value: str, show: Callable[[int, str], str]) -> Completion:
    """Read the newest page of matches, in one request: the API answers no totals."""
    methods = app.bi.of(group)
    name = methods.kind.title
    page = await methods.list_page(
        select=["id", name], filter=build_filter(name, value), order={"id": "DESC"}
    )
    items: Sequence[Connector | Source | Dataset] = page.items
    values = [show(item.id, getattr(item, name) or "") for item in items]
    return Completion(values=values, total=None if page.more else len(values), has_more=page.more)


def build_filter(name: str, value: str) -> dict[str, Any]:
    """A name that contains the value, or an id that begins with it. The operator takes no percent sign."""
    wanted = value.replace("%", "")
    if not wanted:
        return {}
    contains = {f"%{name}": wanted}
    known = _ID.fullmatch(wanted)
    if known is None:
        return contains
    alternatives = [contains, *([{"id": int(known[1])}] if known[2] else _beginning_with(int(known[1])))]
    return {"logic": "OR", **{str(place): part for place, part in enumerate(alternatives)}}


def _beginning_with(first: int) -> list[dict[str, Any]]:
    powers = [10**more for more in range(DIGITS_MORE + 1)]
    return [{">=id": first * power, "<=id": first * power + power - 1} for power in powers]


async def _tables(app: App, typed: _Typed) -> Completion:
    """The external tables of the source that the prompt names already."""
    source = _ID.fullmatch(typed.others.get("source", "").strip())
    if source is None:
        return NOTHING
    outside = await app.open_outside(int(source[1]))
    tables = await outside.tables(typed.value)
    # Not every endpoint searches, though each should.
    fitting = [
        table.external_code
        for table in tables.items
        if typed.value.lower() in f"{table.external_code} {table.title}".lower()
    ]
    more = tables.truncated or len(fitting) > MOST
    return Completion(values=fitting[:MOST], total=None if tables.truncated else len(fitting), has_more=more)
