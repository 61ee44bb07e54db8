"""Lost columns paired with the external columns that took their place: by code, label, place, type and values. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bi_mcp.base.language import say
from bi_mcp.diagnostics.tables.column_evidence import Clue, Evidence, weigh
from bi_mcp.diagnostics.tables.column_likeness import fold, spell
from bi_mcp.diagnostics.tables.external import ExternalColumn, is_code
from bi_mcp.diagnostics.tables.place import Places
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Column

# "sure": its name says so. "likely": the same name in another spelling, and its place. "weak": look at it before anything is changed.
Grade = Literal["sure", "likely", "weak"]

# Wide tables in which every column was renamed: beyond this many pairs, only those of one name or place are compared.
MAX_COMPARED = 10_000


@dataclass(frozen=True)
class Pair:
    """A lost column with what is probably the same column outside, and the evidence. `rivals` are codes for which it speaks as much."""

    column: Column
    new: ExternalColumn
    grade: Grade
    evidence: tuple[Evidence, ...]
    rivals: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """True if the column may be replaced without a look at it."""
        return self.grade != "weak"

    @property
    def reasons(self) -> str:
        """The evidence as a part of a sentence."""
        return ", ".join(say(piece.said, **piece.facts) for piece in self.evidence)


@dataclass(frozen=True)
class Outer:
    """The columns outside and sampled values by code, as far as they are known."""

    columns: Sequence[ExternalColumn]
    values: Mapping[str, Sequence[object]]
    generation: PortalGeneration = "tables"


class _Weighed(NamedTuple):
    score: int
    lost: int
    new: int
    evidence: tuple[Evidence, ...]
    grade: Grade


def pair_columns(columns: Sequence[Column], outer: Outer) -> list[Pair]:
    """Pair each lost column with at most one new one, in the order of the columns.

    The strongest evidence is followed first, so that no pair takes away the better half of another. Where two pairs have
    as much of it, neither is more than weak.
    """
    there = {column.code for column in outer.columns}
    known = {column.external_code or "" for column in columns}
    lost = [column for column in columns if column.external_code not in there]
    new = list(
        {
            column.code: column
            for column in outer.columns
            if is_code(column.code) and column.code not in known
        }.values()
    )
    if not lost or not new:
        return []
    weighed = sorted(
        _weigh_all(columns, lost, new, outer), key=lambda pair: (-pair.score, pair.lost, pair.new)
    )
    chosen = _choose(weighed, new)
    return [
        Pair(lost[index], new[pair.new], pair.grade, pair.evidence, rivals)
        for index, (pair, rivals) in sorted(chosen.items())
    ]


def _weigh_all(
    columns: Sequence[Column], lost: Sequence[Column], new: Sequence[ExternalColumn], outer: Outer
) -> Iterator[_Weighed]:
    places = Places(
        [column.external_code or "" for column in columns], [column.code for column in outer.columns]
    )
    labels = defaultdict[str, int](int)
    for column in outer.columns:
        labels[_key(column.name)] += 1
    for at, to in _candidates(lost, new, places):
        old, other = lost[at], new[to]
        clue = Clue(
            old,
            other,
            # A label that several columns have names none of them, and one that repeats the code says nothing new.
            label=other.name
            if labels[_key(other.name)] == 1 and _key(other.name) != _key(other.code)
            else "",
            place=places.compare(old.external_code or "", other.code),
            values=outer.values.get(other.code, ()),
            generation=outer.generation,
            old_values=outer.values.get(old.external_code or "", ()),
        )
        found = weigh(clue)
        if found is not None:
            yield _Weighed(sum(piece.weight for piece in found.evidence), at, to, found.evidence, found.grade)


def _candidates(
    lost: Sequence[Column], new: Sequence[ExternalColumn], places: Places
) -> Iterator[tuple[int, int]]:
    if len(lost) * len(new) <= MAX_COMPARED:
        yield from ((at, to) for at in range(len(lost)) for to in range(len(new)))
        return
    by_key = defaultdict[str, dict[int, None]](dict)
    for to, column in enumerate(new):
        for key in _keys(column.code, column.name):
            by_key[key][to] = None
    index = {column.code: to for to, column in enumerate(new)}
    for at, old in enumerate(lost):
        found = dict[int, None]()
        for key in _keys(old.external_code or "", old.name or ""):
            found |= by_key.get(key, {})
        opposite = places.opposite(old.external_code or "")
        if opposite is not None and opposite in index:
            found[index[opposite]] = None
        # Hundreds of columns of one label would be as many pairs again.
        yield from ((at, to) for to in list(found)[: MAX_COMPARED // 100])


def _key(name: str) -> str:
    return spell(name).joined or fold(name)


def _keys(*names: str) -> set[str]:
    return {key for name in names for key in (fold(name), spell(name).joined) if key}


def _choose(
    weighed: Sequence[_Weighed], new: Sequence[ExternalColumn]
) -> dict[int, tuple[_Weighed, tuple[str, ...]]]:
    """Choose pairs from the strongest to the weakest. A new column of a weak pair stays free for others."""
    chosen = dict[int, tuple[_Weighed, tuple[str, ...]]]()
    taken = set[int]()
    at_best = _ties(weighed)
    for pair in weighed:
        if pair.lost in chosen or pair.new in taken:
            continue
        same_lost, same_new = at_best[pair.score, "lost", pair.lost], at_best[pair.score, "new", pair.new]
        rivals = tuple(new[to].code for to in same_lost if to != pair.new and to not in taken)
        contested = any(at != pair.lost and at not in chosen for at in same_new)
        if rivals or contested:
            chosen[pair.lost] = (pair._replace(grade="weak"), rivals)
            continue
        chosen[pair.lost] = (pair, ())
        if pair.grade != "weak":
            taken.add(pair.new)
    return chosen


def _ties(weighed: Sequence[_Weighed]) -> Mapping[tuple[int, str, int], list[int]]:
    """By score and side: the other halves of the pairs that have this score."""
    ties = defaultdict[tuple[int, str, int], list[int]](list)
    for pair in weighed:
        ties[pair.score, "lost", pair.lost].append(pair.new)
        ties[pair.score, "new", pair.new].append(pair.lost)
    return ties
