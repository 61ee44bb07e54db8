"""The evidence that an external column is a lost one under another code: data, and the rule how much of it is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.tables.column_likeness import Likeness, are_numbered_apart, fold, liken, spell
from bi_mcp.diagnostics.tables.column_words import are_comparable, name_the_same
from bi_mcp.diagnostics.tables.external import ExternalColumn, portal_type
from bi_mcp.diagnostics.tables.value_shapes import EMPTY, shape_of
from bi_mcp.diagnostics.tables.values import show_value
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Column

if TYPE_CHECKING:
    from bi_mcp.diagnostics.tables.column_pairing import Grade
    from bi_mcp.diagnostics.tables.place import Place

_NUMBERS = frozenset({"int", "double", "money"})
_DATES = frozenset({"date", "datetime"})
_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(_NUMBERS, text("numbers")),
    **dict.fromkeys(_DATES, text("dates")),
    "string": text("text"),
}
# A column of which so many of ten sampled values are of the expected kind holds that kind.
MOST_OF_TEN = 9


@dataclass(frozen=True)
class Evidence:
    """A piece of evidence: how much it weighs, and a part of a sentence that says it."""

    kind: str
    weight: int
    said: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Clue:
    """What is known of a lost column and a new one. `label` is the new one's, unless it distinguishes nothing. `old_values` are
    known where the data still has the column.
    """

    old: Column
    new: ExternalColumn
    label: str
    place: Place
    values: Sequence[object]
    generation: PortalGeneration
    old_values: Sequence[object] = ()


class Weight(NamedTuple):
    """The evidence for a pair, and how far it can be trusted."""

    grade: Grade
    evidence: tuple[Evidence, ...]


# Names weigh more than everything else together: a place, a type and values are those of many columns.
_CODE: Mapping[Likeness, tuple[int, str]] = {
    Likeness.SAME: (14, text("the code is the same but for signs and letters")),
    Likeness.ALIKE: (8, text("the codes are alike")),
    Likeness.PART: (7, text("one code contains the other")),
    Likeness.SHORT: (6, text("one code is a short form of the other")),
}
_LABEL: Mapping[Likeness, tuple[int, str]] = {
    Likeness.SAME: (12, text("its label is still '{label}'")),
    Likeness.ALIKE: (8, text("its label '{label}' is like the column's name")),
    Likeness.PART: (7, text("its label '{label}' contains the column's name, or is contained in it")),
    Likeness.SHORT: (6, text("its label '{label}' or the column's name is a short form of the other")),
}
_CASE = text("the code differs only in capital letters")
_NAMED = Evidence("name", 12, text("its code is the column's name"))
_PLACES: Mapping[Place, Evidence] = {
    "same": Evidence("place", 2, text("it stands at the same place")),
    "between": Evidence("place", 1, text("it stands between the same columns")),
}
_SURE = 12
# So many different values in one order are no coincidence.
ENOUGH_VALUES = 3
_SAME_VALUES = Evidence("data", 3, text("its values are those that the data still has under the old code"))

Fit = Literal["fits", "contradicts", "unknown"]


def weigh(clue: Clue) -> Weight | None:
    """Weigh the evidence. None where there is no more than a type: many columns have the same.

    A like name without its place, and a place without a like name, are weak. So is a name of more words, which may be that of
    another thing. So is everything that the type, the values or the label contradict, unless only signs and letters of the
    code changed.
    """
    name, place = _name_evidence(clue), _PLACES.get(clue.place)
    type_, values = _fit_of_type(clue), _fit_of_values(clue)
    contradicted = values == "contradicts" or (type_ == "contradicts" and values != "fits")
    agrees = _values_agree(clue)
    supported = (*((_SAME_VALUES,) if agrees else ()), *_support(clue, type_, values))
    if name is None:
        # As many other columns may stand there.
        apart = are_numbered_apart(clue.old.external_code or "", clue.new.code)
        if clue.place != "same" or type_ == "contradicts" or not supported or contradicted or apart:
            return None
    evidence = tuple(piece for piece in (name, place, *supported) if piece)
    if name is None or (name.kind == "code" and name.weight >= _SURE):
        return Weight("weak" if name is None else "sure", evidence)
    if contradicted or (_label_contradicts(clue) and not agrees):
        return Weight("weak", evidence)
    if name.weight >= _SURE:
        return Weight("sure" if len(evidence) > 1 else "likely", evidence)
    return Weight("likely" if place and (agrees or _is_one_name(clue)) else "weak", evidence)


def _is_one_name(clue: Clue) -> bool:
    """Return whether the code or the label is the old name, only spelled otherwise."""
    names = [name for name in (clue.old.external_code, clue.old.name) if name]
    return any(name_the_same(name, new) for name in names for new in (clue.new.code, clue.label) if new)


def _label_contradicts(clue: Clue) -> bool:
    """Return whether the new column says of itself that it is something else. A label in other letters may be a translation."""
    names = [name for name in (clue.old.external_code, clue.old.name) if name]
    return (
        bool(clue.label)
        and any(are_comparable(name, clue.label) for name in names)
        and all(liken(name, clue.label) is Likeness.NONE for name in names)
    )


def _values_agree(clue: Clue) -> bool:
    pairs = list(zip(clue.old_values, clue.values, strict=False))
    different = {str(value) for _, value in pairs if shape_of(value) is not EMPTY}
    return len(different) >= ENOUGH_VALUES and all(old == new for old, new in pairs)


def _name_evidence(clue: Clue) -> Evidence | None:
    """The strongest evidence that the code or the label gives."""
    old, name, new = clue.old.external_code or "", clue.old.name or "", clue.new.code
    found = list[Evidence]()
    code = liken(old, new)
    if code is Likeness.SAME and old.casefold() == new.casefold():
        found.append(Evidence("code", 16, _CASE))
    elif code is Likeness.SAME:
        weight, said = _CODE[code]
        found.append(Evidence("code", weight + (fold(old) == fold(new)), said))
    if name and liken(name, new) is Likeness.SAME:
        found.append(_NAMED)
    if clue.label:
        label = max(liken(name, clue.label), liken(old, clue.label))
        if label in _LABEL:
            weight, said = _LABEL[label]
            found.append(
                Evidence(
                    "label",
                    weight - _excess(name, clue.label, label),
                    said,
                    {"label": show_value(clue.label)},
                )
            )
    best = max(code, liken(name, new)) if name else code
    if best is Likeness.NONE and any(name_the_same(each, new) for each in (old, name) if each):
        best = Likeness.ALIKE
    if best in _CODE and best is not Likeness.SAME:
        weight, said = _CODE[best]
        found.append(Evidence("code", weight - _excess(old, new, best), said))
    return max(found, key=lambda piece: piece.weight, default=None)


def _excess(one: str, other: str, likeness: Likeness) -> int:
    """The words that a longer name has more, beyond the first: the nearest of several is the likeliest."""
    if likeness is not Likeness.PART:
        return 0
    return min(max(abs(len(spell(one).words) - len(spell(other).words)) - 1, 0), 2)


def _support(clue: Clue, type_: Fit, values: Fit) -> Iterator[Evidence]:
    ours = clue.old.type or "string"
    if values == "fits":
        kinds = say(_FAMILIES[ours])
        yield Evidence("values", 1, text("its values are {kinds} as before"), {"kinds": kinds})
    if type_ == "fits":
        yield Evidence("type", 1, text("its type is {type} as before"), {"type": ours})


def _fit_of_type(clue: Clue) -> Fit:
    if not clue.new.type:
        return "unknown"
    ours, theirs = clue.old.type or "string", portal_type(clue.new.type, clue.generation)
    if ours == theirs:
        return "fits"
    return "unknown" if _FAMILIES.get(ours) == _FAMILIES.get(theirs) else "contradicts"


def _fit_of_values(clue: Clue) -> Fit:
    ours = clue.old.type or "string"
    shapes = [shape for shape in map(shape_of, clue.values) if shape is not EMPTY]
    if not shapes or ours not in _FAMILIES:
        return "unknown"
    # A number may be written with a decimal comma before and after: that is another fault.
    right = sum(shape.family == _FAMILIES[ours] for shape in shapes)
    if right * 10 >= len(shapes) * MOST_OF_TEN:
        return "fits"
    # Text may hold anything.
    return "unknown" if ours == "string" else "contradicts"
