"""Plain data that remembers where in its file each part stood."""

from __future__ import annotations

from typing import Any, NamedTuple


class Place(NamedTuple):
    """A place in a file, counted from one."""

    line: int
    column: int


class MarkedDict(dict[str, Any]):
    """A mapping, and the place of each of its names."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks = dict[str, Place]()


class MarkedList(list[Any]):
    """A list, and the place of each of its elements."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks = list[Place]()


def place_of(node: object, step: object) -> Place | None:
    """The place of a part of a mapping or a list, None where it is unknown."""
    if isinstance(node, MarkedDict) and isinstance(step, str):
        return node.marks.get(step)
    if isinstance(node, MarkedList) and isinstance(step, int) and 0 <= step < len(node.marks):
        return node.marks[step]
    return None
