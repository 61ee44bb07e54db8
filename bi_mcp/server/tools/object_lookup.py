"""An object that is named by its title, or written as maps and links write it: found, or refused where it may be another."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.kinds import KINDS, Group

if TYPE_CHECKING:
    from bi_mcp.rest.kind_methods import KindMethods
    from bi_mcp.server.tools.middleware import ToolCall

# A table is a dataset by its newer name.
ObjectKind: TypeAlias = Group | Literal["table"]

MOST_CANDIDATES = 10

# As links and maps write an object, or a number as text.
_WRITTEN = re.compile(r"\s*(?:(?:bi://)?([a-z]+)[ /:]\s*)?#?([1-9][0-9]{0,17})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """The place of a name: a call, `where` in its arguments, and the kinds that may be meant, the proper one first."""

    call: ToolCall
    where: str
    kinds: tuple[ObjectKind, ...]


@dataclass(frozen=True)
class NamedObject:
    """An object of the portal, with its title where that was read."""

    kind: ObjectKind
    id: int
    title: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.id} {quote(self.title)}"


async def find_object(place: Place, name: str) -> NamedObject:
    """Find the only object that the name can mean. A name that is the title of one and the id of another means neither."""
    written = _read_written(place, name)
    titled: list[NamedObject] = []
    for kind in place.kinds:
        titled = await _list(place, kind, title=name)
        if titled:
            break
    if len(titled) > 1:
        raise refuse_several(place, [(each.id, each.title) for each in titled])
    if not titled and written:
        return written
    if not titled:
        kind = place.kinds[0]
        methods = _methods(place, kind)
        page = await methods.list_page(select=["id", methods.kind.title])
        raise refuse_missing(place, name, [(item.id, item.label) for item in page.items])
    [meant] = titled
    if written and (written.kind, written.id) != (meant.kind, meant.id):
        rivals = await _list(place, written.kind, id=written.id)
        if rivals:
            raise refuse_ambiguous(place, [str(each) for each in (meant, *rivals)])
    return meant


def _read_written(place: Place, name: str) -> NamedObject | None:
    """What is written as an id, of a kind that may stand here; of the proper kind where none is written."""
    if not (found := _WRITTEN.fullmatch(name)):
        return None
    word = (found[1] or place.kinds[0]).lower()
    return next((NamedObject(kind, int(found[2])) for kind in place.kinds if kind == word), None)


async def _list(place: Place, kind: ObjectKind, *, title: str = "", id: int = 0) -> list[NamedObject]:
    methods = _methods(place, kind)
    wanted = {"id": id} if id else {methods.kind.title: title}
    page = await methods.list_page(select=["id", methods.kind.title], filter=wanted)
    # A portal may compare without regard to capitals.
    return [NamedObject(kind, item.id, item.label) for item in page.items if id or item.label == title]


def _methods(place: Place, kind: ObjectKind) -> KindMethods[Any, Any, Any]:
    bi = place.call.app.bi
    return bi.tables if kind == "table" else bi.of(kind)


def refuse_several(place: Place, labels: Sequence[tuple[int, str]]) -> InvalidRequestError:
    """Refuse a title that several have."""
    return refuse(
        place,
        say(
            "{where}: several have this title: {candidates}",
            where=place.where,
            candidates=_candidates(labels),
        ),
    )


def refuse_ambiguous(place: Place, readings: Sequence[str]) -> InvalidRequestError:
    """Refuse what is the title of one and the id of another."""
    return refuse(
        place,
        say(
            "{where}: this is the title of one and the id of another: {candidates}; pass the id as a number",
            where=place.where,
            candidates=", ".join(readings),
        ),
    )


def refuse_missing(place: Place, name: str, labels: Sequence[tuple[int, str]]) -> InvalidRequestError:
    """Refuse a title that none has, and tell those that resemble it first."""
    if not labels and place.kinds:
        kind = place.kinds[0]
        noun = KINDS["dataset" if kind == "table" else kind].noun
        return refuse(place, say("{where}: there is no {noun} yet", where=place.where, noun=noun))
    alike = difflib.get_close_matches(name, [label for _, label in labels], n=MOST_CANDIDATES)
    closest = sorted(labels, key=lambda each: alike.index(each[1]) if each[1] in alike else len(alike))
    return refuse(
        place,
        say(
            "{where}: none has this title; there are {candidates}",
            where=place.where,
            candidates=_candidates(closest),
        ),
    )


def refuse(place: Place, problem: str) -> InvalidRequestError:
    """Refuse the call before anything is sent."""
    return InvalidRequestError(
        say(
            "{name} was not sent: {unknown}. Correct the arguments and call again.",
            name=place.call.tool.name,
            unknown=problem,
        )
    )


def _candidates(labels: Sequence[tuple[int, str]]) -> str:
    listed = [f"{id} {quote(label)}" for id, label in labels[:MOST_CANDIDATES]]
    return ", ".join(listed + ["…"] * (len(labels) > MOST_CANDIDATES))
