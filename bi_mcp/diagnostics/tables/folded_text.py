"""Texts in the form in which orders are looked for: what looks alike is written alike. Pure, in linear time."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

# Signs that take no room. NFKC has made U+1160 of U+3164 and U+FFA0.
_WITHOUT_WIDTH = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\ufe00-\ufe0f\ufeff"
    r"\U000e0000-\U000e0fff]"
)
_TO_LATIN = str.maketrans(
    "АВЕКМНОРСТУХІЈЅԚԜаеорсухіјѕһԁԛԝκνοραιΑΒΕΗΙΚΜΝΟΡΤΥΧΖɡıɪᴀʙᴄᴅᴇɢʜᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ",
    "ABEKMHOPCTYXIJSQWaeopcyxijshdqwkvopaiABEHIKMNOPTYXZgiiabcdeghjklmnoprtuvwyz",
)
_TO_CYRILLIC = str.maketrans("ABEKMHOPCTYXaeopcyxkmtёЁ", "АВЕКМНОРСТУХаеорсухкмтеЕ")
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")
# Dashes, quotes, brackets and the marks of Markdown are left out: they are often between words that belong together.
_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[.!?;:,<>|\[\]/\n]")
_SPACED_LETTERS = re.compile(r"(?<!\S)(?:\w ){3,}\w(?!\S)")
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}={0,2}")
MOST_DECODED = 3
LONGEST_DECODED = 1000


class Folded(NamedTuple):
    """A text as words and signs with one space after each: with Latin letters without accents, and with Cyrillic ones."""

    latin: str
    cyrillic: str


def fold(text: str) -> Folded:
    """Fold a text. `cyrillic` is empty where no letter is Cyrillic."""
    plain = unfold_signs(text)
    if "&" in plain:
        plain = html.unescape(plain)
    if "%" in plain:
        plain = unquote(plain)
    latin = plain
    if not plain.isascii():
        bare = "".join(
            sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign)
        )
        latin = bare.translate(_TO_LATIN)
    has_cyrillic = _CYRILLIC.search(plain) is not None
    return Folded(_space(latin), _space(plain.translate(_TO_CYRILLIC)) if has_cyrillic else "")


def unfold_signs(text: str) -> str:
    """The same text in the usual forms of its signs, without those that cannot be seen."""
    if text.isascii():
        return text
    return _WITHOUT_WIDTH.sub("", unicodedata.normalize("NFKC", text))


def decode_hidden(text: str) -> list[str]:
    """The texts that are hidden in Base64."""
    decoded = []
    for found in _ENCODED.findall(text)[:MOST_DECODED]:
        code = found[:LONGEST_DECODED].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            inner = base64.b64decode(code[: len(code) // 4 * 4] + _last_group(code)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if inner.isprintable():
            decoded.append(inner)
    return decoded


def _last_group(code: str) -> str:
    rest = code[len(code) // 4 * 4 :]
    return rest.ljust(4, "=") if len(rest) > 1 else ""


def _space(text: str) -> str:
    lines = "\n".join(text.casefold().replace("’", "'").splitlines())
    spaced = " ".join([*_WORDS.findall(lines), ""])
    return _SPACED_LETTERS.sub(lambda run: run[0].replace(" ", ""), spaced)
