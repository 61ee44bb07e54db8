"""A fast reader for the usual form of a setup file: a name and its value, or a column, on each line.

It reads the output of `bi-mcp export` some ten times as fast as a YAML parser in Python. It reads nothing that YAML
could read differently: at a line of another kind it gives up, and the whole file goes to the parser.
"""

from __future__ import annotations

import json
import re
from time import monotonic
from typing import Any

from bi_mcp.setup.marked import MarkedDict, MarkedList, Place

LINES_BETWEEN_LOOKS = 1000

# Signs that only some readers of YAML take for spaces, line ends or nothing at all.
_ODD = re.compile(r"[^\n\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

# What YAML, or an older YAML, takes for something else than text.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_BOOLEANS = {"true": True, "false": False}

_KEY = r"[^\W\d][\w-]*"
_NUMBER = r"0|[1-9][0-9]{0,17}"
_ESCAPE = r'\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
_DOUBLE = rf'"[^"\\]*(?:(?:{_ESCAPE})[^"\\]*)*"'
_SINGLE = r"'(?:[^']|'')*'"


def _scalar(signs: str, after_colon: str) -> str:
    """A pattern for text between quotes, a number, or words that begin with a letter. Nothing here can match in two ways."""
    rest = rf"[{signs}#]*(?::(?={after_colon})[{signs}#]*)*"
    word = rf"(?:[{signs}]|:(?={after_colon})){rest}"
    return rf"(?:{_DOUBLE}|{_SINGLE}|{_NUMBER}|[^\W\d]{rest}(?: +{word})*)"


_SIGNS = r"\w./@%+()&*!$'\"=;<>^|~\-"
_IN_BRACES = _scalar(_SIGNS, r"[\w/]")
_ON_A_LINE = _scalar(rf"{_SIGNS},?\[\]{{}}`", r"\S")

_NAMED = re.compile(rf"( *)({_KEY}):(?= |$)")
_ITEM = re.compile(r"( *)- +(?={)")
_VALUE = re.compile(rf" +({_ON_A_LINE}|(?={{))")
_NEXT_PAIR = re.compile(rf" *({_KEY}): +({_IN_BRACES}) *([,}}])")
_END = re.compile(r"(?: +\#.*)? *$")


class _OtherError(Exception):
    """The file has a part that only the YAML parser can read."""


def read_plain_lines(text: str, until: float) -> MarkedDict | None:
    """The document, or None where it is not written in plain lines. Raises `TimeoutError` after `until` (monotonic)."""
    if _ODD.search(text):
        return None
    reading = _Reading()
    try:
        for number, line in enumerate(text.split("\n"), start=1):
            if number % LINES_BETWEEN_LOOKS == 0 and monotonic() > until:
                raise TimeoutError
            if line.strip(" ") and not line.lstrip(" ").startswith("#"):
                reading.take(line, number)
        return reading.end()
    except _OtherError:
        return None


class _Reading:
    """The mappings and lists that are open, the innermost last, each with its indentation."""

    def __init__(self) -> None:
        self._root = MarkedDict()
        self._open: list[tuple[int, MarkedDict | MarkedList]] = [(0, self._root)]
        # A name whose value begins on a deeper line.
        self._waiting: tuple[MarkedDict, str, int] | None = None

    def take(self, line: str, number: int) -> None:
        """Read a line that is neither empty nor a comment."""
        item = _ITEM.match(line)
        read = item or _NAMED.match(line)
        if read is None:
            raise _OtherError
        indent = len(read[1])
        holder = self._holder(indent, MarkedList if item else MarkedDict)
        if isinstance(holder, MarkedList):
            holder.marks.append(Place(number, read.end() + 1))
            holder.append(_braces(line, read.end(), number))
            return
        key = _name(holder, read[2])
        holder.marks[key] = Place(number, indent + 1)
        if _END.match(line, read.end()):
            self._waiting = (holder, key, indent)
        else:
            holder[key] = _named_value(line, read.end(), number)

    def end(self) -> MarkedDict:
        """The whole document."""
        if self._waiting or not self._root:
            raise _OtherError
        return self._root

    def _holder(self, indent: int, kind: type[MarkedDict | MarkedList]) -> MarkedDict | MarkedList:
        if self._waiting:
            parent, key, outer = self._waiting
            if indent <= outer:
                raise _OtherError
            parent[key] = child = kind()
            self._open.append((indent, child))
            self._waiting = None
        while self._open[-1][0] > indent:
            self._open.pop()
        there, holder = self._open[-1]
        if there != indent or not isinstance(holder, kind):
            raise _OtherError
        return holder


def _named_value(line: str, start: int, number: int) -> Any:
    read = _VALUE.match(line, start)
    if read is None:
        raise _OtherError
    if not read[1]:
        return _braces(line, read.end(), number)
    if not _END.match(line, read.end()):
        raise _OtherError
    return _value(read[1])


def _braces(line: str, start: int, number: int) -> MarkedDict:
    made, at = MarkedDict(), start + len("{")
    while pair := _NEXT_PAIR.match(line, at):
        key = _name(made, pair[1])
        made.marks[key] = Place(number, pair.start(1) + 1)
        made[key] = _value(pair[2])
        at = pair.end()
        if pair[3] == "}" and _END.match(line, at):
            return made
        if pair[3] == "}":
            break
    raise _OtherError


def _name(holder: MarkedDict, key: str) -> str:
    if key in holder or key.lower() in _WORDS:
        raise _OtherError
    return key


def _value(written: str) -> Any:
    first = written[0]
    if first == '"':
        return json.loads(written) if "\\" in written else written[1:-1]
    if first == "'":
        return written[1:-1].replace("''", "'")
    if first in "0123456789":
        return int(written)
    if written.lower() in _WORDS:
        if written not in _BOOLEANS:
            raise _OtherError
        return _BOOLEANS[written]
    return written
