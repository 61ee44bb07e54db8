"""Names that are one name in another spelling: misspelled words and usual short forms, word for word. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bi_mcp.diagnostics.tables.column_likeness import Likeness, liken, spell

# A short word that differs by a letter is another word: `form` and `from`, `contact` and `contract`.
SHORTEST_MISSPELLED = 5
SHORTEST_SWAPPED = 6
SHORTEST_WITHOUT_VOWEL = 7

_VOWELS = frozenset("aeiouy")
_DOUBLED = re.compile(r"(.)\1+")
# Ways to write one sound, of other transliterations.
_SOUNDS = (("shch", "sch"), ("kh", "h"), ("ts", "c"), ("ks", "x"), ("yo", "e"), ("w", "v"), ("j", "i"), ("y", "i"))  # fmt: skip

# By the short form. A prefix alone says nothing: `user` is not short for `username`, nor `net` for `network`.
_SHORT_FORMS: Mapping[str, frozenset[str]] = {
    short: frozenset(long.split())
    for short, long in {
        "acc": "account",
        "acct": "account",
        "addr": "address",
        "amt": "amount",
        "avg": "average",
        "cat": "category",
        "cnt": "count",
        "cust": "customer",
        "dep": "department",
        "dept": "department",
        "desc": "description",
        "descr": "description",
        "doc": "document",
        "dt": "date",
        "emp": "employee",
        "mgr": "manager",
        "msg": "message",
        "nm": "name",
        "num": "number",
        "org": "organization organisation",
        "pct": "percent percentage",
        "pos": "position",
        "prod": "product",
        "pwd": "password",
        "qnt": "quantity",
        "qty": "quantity",
        "tel": "telephone",
        "usr": "user",
    }.items()
}


def name_the_same(one: str, other: str) -> bool:
    """Return whether two names have the same words in the same order, misspelled or in a usual short form.

    More words name another thing: `user` and `user_id`. So does another order: `usd_eur` and `eur_usd`.
    """
    if liken(one, other) is Likeness.SAME:
        return True
    ours, theirs = spell(one), spell(other)
    if ours.numbers != theirs.numbers or not ours.stem:
        return False
    if len(ours.stem) != len(theirs.stem):
        return _is_misspelled(ours.joined, theirs.joined)
    return all(
        word == like or _is_short_form(word, like) or _is_misspelled(word, like)
        for word, like in zip(ours.stem, theirs.stem, strict=True)
    )


def are_comparable(one: str, other: str) -> bool:
    """Return whether two names are in the same letters: one in others may be a translation."""
    return one.isascii() == other.isascii()


def _is_short_form(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if long in _SHORT_FORMS.get(short, ()):
        return True
    # Without its vowels: `prc` of `price`, `cntry` of `country`.
    bare = long[0] + "".join(letter for letter in long[1:] if letter not in _VOWELS)
    return len(short) > 2 and len(long) >= len(short) + 2 and short == bare


def _is_misspelled(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < SHORTEST_MISSPELLED or short[0] != long[0]:
        return False
    return _sound(short) == _sound(long) or _are_swapped(short, long) or _lacks_vowel(short, long)


def _sound(word: str) -> str:
    """The word without what a listener does not hear."""
    for written, sound in _SOUNDS:
        word = word.replace(written, sound)
    return _DOUBLED.sub(r"\1", word)


def _are_swapped(one: str, other: str) -> bool:
    """`recieved` and `received`."""
    if len(one) != len(other) or len(one) < SHORTEST_SWAPPED:
        return False
    apart = [place for place, letter in enumerate(one) if letter != other[place]]
    if len(apart) != 2 or apart[1] != apart[0] + 1:
        return False
    first, second = apart
    return one[first] == other[second] and one[second] == other[first]


def _lacks_vowel(short: str, long: str) -> bool:
    """`custmer` and `customer`."""
    if len(long) != len(short) + 1 or len(long) < SHORTEST_WITHOUT_VOWEL:
        return False
    return any(
        letter in _VOWELS and long[:place] + long[place + 1 :] == short
        for place, letter in enumerate(long[:-1])
    )
