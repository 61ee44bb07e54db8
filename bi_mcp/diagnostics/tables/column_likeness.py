"""Likeness of two texts that name a column: the same word spelled otherwise, a longer or shorter name, or another word. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from bi_mcp.diagnostics.tables.naming import split_camel_case, transliterate

# Two words from which one is taken for the other, misspelled.
ALIKE = 0.85
SHORTEST_ALIKE = 4
LONGEST_SHORT_FORM = 4
# Beyond this many signs a name is compared by its beginning.
COMPARED_SIGNS = 64

# Cyrillic letters that look like Latin ones.
_LOOKALIKES = str.maketrans("авекмнорстухі", "abekmhopctyxi")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_VOWELS = frozenset("aeiou")


class Likeness(IntEnum):
    """How much one name is like another, the least first."""

    NONE = 0
    SHORT = 1  # `qty` and `quantity`
    PART = 2  # `amount` and `amount_gross`
    ALIKE = 3  # `adress` and `address`, `total_amount` and `amount_total`
    SAME = 4  # `Amount` and `amount`, `Сумма` and `summa`


class Spelling(NamedTuple):
    """A name, taken apart. `numbers` tell columns apart: `utm_1` is not the new name of `utm_2`."""

    folded: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def joined(self) -> str:
        """The name in plain Latin letters and digits."""
        return "".join(self.words)

    @property
    def stem(self) -> tuple[str, ...]:
        """The words without the numbers."""
        return tuple(word for word in self.words if not word.isdigit())


def fold(code: str) -> str:
    """Reduce a code to the signs that people notice: without case, spaces, signs, invisible characters and look-alike letters."""
    plain = unicodedata.normalize("NFKC", code).casefold().translate(_LOOKALIKES)
    return re.sub(r"[\W_]+", "", plain)


@lru_cache(maxsize=4096)
def spell(text: str) -> Spelling:
    """Take a name apart into words of plain Latin letters and numbers."""
    kept = unicodedata.normalize("NFKC", text[:COMPARED_SIGNS])
    plain = transliterate(split_camel_case(kept))
    words = tuple(_WORDS.findall(plain))
    return Spelling(fold(kept), words, tuple(word.lstrip("0") for word in words if word.isdigit()))


def liken(old: str, new: str) -> Likeness:
    """Compare two names."""
    one, other = spell(old), spell(new)
    if not one.folded or not other.folded:
        return Likeness.NONE
    if one.folded == other.folded or (one.joined and one.joined == other.joined):
        return Likeness.SAME
    if one.numbers != other.numbers or not one.stem or not other.stem:
        return Likeness.NONE
    return max(_compare_words(one.stem, other.stem), _compare_joined(one, other))


def are_numbered_apart(old: str, new: str) -> bool:
    """Return whether two names are the same but for their numbers, as those of different columns are."""
    one, other = spell(old), spell(new)
    return one.numbers != other.numbers and bool(one.stem) and one.stem == other.stem


def _compare_words(old: Sequence[str], new: Sequence[str]) -> Likeness:
    left, worst, found = list(new), Likeness.SAME, 0
    over = 0
    for word in old:
        pair = next(((other, how) for how, test in _TESTS for other in left if test(word, other)), None)
        if pair is None:
            over += 1
            continue
        left.remove(pair[0])
        worst, found = min(worst, pair[1]), found + 1
    if not found or (over and left):
        # `price_min` and `price_max` share a word, and are two things.
        return Likeness.NONE
    if worst is Likeness.SHORT:
        return worst
    return Likeness.PART if over or left else Likeness.ALIKE


def _compare_joined(one: Spelling, other: Spelling) -> Likeness:
    """Compare names whose words are not set apart on one side or on both, such as `AMOUNTGROSS`."""
    short, long = sorted((one, other), key=lambda name: len(name.joined))
    runs = {
        "".join(long.words[start:end])
        for start in range(len(long.words))
        for end in range(start + 1, len(long.words) + 1)
    }
    if len(short.words) > 1 and short.joined in runs:
        return Likeness.PART
    begins = len(short.joined) >= SHORTEST_ALIKE and long.joined.startswith(short.joined)
    if begins and (short.joined in runs or len(long.joined) >= len(short.joined) + 3):
        return Likeness.PART
    return (
        Likeness.ALIKE
        if _are_alike(one.joined, other.joined) and 1 in map(len, (one.words, other.words))
        else Likeness.NONE
    )


def _are_equal(one: str, other: str) -> bool:
    return one == other


def _are_plural(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) > 1 and long in {f"{short}s", f"{short}es", f"{short[:-1]}ies"}


@lru_cache(maxsize=4096)
def _are_alike(one: str, other: str) -> bool:
    """Typing errors and other transliterations rarely touch the first letter."""
    if min(len(one), len(other)) < SHORTEST_ALIKE or one[0] != other[0]:
        return False
    matcher = SequenceMatcher(None, one, other)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _is_short_form(one: str, other: str) -> bool:
    """`qty` of `quantity`, `cust` of `customer`, `dt` of `date`."""
    short, long = sorted((one, other), key=len)
    if not 1 < len(short) <= LONGEST_SHORT_FORM or len(long) < len(short) + 2 or short[0] != long[0]:
        return False
    if len(short) > 2 and long.startswith(short):
        return True
    bare = long[0] + "".join(letter for letter in long[1:] if letter not in _VOWELS)
    if short == bare:
        return True
    letters = iter(long)
    in_order = all(letter in letters for letter in short)
    few_vowels = sum(letter in _VOWELS for letter in short) <= 1
    return (
        in_order
        and len(short) > 2
        and few_vowels
        and (short[-1] == long[-1] or (short[1:].isalpha() and not _VOWELS & set(short[1:])))
    )


# The surest first.
_TESTS: tuple[tuple[Likeness, Callable[[str, str], bool]], ...] = (
    (Likeness.SAME, _are_equal),
    (Likeness.ALIKE, _are_plural),
    (Likeness.ALIKE, _are_alike),
    (Likeness.SHORT, _is_short_form),
)
