"""Whether a column may get another type without loss: sums of numbers and periods of dates must not end as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bi_mcp.diagnostics.tables.value_shapes import EMPTY, Shape, shape_of

# Written where there is no value: the connector ought to return null.
_NOTHING = frozenset(
    {"n/a", "#n/a", "na", "n.a.", "none", "null", "nil", "nan", "undefined", "unknown", "empty", "-", "--"}
    | {"—", "–", "?", ".", "нет", "н/д", "нет данных", "неизвестно", "не указано", "пусто"}
)
_DATES = frozenset({"date", "datetime"})
# Numbers of which a text keeps every sign, and that nobody adds up: article numbers, phone numbers, long ids.
_IDS = re.compile(r"0\d+|\+\d+|\d{19,}", re.ASCII)


def keeps_everything(values: Sequence[object], declared: str, other: str) -> bool:
    """Return whether every value fits the other type, and none loses what the declared type would give it.

    Numbers and dates that are only written in another way fit text, but then nothing can be added up or be grouped by
    month. Their connector has to write them otherwise.
    """
    filled = [(value, shape) for value in values if (shape := shape_of(value)) is not EMPTY]
    if not filled or not all(other in shape.types for _, shape in filled):
        return False
    wrong = [(value, shape) for value, shape in filled if declared not in shape.types]
    if other != "string":
        # A number that is a moment, or a moment that is cut to its day, is not what it was.
        return declared not in _DATES or other in _DATES
    if declared == "string":
        return True
    ids = [value for value, shape in wrong if _is_id(value, shape)]
    words = [value for value, shape in wrong if shape.family == "text" and value not in ids]
    if len(ids) + len(words) < len(wrong) or any(_means_nothing(value) for value in words):
        return False
    # A few words among numbers do not make them text; codes among numbers do.
    return bool(ids) or 2 * len(wrong) >= len(filled)


def _is_id(value: object, shape: Shape) -> bool:
    bare = str(value).strip()
    if shape.family == "text":
        return any(sign.isdigit() for sign in bare)
    return shape.family == "numbers" and _IDS.fullmatch(bare) is not None


def _means_nothing(value: object) -> bool:
    return str(value).strip().casefold() in _NOTHING
