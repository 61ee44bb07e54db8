"""Codes of columns that are legal names of a dataset's columns, so that code and name never differ."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Container, Sequence

LONGEST = 32

_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "y",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "_",
            "y",
            "_",
            "e",
            "yu",
            "ya",
            "i",
            "yi",
            "ye",
            "g",
            "u",
        ],
        strict=True,
    )
)
_CYRILLIC |= {"ъ": "", "ь": ""}
_LATIN = {
    "ß": "ss",
    "æ": "ae",
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "ð": "d",
    "þ": "th",
    "ı": "i",
    "%": " pct ",
    "№": " no ",
}
_ILLEGAL = re.compile(r"[^A-Z0-9]+")


def legal_codes(identifiers: Sequence[str]) -> list[str]:
    """Give every identifier of a table a code: capitals, digits and underscores, at most 32 characters, each once.

    An identifier that differs from its code in capitals alone always has it; of the others the first has it, and each
    later one a mark that comes from its identifier. Columns added at the end thus leave the codes of the others as they are.
    """
    plain = [_spell(identifier) for identifier in identifiers]
    order = sorted(range(len(plain)), key=lambda at: plain[at] != identifiers[at].upper())
    taken = dict[str, int]()
    for at in order:
        taken[_unique(plain[at], identifiers[at], taken)] = at
    return sorted(taken, key=taken.__getitem__)


def _unique(code: str, identifier: str, taken: Container[str]) -> str:
    tries = itertools.chain([code], (_marked(code, identifier + "\0" * again) for again in itertools.count()))
    return next(candidate for candidate in tries if candidate not in taken)


def _spell(identifier: str) -> str:
    letters = "".join(_CYRILLIC.get(letter, _LATIN.get(letter, letter)) for letter in identifier.lower())
    ascii_only = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    code = _ILLEGAL.sub("_", ascii_only.upper()).strip("_")
    if not code:
        return _marked("COLUMN", identifier)
    if not code[0].isalpha():
        code = f"C_{code}"
    return code if len(code) <= LONGEST else _marked(code, identifier)


def _marked(code: str, identifier: str) -> str:
    return _shortened(code, "_" + hashlib.sha256(identifier.encode()).hexdigest()[:4].upper())


def _shortened(code: str, end: str) -> str:
    return code[: LONGEST - len(end)].rstrip("_") + end
