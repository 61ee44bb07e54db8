"""A form body and its filter as a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from tests.charts.refusal import RefusedError

Form: TypeAlias = "dict[str, str | Form]"

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_KEY = re.compile(r"(?P<negated>!?)(?P<operator>><|>=|<=|>|<|%|=|)(?P<name>.+)", re.DOTALL)


@dataclass(frozen=True)
class Test:
    """A condition as it arrived: a bare value, or a list of values. `grouped`: within a numbered group."""

    name: str
    operator: str
    negated: bool
    values: tuple[str, ...]
    listed: bool
    grouped: bool

    __test__ = False

    @property
    def prefix(self) -> str:
        return ("!" if self.negated else "") + self.operator

    @property
    def asks_for_missing(self) -> bool:
        """A bare *false*. Outside of a group 0 is a number."""
        return (
            not self.listed
            and self.operator in {"=", ""}
            and self.values[0] in ({"", "0"} if self.grouped else {""})
        )


@dataclass(frozen=True)
class Join:
    """Conditions and groups, joined by AND or OR."""

    logic: str
    members: tuple[Test | Join, ...]

    def tests(self) -> Iterator[Test]:
        """All conditions below."""
        for member in self.members:
            if isinstance(member, Join):
                yield from member.tests()
            else:
                yield member

    def groups(self) -> Iterator[Join]:
        """All groups below."""
        for member in self.members:
            if isinstance(member, Join):
                yield member
                yield from member.groups()


def parse_form(body: bytes) -> Form:
    """Read a form with bracketed names."""
    form: Form = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        whole = _NAME.fullmatch(name)
        if whole is None:
            raise RefusedError(f"The brackets of {name!r} do not match.")
        *path, last = [whole[1], *re.findall(r"\[([^\[\]]*)\]", whole[2])]
        target = form
        for step in path:
            below = target.setdefault(step or str(len(target)), {})
            if not isinstance(below, dict):
                raise RefusedError(f"{name!r} is a value and a list.")
            target = below
        target[last or str(len(target))] = value
    return form


def parse_filter(filter: Mapping[str, str | Form], *, grouped: bool = False) -> Join:
    """Read the filter of a form."""
    logic, members = "AND", list[Test | Join]()
    for key, value in filter.items():
        if key.upper() == "LOGIC":
            logic = str(value).upper()
        elif key.isdecimal() and isinstance(value, dict):
            members.append(parse_filter(value, grouped=True))
        else:
            members.append(_parse_test(key, value, grouped=grouped))
    if logic not in {"AND", "OR"}:
        raise RefusedError("LOGIC is AND or OR.")
    return Join(logic, tuple(members))


def _parse_test(key: str, value: str | Form, *, grouped: bool) -> Test:
    found = _KEY.fullmatch(key)
    if found is None:
        raise RefusedError(f"{key!r} names no column.")
    values = list(value.values()) if isinstance(value, dict) else [value]
    texts = tuple(item for item in values if isinstance(item, str))
    if len(texts) < len(values):
        raise RefusedError(f"The list of {key!r} holds lists.")
    return Test(
        found["name"], found["operator"], bool(found["negated"]), texts, isinstance(value, dict), grouped
    )
