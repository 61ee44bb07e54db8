"""JSON with comments and trailing commas, as editors keep it: read, and changed so that everything else stays letter for letter. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from bi_mcp.base.language import say

_GAP = re.compile(r"(?:[\s\ufeff]|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_LITERAL = re.compile(r"[-+.\w]+")
_MAX_DEPTH = 200


class DamagedError(ValueError):
    """The text is not JSON. `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Node:
    """A value and its place: `text[start:end]`. `members` are those of an object."""

    value: object
    start: int
    end: int
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Member:
    """A name, its place, its value, and the place of the comma behind it."""

    name: str
    start: int
    node: Node
    comma: int | None


def read(text: str) -> Node:
    """Read a whole document. Raises `DamagedError`; so does a name that an object holds twice."""
    reader = _Reader(text)
    node = reader.value(reader.gap(0), 0)
    end = reader.gap(node.end)
    if end != len(text):
        reader.refuse(say("more follows after the end"), end)
    return node


def with_member(text: str, path: tuple[str, ...], value: object) -> str:
    """Set the member at `path`, making the objects on the way. Raises `DamagedError` if something else is in the way."""
    if is_blank(text):
        return text.strip(" \t\r\n") + _render(_nest(path, value), "", "  ", "\n") + "\n"
    node, rest = _deepest(text, path)
    if not rest and node.value == value:
        return text
    if not rest and node.members and isinstance(value, Mapping):
        return _with_members(text, path, node, value)
    if not rest:
        owner, _ = _deepest(text, path[:-1])
        outer = _indent_at(text, _member(owner, path[-1]).start)
        new = _render(value, outer, _unit(text), _newline(text))
        changed = text[: node.start] + new + text[node.end :]
    else:
        changed = _insert(text, node, rest[0], _nest(rest[1:], value))
    return _verify(changed, _set(read(text).value, path, value))


def is_blank(text: str) -> bool:
    """Return whether the text is empty, like a file that a client made and never filled."""
    return not text.strip("\ufeff \t\r\n")


def without_member(text: str, path: tuple[str, ...]) -> str:
    """Remove the member at `path`, or return the text as it is where there is none."""
    owner, rest = _deepest(text, path[:-1])
    if rest or path[-1] not in {member.name for member in owner.members}:
        return text
    place = next(i for i, member in enumerate(owner.members) if member.name == path[-1])
    member = owner.members[place]
    end = member.node.end if member.comma is None else member.comma + 1
    start = _line_start(text, member.start)
    changed = text[:start] + text[end:]
    before = owner.members[place - 1].comma if place else None
    if member.comma is None and before is not None:
        changed = changed[:before] + changed[before + 1 :]
    return _verify(changed, _without(read(text).value, path))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def gap(self, at: int) -> int:
        """The end of blanks and comments."""
        found = _GAP.match(self._text, at)
        end = found.end() if found else at
        if self._text.startswith("/*", end):
            self.refuse(say("a comment has no end"), end)
        return end

    def value(self, at: int, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            self.refuse(say("it is nested too deeply"), at)
        match self._text[at : at + 1]:
            case "{":
                return self._object(at, depth)
            case "[":
                return self._array(at, depth)
            case '"':
                return self._string(at)
            case _:
                return self._literal(at)

    def _object(self, start: int, depth: int) -> Node:
        members: list[Member] = []
        at = self.gap(start + 1)
        while not self._text.startswith("}", at):
            if members and members[-1].comma is None:
                self.refuse(say("a comma or a closing brace is missing"), at)
            if not self._text.startswith('"', at):
                self.refuse(say("a name in quotes is missing"), at)
            name = self._string(at)
            if name.value in {member.name for member in members}:
                self.refuse(say("{name!r} stands there twice", name=name.value), at)
            colon = self.gap(name.end)
            if not self._text.startswith(":", colon):
                self.refuse(say("a colon is missing"), colon)
            node = self.value(self.gap(colon + 1), depth + 1)
            behind = self.gap(node.end)
            comma = behind if self._text.startswith(",", behind) else None
            members.append(Member(str(name.value), at, node, comma))
            at = behind if comma is None else self.gap(comma + 1)
        return Node({each.name: each.node.value for each in members}, start, at + 1, tuple(members))

    def _array(self, start: int, depth: int) -> Node:
        values: list[object] = []
        separated = True
        at = self.gap(start + 1)
        while not self._text.startswith("]", at):
            if not separated:
                self.refuse(say("a comma or a closing bracket is missing"), at)
            node = self.value(at, depth + 1)
            values.append(node.value)
            at = self.gap(node.end)
            separated = self._text.startswith(",", at)
            at = self.gap(at + 1) if separated else at
        return Node(values, start, at + 1)

    def _string(self, at: int) -> Node:
        found = _STRING.match(self._text, at)
        if found is None:
            self.refuse(say("a text has no end"), at)
        return self._load(found)

    def _literal(self, at: int) -> Node:
        found = _LITERAL.match(self._text, at)
        if found is None:
            self.refuse(say("a value is missing"), at)
        return self._load(found)

    def _load(self, found: re.Match[str]) -> Node:
        try:
            return Node(json.loads(found[0]), found.start(), found.end())
        except ValueError:
            self.refuse(say("this is no value of JSON"), found.start())

    def refuse(self, reason: str, at: int) -> NoReturn:
        before = self._text[:at]
        raise DamagedError(reason, before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


def _deepest(text: str, path: tuple[str, ...]) -> tuple[Node, tuple[str, ...]]:
    """Follow a path as far as it leads; return the last node and the rest of the path."""
    node = read(text)
    for depth, name in enumerate(path):
        if not isinstance(node.value, dict):
            _Reader(text).refuse(say("an object in braces is expected"), node.start)
        found = [member for member in node.members if member.name == name]
        if not found:
            return node, path[depth:]
        node = found[0].node
    return node, ()


def _with_members(text: str, path: tuple[str, ...], old: Node, value: Mapping[str, object]) -> str:
    """Change members one by one, so that comments between them stay."""
    for member in old.members:
        if member.name not in value:
            text = without_member(text, (*path, member.name))
    for name, each in value.items():
        text = with_member(text, (*path, name), each)
    return text


def _member(owner: Node, name: str) -> Member:
    return next(member for member in owner.members if member.name == name)


def _insert(text: str, owner: Node, name: str, value: object) -> str:
    """Add a last member: the comma goes behind the one before, the member behind its comment."""
    newline, unit = _newline(text), _unit(text)
    outer = _indent_at(text, owner.start)
    inner = _indent_at(text, owner.members[0].start) if owner.members else outer
    inner = inner if len(inner) > len(outer) else outer + unit
    close = owner.end - 1
    end = len(text[:close].rstrip())
    member = f"{newline}{inner}{json.dumps(name)}: {_render(value, inner, unit, newline)}"
    tail = text[end:close] if "\n" in text[end:close] else f"{newline}{outer}"
    if not owner.members:
        return text[:end] + member + tail + text[close:]
    last = owner.members[-1]
    if last.comma is not None:
        # A file that uses trailing commas keeps them.
        return text[:end] + member + "," + tail + text[close:]
    return text[: last.node.end] + "," + text[last.node.end : end] + member + tail + text[close:]


def _render(value: object, indent: str, unit: str, newline: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=unit).split("\n")
    return (newline + indent).join(lines)


def _nest(path: tuple[str, ...], value: object) -> object:
    for name in reversed(path):
        value = {name: value}
    return value


def _set(document: object, path: tuple[str, ...], value: object) -> object:
    if not path:
        return value
    known = document if isinstance(document, Mapping) else {}
    return {**known, path[0]: _set(known.get(path[0]), path[1:], value)}


def _without(document: object, path: tuple[str, ...]) -> object:
    if not isinstance(document, Mapping):
        return document
    if len(path) == 1:
        return {name: value for name, value in document.items() if name != path[0]}
    return {**document, path[0]: _without(document[path[0]], path[1:])}


def _verify(changed: str, meant: object) -> str:
    """Compare the value that a client will read with the meant one before a byte is written: its other servers are at stake."""
    if read(changed).value != meant:
        _Reader(changed).refuse(say("it cannot be changed with certainty"), 0)
    return changed


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _line_start(text: str, at: int) -> int:
    """The end of the line before, if only spaces come between it and this place."""
    before = text[:at].rstrip(" \t")
    if not before.endswith("\n"):
        return at
    return len(before) - (2 if before.endswith("\r\n") else 1)
