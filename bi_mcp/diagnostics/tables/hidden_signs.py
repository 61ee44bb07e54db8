"""Signs that cannot be seen, where the scripts around them have no use for them. Pure."""

from __future__ import annotations

import re

_LETTER = "[A-Za-zА-Яа-яЁё]"
_BETWEEN_LETTERS = rf"(?<={_LETTER})[\u200b-\u200d\u2060\ufeff\u180e\u115f\u1160\u3164\uffa0](?={_LETTER})"
# A mark of direction stands beside Latin and Cyrillic letters only in texts that have letters from right to left as well.
_DIRECTIONS = rf"[\u200e\u200f\u061c\u202a-\u202c\u2066-\u2069](?={_LETTER})|(?<={_LETTER})[\u200e\u200f\u061c\u202a-\u202c\u2066-\u2069]"
_ALWAYS = re.compile(
    rf"{_BETWEEN_LETTERS}|[\u202d\u202e\u2061-\u2064\u206a-\u206f]"
    # Hangul fillers belong between Korean letters, tags after a flag, selectors after the sign that they change.
    rf"|(?<![\u1100-\u11ff\u3130-\u318f\uac00-\ud7af])[\u115f\u1160\u3164\uffa0](?={_LETTER})"
    r"|(?<![\U0001F3F4\U000E0020-\U000E007F])[\U000E0000-\U000E007F]"
    r"|[\ufe00-\ufe0f]{2}|(?<![\u3400-\u9fff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_BESIDE_LETTERS = re.compile(_DIRECTIONS)
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def hides_something(text: str) -> bool:
    """Check whether a text holds signs that only hide something."""
    if text.isascii():
        return False
    if _ALWAYS.search(text):
        return True
    return _BESIDE_LETTERS.search(text) is not None and not _RIGHT_TO_LEFT.search(text.replace("\ufeff", ""))
