"""The encoding of a text: by its mark, by its validity as UTF-8, else by how well letters of old encodings follow one another."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

CHUNK = 1 << 20
LOST = "\ufffd".encode()
SAMPLE = 1 << 16
HALF_SAMPLE = SAMPLE // 2

_MARKS: Mapping[bytes, str] = {
    # UTF-32 first: its mark begins with that of UTF-16.
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# The upper bytes of Latin, Greek and Cyrillic letters in UTF-16.
_PAGES = (b"\0", b"\1", b"\3", b"\4")
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
# Others are so rare that only a clear case is one.
_USUAL_CYRILLIC = _CYRILLIC[:3]
_FREQUENT = "оеаинтсрвлкмдпуя"
_LETTER = re.compile(r"[а-яёіїєґў]", re.IGNORECASE)
_ODD_CAPITAL = re.compile(r"(?<=[а-яё])[А-ЯЁ]")
# Signs that no word holds, but that are letters in the encodings of Poland and its neighbours.
_SIGN_IN_WORD = re.compile(
    r"(?<=[A-Za-z])[\u00a1\u00a3\u00a5\u00a6\u00ac\u00af\u00b1\u00b3\u00b6\u00b9\u00bc\u00be\u00bf\u0178](?=[A-Za-z])"
    r"|[\u00a3\u00af](?=[a-z]{2})|(?<=[a-z])[\u013d\u0164]|[\u0080-\u009f\ufffd]"
)
_LATIN = ("cp1252", "cp1250", "iso8859-2")
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")


@dataclass(frozen=True)
class Encoding:
    """An encoding by Python's name, and whether it was guessed from the frequency of letters."""

    name: str
    guessed: bool = False
    # Zeros and characters that were lost before (U+FFFD), as far as was scanned.
    zeros: int = 0
    lost: int = 0

    @property
    def is_utf8(self) -> bool:
        return self.name in {"utf-8", "utf-8-sig"}


def detect_encoding(
    opened: IO[bytes], declared: str | None, name: str, scanned: int | None = None
) -> Encoding:
    """Detect the encoding of an open text, of which at most `scanned` bytes are read. A mark and valid UTF-8 outweigh what was declared."""
    head = opened.read(min(CHUNK, scanned or CHUNK))
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return Encoding(encoding)
    if unmarked := unmarked_utf16(head):
        return Encoding(unmarked, guessed=True)
    seen = _Seen()
    chunks = [head] if scanned else _chunks(head, opened)
    foreign = _foreign_text(seen.watch(chunks), whole=not scanned)
    if not foreign:
        return Encoding("utf-8", zeros=seen.zeros, lost=seen.lost)
    if declared:
        return Encoding(_known(declared))
    return Encoding(_guess(foreign, name), guessed=True)


@dataclass
class _Seen:
    zeros: int = 0
    lost: int = 0

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.zeros += chunk.count(b"\0")
            self.lost += chunk.count(LOST)
            yield chunk


def _known(declared: str) -> str:
    try:
        return codecs.lookup(declared).name
    except LookupError:
        raise ConfigError(
            say("{name!r} is not an encoding. Name one such as utf-8, cp1251 or cp1252.", name=declared[:40])
        ) from None


def unmarked_utf16(head: bytes) -> str | None:
    if 0 not in head[:HALF_SAMPLE]:
        return None
    half = len(head[:HALF_SAMPLE]) // 2
    even, odd = (sum(map(head[at:HALF_SAMPLE:2].count, _PAGES)) for at in (0, 1))
    if half and odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if half and even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _foreign_text(chunks: Iterable[bytes], whole: bool) -> bytes:
    """Return a sample of the lines that are not ASCII if the text is not UTF-8; nothing if it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    foreign, sample = False, bytearray()
    for chunk in chunks:
        sample += _unusual_lines(chunk, SAMPLE - len(sample))
        if foreign:
            break
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            foreign = True
            sample = bytearray(_unusual_lines(chunk[max(0, error.start - 80) :], SAMPLE))
    else:
        try:
            decoder.decode(b"", final=whole)
        except UnicodeDecodeError:
            foreign = True
    return bytes(sample) if foreign else b""


def _chunks(head: bytes, opened: IO[bytes]) -> Iterator[bytes]:
    yield head
    while chunk := opened.read(CHUNK):
        yield chunk


def _unusual_lines(chunk: bytes, room: int) -> bytes:
    if room <= 0 or chunk.isascii():
        return b""
    lines = [line for line in chunk.splitlines() if not line.isascii()]
    return b"\n".join(lines)[:room]


def _guess(sample: bytes, name: str) -> str:
    if _is_damaged_utf8(sample):
        return "utf-8"
    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    mixed = sum(any(letter < 0x80 for letter in word) for word in words)
    foreign = sum(len(word) > 1 and all(letter >= 0x80 for letter in word) for word in words)
    # Letters of a Latin alphabet with accents stand among plain ones; words of another alphabet have none of these.
    if mixed >= foreign:
        return _latin(sample, name)
    high = sum(letter >= 0x80 for letter in sample)
    scores = {encoding: _cyrillic_score(sample, encoding) for encoding in _CYRILLIC}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best] > high * (0.5 if best in _USUAL_CYRILLIC else 1.75):
        return best
    return _detected_by_library(sample, name)


def _latin(sample: bytes, name: str) -> str:
    """Choose the encoding in which the fewest signs stand within words; the usual one if others are no better."""
    if not _decodes(sample, _LATIN[0]):
        # C1 controls belong to no text.
        controls = sum(0x80 <= letter < 0xA0 for letter in sample)
        return _detected_by_library(sample, name) if controls > 1 else "latin-1"
    faults = {encoding: _foreign_signs(sample, encoding) for encoding in _LATIN}
    return min(_LATIN, key=lambda encoding: faults[encoding])


def _foreign_signs(sample: bytes, encoding: str) -> int:
    return len(_SIGN_IN_WORD.findall(sample.decode(encoding, "replace")))


def _is_damaged_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    return sum(not letter.isascii() for letter in text) - lost > 3 * lost


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cyrillic_score(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, "replace")
    letters = _LETTER.findall(text)
    frequent = sum(letter.lower() in _FREQUENT for letter in letters)
    odd = len(_ODD_CAPITAL.findall(text))
    strange = sum(ord(letter) > 127 and not _LETTER.match(letter) for letter in text)
    return len(letters) + frequent - 4 * odd - 2 * strange


def _detected_by_library(sample: bytes, name: str) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        raise ConfigError(
            say("The encoding of {name} is not known. Name it with --encoding, such as cp1251.", name=name)
        )
    return best.encoding
