"""Pure: the elements of one JSON array while its text arrives, so that an endless array cannot fill the memory."""

from __future__ import annotations

import codecs
import json
import re
from typing import NoReturn

from bi_mcp.base.foreign_json import is_deep
from bi_mcp.base.language import say

_SPACE = re.compile(r"[ \t\r\n]*")
# Bytes that reveal a compressed body, or another encoding than UTF-8.
LONGEST_MARK = 2
# First characters of a JSON value that is not an array; "" when nothing has arrived.
_BEGINNINGS = {"", *'{"-0123456789tfn'}


class NotJsonError(ValueError):
    """Error for a text that is not JSON, in words that follow "the answer". Does not quote the text."""


class ElementReader:
    """Collector of up to `enough` elements. `feed` parts of the body until it returns False, then look at the attributes.

    `complete`: the array was read to its end. `is_array`: False once something else than an array was read whole, `other`.
    """

    def __init__(self, enough: int) -> None:
        self.elements: list[object] = []
        self.complete = False
        self.is_array: bool | None = None
        self.other: object = None
        self._enough = enough
        self._text = ""
        self._beginning = b""
        self._next_try = 1
        self._utf8 = codecs.getincrementaldecoder("utf-8")()

    @property
    def truncated(self) -> bool:
        """True if the array has more elements than were read."""
        return bool(self.is_array) and not self.complete

    def feed(self, part: bytes) -> bool:
        """Take the next part of the body; False when there are enough elements. Raises NotJsonError."""
        if len(self._beginning) < LONGEST_MARK:
            self._beginning += part[:LONGEST_MARK]
        self._text += self._decode(part, final=False)
        # A long element is tried again only when its text has doubled: tried at each part, it would cost its square.
        if len(self._text) >= self._next_try:
            self._take_elements()
            self._next_try = 2 * len(self._text) + 1
        return len(self.elements) < self._enough

    def finish(self) -> None:
        """End the body. Raises NotJsonError when it ended too early, or holds more than one value."""
        self._text += self._decode(b"", final=True)
        self._take_elements()
        if len(self.elements) >= self._enough and not self.complete:
            return
        if self.is_array is None:
            if not self._text.strip():
                raise NotJsonError(say("is empty, not JSON"))
            try:
                self.other = _DECODER.decode(self._text)
            except (ValueError, RecursionError) as error:
                raise _unreadable(error) from None
            self.is_array = False
        elif not self.complete:
            raise NotJsonError(say("breaks off, or contains an element that is not JSON"))
        elif _after_space(self._text, 0) < len(self._text):
            raise NotJsonError(say("goes on after the end of its array"))

    def _take_elements(self) -> None:
        if self.is_array is None and not self._begin():
            return
        at = 0
        while not self.complete and len(self.elements) < self._enough:
            at = _after_space(self._text, at)
            if self._text.startswith("]", at) and not self.elements:
                self.complete, at = True, at + 1
                break
            found = _element(self._text, at)
            if found is None:
                break
            element, at = found
            self.elements.append(element)
            self.complete = self._text[at] == "]"
            at += 1
        self._text = self._text[at:]

    def _begin(self) -> bool:
        start = _after_space(self._text, 0)
        if self._text.startswith("\ufeff"):
            raise NotJsonError(say("begins with a byte order mark, which JSON readers refuse"))
        if not self._text.startswith("[", start):
            if self._text[start : start + 1] not in _BEGINNINGS:
                raise NotJsonError(
                    say("is HTML, not JSON") if self._text[start] == "<" else say("is text, not JSON")
                )
            return False
        self.is_array = True
        self._text = self._text[start + 1 :]
        return True

    def _decode(self, part: bytes, *, final: bool) -> str:
        try:
            return self._utf8.decode(part, final)
        except UnicodeDecodeError:
            raise NotJsonError(self._what_it_is()) from None

    def _what_it_is(self) -> str:
        if self._beginning.startswith(b"\x1f\x8b"):
            return say("is gzip, but has no Content-Encoding that says so")
        if self._beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
            return say("is UTF-16, not UTF-8")
        return say("is not UTF-8 text")


def _element(text: str, at: int) -> tuple[object, int] | None:
    """Read the element at this place, and the place of the comma or bracket after it; None if it is incomplete."""
    try:
        element, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        return None
    except (ValueError, RecursionError) as error:
        raise _unreadable(error) from None
    if is_deep(element):
        raise NotJsonError(say("is nested too deeply"))
    _check_characters(element, text[at:end])
    end = _after_space(text, end)
    # Without the next character, 12 may be the beginning of 123.
    return (element, end) if text[end : end + 1] in {",", "]"} else None


def _check_characters(element: object, text: str) -> None:
    """Refuse half a Unicode character, which could not be written anywhere later."""
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(element, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise NotJsonError(say("contains half a Unicode character")) from None


def _unreadable(error: Exception) -> NotJsonError:
    if isinstance(error, NotJsonError):
        return error
    if isinstance(error, RecursionError):
        return NotJsonError(say("is nested too deeply"))
    return NotJsonError(
        say("is not JSON")
        if isinstance(error, json.JSONDecodeError)
        else say("contains a number with too many digits")
    )


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(say("contains {name}, which is not JSON", name=name))


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
