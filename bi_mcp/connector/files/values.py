"""Shapes of values: how values are written, as declarations of a pattern and its reading in SQL.

The patterns are understood alike by Python, which chooses shapes from a sample, and by the engine, which verifies the choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bi_mcp.base.language import say, text
from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import quote

SPACES = " \t\u00a0\u2007\u2009\u202f"
# In a column of numbers or dates these stand for a missing value. They are compared in small letters.
_MISSING_MARKS = (
    "na n/a #n/a n.a. null none nan nil - -- – — . ? \\n inf -inf infinity -infinity #null! #div/0! #value! #ref! #name? #num! "
    "#н/д #дел/0! #знач! #ссылка! #имя? #число! н/д нет <na> nat"
)
# What 1C and MySQL write for a day that there is none of.
_NO_DAYS = (
    "01.01.0001",
    "01.01.0001 0:00:00",
    "01.01.0001 00:00:00",
    "0001-01-01t00:00:00",
    ".  .",
    "00.00.0000",
    "0000-00-00",
    "0000-00-00 00:00:00",
)
MISSING = (*_MISSING_MARKS.split(), *_NO_DAYS)
NULL_MARK = "\\N"


@dataclass(frozen=True)
class Shape:
    """A way of writing values of a type. `sql` reads the text `{}`; `words`, templates with `unit` and `zone`, tell a person about it."""

    type: Type
    pattern: str
    sql: str
    words: tuple[str, ...] = ()
    unit: str = ""
    rank: int = 0
    # What two shapes that both fit differ in: a mark for decimals, an order of day and month.
    choice: str = ""

    def matches(self, value: str) -> bool:
        return _compiled(self.pattern).fullmatch(value) is not None

    def describe(self, zone: str) -> str:
        """Say what a person should know about it, `zone` being the portal's; nothing for what is plain."""
        return ", ".join(say(template, unit=self.unit, zone=zone) for template in self.words)

    def reading(self, value: str) -> str:
        """Return the SQL that reads a text, and is missing if the text has another shape."""
        return f"CASE WHEN regexp_full_match({value}, {quote(self.pattern)}) THEN {self.sql.replace('{}', value)} END"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


MINUS = "[-\u2212\u2013]"
BOOLEAN = Shape(
    "int",
    "(?i:true|false)",
    "CAST(CASE lower({}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END AS BIGINT)",
    (text("TRUE is 1, FALSE is 0"),),
)

_PLAIN = re.compile(
    rf"{MINUS}?[$€£₽]?[0-9]+(?:[.,'{SPACES}][0-9]+)*%?|[0-9]{{1,4}}([-./])[0-9]{{1,2}}\1[0-9]{{1,4}}(?:[ T].*)?"
)


def is_plain_value(value: str) -> bool:
    """Tell whether a text is a number or a date and could hardly name a column."""
    return _PLAIN.fullmatch(value.strip()) is not None
