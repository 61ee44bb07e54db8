"""Legal names of datasets and columns, made from the codes and titles of an external system.

The same code always gives the same name, and every change has a reason. Rules: section 4 of the API reference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.endpoints.question import DatasetColumn

MAX_DATASET_NAME = 230
MAX_COLUMN_NAME = 32
SUFFIX_DIGITS = 6

# As passports and addresses spell Russian (close to GOST R 52535), with the letters of the neighbouring alphabets.
_CYRILLIC = (
    dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True))
    | {"ё": "yo", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"}
    | dict.fromkeys("ъь", "")
    | dict(zip("іґўјћәғқңөұүһ", "iguycagqnouuh", strict=True))
    | {"ї": "yi", "є": "ye", "љ": "lj", "њ": "nj", "ђ": "dj", "џ": "dz"}
)
# Latin letters that do not come apart into a letter and an accent.
_LATIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th", "ı": "i"}
_SIGNS = {"%": " percent ", "№": " no ", "’": "", "'": "", "&": " and "}
_LETTERS = str.maketrans(_CYRILLIC | _LATIN)


@dataclass(frozen=True)
class LegalName:
    """A name that a portal takes, and why it is not the code itself (empty where it is)."""

    name: str
    reasons: tuple[str, ...] = ()


class NameRules(NamedTuple):
    """Rules for one kind of name. `spell` gives the letters their case, `stem` is used if nothing else is left.

    `keeps_code`: a code that is legal except for the case of its letters only changes its case, and is not split into
    words.
    """

    legal: re.Pattern[str]
    longest: int
    spell: Callable[[str], str]
    stem: str
    spelling: str
    keeps_code: bool


DATASET_NAMES = NameRules(
    re.compile(r"[a-z][a-z0-9_]*"),
    MAX_DATASET_NAME,
    str.lower,
    "table",
    text("written in small letters"),
    keeps_code=False,
)
# Portals that send no mapFields ask by name, and a connector can only find the code that equals it.
COLUMN_NAMES = NameRules(
    re.compile(r"[A-Z][A-Z0-9_]*"),
    MAX_COLUMN_NAME,
    str.upper,
    "COLUMN",
    text("written in capital letters"),
    keeps_code=True,
)


def dataset_name(code: str, title: str = "", taken: Iterable[str] = ()) -> LegalName:
    """Name a dataset after an external table. `taken` are the names of all datasets of the portal."""
    return _apart(_legal_name(code, title, DATASET_NAMES), {name.casefold() for name in taken}, DATASET_NAMES)


def column_names(columns: Sequence[tuple[str, str]], taken: Iterable[str] = ()) -> list[LegalName]:
    """Name columns after their `(code, title)`, in the same order, all different from each other and from `taken`.

    Codes that are legal already keep their spelling, in any position.
    """
    return _names(columns, taken, COLUMN_NAMES)


def name_as_dataset(described: Sequence[tuple[str, str, str]]) -> list[DatasetColumn]:
    """Make the columns that a dataset of these `(code, title, type)` would have."""
    names = column_names([(code, title) for code, title, _ in described])
    return [
        DatasetColumn(name.name, code, type_) for (code, _, type_), name in zip(described, names, strict=True)
    ]


def variable_names(codes: Sequence[str]) -> list[str]:
    """Name variables of the environment after codes of settings, in the same order, all different."""
    # Nothing asks for these by their code, so they may be split into words.
    rules = COLUMN_NAMES._replace(keeps_code=False)
    return [name.name for name in _names([(code, "") for code in codes], (), rules)]


def _names(columns: Sequence[tuple[str, str]], taken: Iterable[str], rules: NameRules) -> list[LegalName]:
    used = {name.casefold() for name in taken}
    first_choices = [_legal_name(code, title, rules) for code, title in columns]
    unchanged_first = sorted(range(len(columns)), key=lambda index: bool(first_choices[index].reasons))
    names = dict[int, LegalName]()
    for index in unchanged_first:
        names[index] = _apart(first_choices[index], used, rules)
        used.add(names[index].name.casefold())
    return [names[index] for index in range(len(columns))]


def transliterate(text: str) -> str:
    """Write Cyrillic and accented letters in plain Latin ones; other scripts stay as they are."""
    composed = unicodedata.normalize("NFC", text).lower().translate(_LETTERS)
    return "".join(
        sign for sign in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(sign)
    )


def _legal_name(code: str, title: str, rules: NameRules) -> LegalName:
    if _is_legal(code, rules):
        return LegalName(code)
    if rules.keeps_code and code.isascii() and _is_legal(rules.spell(code), rules):
        return LegalName(rules.spell(code), (say(rules.spelling),))
    reasons = list[str]()
    name = _spell(code, rules, reasons)
    if not name.strip("_0123456789") and title and title != code:
        reasons[:] = [say("the code has no letters, so it is named after the title")]
        name = _spell(title, rules, reasons)
    if not name:
        reasons.append(
            say("it cannot be written in Latin letters, so a number made from the code replaces it")
        )
        name = f"{rules.stem}_{rules.spell(_stable_suffix(code))}"
    if name[0].isdigit():
        reasons.append(say("a name must begin with a letter"))
        name = f"{rules.stem}_{name}"
    if len(name) > rules.longest:
        reasons.append(
            say(
                "cut to {most} characters; the end is made from the code, so it stays the same",
                most=rules.longest,
            )
        )
        name = _cut(name, f"_{rules.spell(_stable_suffix(code))}", rules)
    return LegalName(name, tuple(reasons))


def _is_legal(name: str, rules: NameRules) -> bool:
    return len(name) <= rules.longest and rules.legal.fullmatch(name) is not None


def _spell(text: str, rules: NameRules, reasons: list[str]) -> str:
    """Spell a text with the letters that are allowed, adding to the reasons."""
    text = unicodedata.normalize("NFC", text)
    apart = split_camel_case(text)
    signed = "".join(_SIGNS.get(sign, sign) for sign in apart)
    plain = transliterate(signed)
    name = rules.spell(re.sub(r"[^a-z0-9]+", "_", plain).strip("_"))
    changes = (
        (apart != text, say("camelCase split into words")),
        (plain != signed.lower(), say("letters written in plain Latin")),
        (
            signed != apart or re.search(r"[^\w]|__|^_|_$", apart) is not None,
            say("signs other than letters, digits and _ replaced"),
        ),
        (_latin(text) != rules.spell(_latin(text)), say(rules.spelling)),
    )
    reasons.extend(reason for changed, reason in changes if changed)
    return name


def _latin(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isalpha())


def split_camel_case(text: str) -> str:
    """`orderTotal` -> `order_Total`, `HTTPCode` -> `HTTP_Code`; `IDs` and `H2O` stay."""
    parts = [
        sign if index == 0 or not _begins_word(text, index) else f"_{sign}" for index, sign in enumerate(text)
    ]
    return "".join(parts)


def _begins_word(text: str, index: int) -> bool:
    before, sign, after = text[index - 1], text[index], text[index + 1 : index + 3]
    if not sign.isupper():
        return False
    if before.islower():
        return True
    if before.isdigit():
        return after[:1].islower()
    return before.isupper() and len(after) == 2 and after.isalpha() and after.islower()


def _apart(choice: LegalName, used: Collection[str], rules: NameRules) -> LegalName:
    """Number a name that is taken: `_2`, `_3` …"""
    if choice.name.casefold() not in used:
        return choice
    number = 2
    while (name := _cut(choice.name, f"_{number}", rules)).casefold() in used:
        number += 1
    return LegalName(name, (*choice.reasons, say("{name} is taken", name=choice.name)))


def _cut(name: str, suffix: str, rules: NameRules) -> str:
    return name[: rules.longest - len(suffix)].rstrip("_") + suffix


def _stable_suffix(code: str) -> str:
    return sha256(code.encode(errors="surrogatepass")).hexdigest()[:SUFFIX_DIGITS]
