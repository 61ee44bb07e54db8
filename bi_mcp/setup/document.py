"""The text of a setup file, YAML or JSON -> plain data with its places.

YAML is read event by event: an anchor, an alias, a tag or a merge is refused where it stands, before anything is made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

from bi_mcp.base.foreign_json import is_deep, whole_text
from bi_mcp.base.language import say
from bi_mcp.errors import SetupFileError
from bi_mcp.setup.marked import MarkedDict, MarkedList, Place
from bi_mcp.setup.plain_lines import read_plain_lines

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

MAX_DEPTH = 40

_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_HALVES = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


@dataclass(frozen=True)
class Bounds:
    """Bounds of reading a file: its size, and the time that reading may take."""

    characters: int
    seconds: float = inf


# A file of ten thousand datasets with thirty columns has some thirty megabytes; a larger file is not a setup.
OF_A_COMMAND = Bounds(64 * 1024 * 1024)

# A server has others to serve. A thousand datasets with twenty columns have 1.4 million characters.
OF_A_SERVER = Bounds(2_000_000, 2.0)


def read_document(text: str, name: str, bounds: Bounds = OF_A_COMMAND) -> tuple[dict[str, Any], bool]:
    """Read a document; and whether its places are known, as they are not for JSON. Raises `SetupFileError`."""
    if len(text) > bounds.characters:
        raise SetupFileError(
            say(
                "{name}: a setup file has at most {most} characters here, this one has {count}. Divide it into several.{hint}",
                name=name,
                most=bounds.characters,
                count=len(text),
                hint=_hint(bounds),
            )
        )
    until = monotonic() + bounds.seconds
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        document = _json(text)
        if document is not None:
            return document, False
        return read_plain_lines(text, until) or _compose(text, name, until), True
    except TimeoutError:
        raise SetupFileError(
            say(
                "{name}: reading it took longer than {seconds:g} seconds. Write it as an export does, each column on one line, or as JSON.{hint}",
                name=name,
                seconds=bounds.seconds,
                hint=_hint(bounds),
            )
        ) from None


def _hint(bounds: Bounds) -> str:
    return "" if bounds.seconds == inf else f" {say('The command line reads more, and for longer.')}"


def find_places(text: str, name: str, bounds: Bounds) -> MarkedDict | None:
    """A JSON document with its places; None where finding them would take too long."""
    try:
        return _compose(text.removeprefix("\ufeff"), name, monotonic() + bounds.seconds)
    except (SetupFileError, TimeoutError):
        return None


def _json(text: str) -> dict[str, Any] | None:
    """Parse JSON. None for text that is not JSON, and for text that JSON and YAML, or two readers of JSON, read differently."""
    if not text.lstrip().startswith("{") or _HALVES.search(text):
        return None
    try:
        document = json.loads(
            text, object_pairs_hook=_once, parse_float=_not_here, parse_constant=_not_here, parse_int=_whole
        )
    except (ValueError, RecursionError):
        return None
    return None if is_deep(document) else document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands there twice")
    return made


def _not_here(_: str) -> NoReturn:
    raise ValueError("a setup has only whole numbers")


def _whole(digits: str) -> int:
    return int(digits) if _WHOLE_NUMBER.fullmatch(digits) else _not_here(digits)


def _compose(text: str, name: str, until: float) -> MarkedDict:
    # Imported here: a server needs it only for the tools of the workspace.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    yaml = YAML(typ="rt", pure=True)
    try:
        return _Composing(yaml.parse(text), yaml.resolver, name, until).document()
    except (SetupFileError, TimeoutError):
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise SetupFileError(_not_read(error, at(name, _place(mark)) if mark else name)) from None
    except Exception as error:  # noqa: BLE001  signs and nesting that no setup has make the parser stumble over itself
        raise SetupFileError(
            say(
                "{name}: this is neither YAML nor JSON ({kind}). Write it as an export does.",
                name=name,
                kind=type(error).__name__,
            )
        ) from None


def _not_read(error: MarkedYAMLError, name: str) -> str:
    problem = " ".join((error.problem or "it ends too early").split())
    if "tag" in problem:
        # Its own text repeats the tag, and a value that begins with `!` may be a password.
        return say("{name}: tags are not read here. Put a value that begins with ! into quotes.", name=name)
    return say("{name}: this is neither YAML nor JSON: {problem}.", name=name, problem=problem)


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def at(name: str, place: Place) -> str:
    """`bi.yaml:3:7`."""
    return f"{name}:{place.line}:{place.column}"


class _Composing:
    """One run over the events of a YAML document."""

    def __init__(self, events: Iterator[Any], resolver: Any, name: str, until: float) -> None:
        self._events = events
        self._resolver = resolver
        self._name = name
        self._until = until

    def document(self) -> MarkedDict:
        """The only document of the text. It must be a mapping."""
        self._next("StreamStartEvent")
        first = self._next()
        if _kind(first) != "DocumentStartEvent" or _kind(root := self._next()) != "MappingStartEvent":
            raise SetupFileError(
                say(
                    "{name}:1:1: a setup file is a mapping that begins with `version: 1`. Begin the file with this line.",
                    name=self._name,
                )
            )
        document: MarkedDict = self._value(root, 0)
        self._next("DocumentEndEvent")
        after = self._next()
        if _kind(after) != "StreamEndEvent":
            self._refuse(after, say("a setup file holds one document. Remove this line and all after it"))
        return document

    def _next(self, kind: str | None = None) -> Any:
        if monotonic() > self._until:
            raise TimeoutError
        event = next(self._events)
        if kind and _kind(event) != kind:
            self._refuse(event, say("a setup file holds one document. Remove this line and all after it"))
        return event

    def _value(self, event: Any, depth: int) -> Any:
        self._check(event)
        if depth > MAX_DEPTH:
            self._refuse(event, say("this is nested too deeply for a setup file; remove levels"))
        if _kind(event) == "MappingStartEvent":
            return self._mapping(depth)
        if _kind(event) == "SequenceStartEvent":
            return self._list(depth)
        return self._scalar(event)

    def _mapping(self, depth: int) -> MarkedDict:
        made = MarkedDict()
        while _kind(event := self._next()) != "MappingEndEvent":
            self._check(event)
            key = self._key(event)
            if key in made:
                self._refuse(event, say("this name is there twice. Keep one of them"))
            made.marks[key] = _place(event.start_mark)
            made[key] = self._value(self._next(), depth + 1)
        return made

    def _list(self, depth: int) -> MarkedList:
        made = MarkedList()
        while _kind(event := self._next()) != "SequenceEndEvent":
            made.marks.append(_place(event.start_mark))
            made.append(self._value(event, depth + 1))
        return made

    def _key(self, event: Any) -> str:
        if _kind(event) != "ScalarEvent":
            self._refuse(event, say("a name is one line of text"))
        if self._kind_of(event) == "merge":
            self._refuse(event, say("merges (<<) are not read here. Write the part out"))
        return whole_text(event.value)

    def _check(self, event: Any) -> None:
        """Refuse anchors, aliases and tags. A value that begins with `*`, `&` or `!` may be a password, so none of them is repeated."""
        if _kind(event) == "AliasEvent" or event.anchor is not None:
            self._refuse(event, say("anchors are not read here. Write the part out"))
        if event.tag is not None:
            self._refuse(event, say("tags are not read here. Put a value that begins with ! into quotes"))

    def _scalar(self, event: Any) -> object:
        kind, value = self._kind_of(event), event.value
        if kind == "str":
            return whole_text(value)
        if kind == "null":
            return None
        if kind == "bool":
            return value.lower() == "true"
        # `0123` and `0x1F` are numbers to YAML and passwords to people.
        if kind == "int" and _WHOLE_NUMBER.fullmatch(value):
            return int(value)
        return self._refuse(
            event, say("this may lose its spelling ({kind}). Put the value into quotes", kind=kind)
        )

    def _kind_of(self, event: Any) -> str:
        from ruamel.yaml.nodes import ScalarNode

        if not event.implicit[0]:
            return "str"
        tag = self._resolver.resolve(ScalarNode, event.value, event.implicit)
        return str(tag).rpartition(":")[2]

    def _refuse(self, event: Any, why: str) -> NoReturn:
        raise SetupFileError(f"{at(self._name, _place(event.start_mark))}: {why}.")


def _kind(event: object) -> str:
    return type(event).__name__
