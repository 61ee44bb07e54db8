"""The place of a lost column among its neighbours, compared with the places of new ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

# "same": the same neighbours, and the same number between them. "between": between the same neighbours.
Place = Literal["same", "between", "elsewhere"]


class _Gap(NamedTuple):
    """Two neighbours that are on both sides. None: the end of the table."""

    before: str | None
    after: str | None


class _Spot(NamedTuple):
    gap: _Gap
    number: int
    of: int


class Places:
    """Where lost and new columns stand among those that are on both sides."""

    def __init__(self, ours: Sequence[str], theirs: Sequence[str]) -> None:
        kept = set(ours) & set(theirs)
        self._ours = _find_spots(ours, kept)
        self._theirs = _find_spots(theirs, kept)
        self._opposite = {(spot.gap, spot.number, spot.of): code for code, spot in self._theirs.items()}

    def compare(self, lost: str, new: str) -> Place:
        """Say whether the new column stands where the lost one stood."""
        ours, theirs = self._ours[lost], self._theirs[new]
        # Without a neighbour, every column of a table would be at the same place.
        if ours.gap != theirs.gap or ours.gap == (None, None):
            return "elsewhere"
        # New columns are usually appended, so the end of a table is nobody's own place.
        same = (ours.number, ours.of) == (theirs.number, theirs.of) and ours.gap.after is not None
        return "same" if same else "between"

    def opposite(self, lost: str) -> str | None:
        """The code of the new column at the same place."""
        return self._opposite.get(self._ours[lost])


def _find_spots(codes: Sequence[str], kept: set[str]) -> Mapping[str, _Spot]:
    """The spot of each code that is not on both sides."""
    spots = dict[str, _Spot]()
    run, before = list[str](), None
    for code in [*codes, None]:
        if code is not None and code not in kept:
            run.append(code)
            continue
        gap = _Gap(before, code)
        for number, each in enumerate(run):
            spots.setdefault(each, _Spot(gap, number, len(run)))
        run, before = [], code
    return spots
