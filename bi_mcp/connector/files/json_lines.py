"""JSON: one object per line, or a list of objects. Its own types count: a text is never taken for a number."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bi_mcp.base.language import say
from bi_mcp.connector.files.delimited import RawTable, load_records
from bi_mcp.connector.files.encoding import detect_encoding
from bi_mcp.connector.files.engine import Engine
from bi_mcp.connector.files.kinds import DataFile
from bi_mcp.connector.files.profile import Hints
from bi_mcp.connector.options import SourceOptions
from bi_mcp.errors import ConfigError

CHUNK = 1 << 18

_LIST_OF_ALL = re.compile(r"\[\s*([\[{\]]|$)")
_BETWEEN = re.compile(r"[\s,]*")


class _Number(str):
    """The text of a number: nothing is lost that a float would round."""

    __slots__ = ()


@dataclass(frozen=True)
class JsonObjects:
    file: DataFile
    encoding: str

    def __iter__(self) -> Iterator[dict[str, object]]:
        """Iterate over the objects. Raises ConfigError with the line of whatever else there is."""
        with (
            self.file.open() as opened,
            io.TextIOWrapper(opened, self.encoding, errors="replace") as text,
        ):
            yield from _unwrapped(_Objects(self.file.name, text))


def examine_json(file: DataFile, options: SourceOptions) -> JsonObjects:
    """Look at the first object. Raises ConfigError if there is none."""
    with file.open() as opened:
        encoding = detect_encoding(opened, options.encoding, file.name)
    objects = JsonObjects(file, encoding.name)
    if next(iter(objects), None) is None:
        raise ConfigError(say("{name} holds no objects. Export it again, or remove it.", name=file.name))
    return objects


def load_json(engine: Engine, objects: JsonObjects, options: SourceOptions) -> RawTable:
    """Load all objects: a column for each of their keys. Lists and objects within become their JSON."""
    names: dict[str, int] = {}
    texts: set[int] = set()
    for entry in objects:
        for key, value in entry.items():
            at = names.setdefault(key, len(names))
            if value is not None and not isinstance(value, (_Number, bool)):
                texts.add(at)
    if not names:
        raise ConfigError(
            say("{name} holds objects without keys. Export it again, or remove it.", name=objects.file.name)
        )
    raw = RawTable(engine.new_name("raw"), tuple(names), Hints(options.culture), texts=frozenset(texts))
    rows = ([_text(entry.get(name)) for name in names] for entry in objects)
    load_records(engine, raw.table, len(names), rows)
    return raw


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _unwrapped(objects: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Give the entries of a single list of objects that the only object holds, as answers of services are written."""
    entries = iter(objects)
    first, second = next(entries, None), next(entries, None)
    if first is None:
        return
    lists = [value for value in first.values() if isinstance(value, list) and value]
    if second is None and len(lists) == 1 and all(isinstance(entry, dict) for entry in lists[0]):
        yield from lists[0]
        return
    yield first
    if second is not None:
        yield second
    yield from entries


class _Objects:
    """Reader of objects with whatever space, commas and brackets between them, of which it holds a piece at a time."""

    def __init__(self, name: str, text: io.TextIOBase) -> None:
        self._name = name
        self._text = text
        self._decoder = json.JSONDecoder(
            parse_int=_Number, parse_float=_Number, parse_constant=lambda _: None
        )
        self._buffer = ""
        self._line = 1
        self._header: list[str] | None = None

    def __iter__(self) -> Iterator[dict[str, object]]:
        self._more()
        self._drop(len(self._buffer) - len(self._buffer.lstrip("\ufeff \t\r\n")))
        # Lists line by line are rows; one list of all holds objects or rows.
        listed = _LIST_OF_ALL.match(self._buffer) is not None
        if listed:
            self._drop(1)
        while self._skip():
            if listed and self._buffer.startswith("]"):
                return
            value, end = self._decode()
            yield from self._entries(value)
            self._drop(end)

    def _entries(self, value: object) -> Iterator[dict[str, object]]:
        """Take a value for an object: a list has the names that the first list gives."""
        if isinstance(value, dict):
            yield value
        elif not isinstance(value, list):
            raise ConfigError(
                say(
                    "{name}, line {line}: this is not an object. Correct it.",
                    name=self._name,
                    line=self._line,
                )
            )
        elif self._header is None:
            self._header = [str(name) for name in value]
        elif len(value) == len(self._header):
            yield dict(zip(self._header, value, strict=True))
        else:
            raise ConfigError(
                say(
                    "{name}, line {line}: it does not fit the columns (values: {count}, columns: {width}). Correct it.",
                    name=self._name,
                    line=self._line,
                    count=len(value),
                    width=len(self._header),
                )
            )

    def _skip(self) -> bool:
        """Go to the next object; False at the end."""
        while True:
            matched = _BETWEEN.match(self._buffer)
            self._drop(matched.end() if matched else 0)
            if self._buffer:
                return True
            if not self._more():
                return False

    def _decode(self) -> tuple[object, int]:
        while True:
            try:
                return self._decoder.raw_decode(self._buffer)
            except (ValueError, RecursionError):
                if not self._more():
                    raise ConfigError(
                        say(
                            "{name}, line {line}: this is not valid JSON. Correct it.",
                            name=self._name,
                            line=self._line,
                        )
                    ) from None

    def _more(self) -> bool:
        # A large object is decoded again each time: twice as much helps more often.
        piece = self._text.read(max(CHUNK, len(self._buffer)))
        self._buffer += piece
        return bool(piece)

    def _drop(self, characters: int) -> None:
        self._line += self._buffer.count("\n", 0, characters)
        self._buffer = self._buffer[characters:]
