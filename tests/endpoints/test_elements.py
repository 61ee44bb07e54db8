"""Arrays read while they arrive."""

from __future__ import annotations

import json

import pytest

from bi_mcp.endpoints.elements import ElementReader, NotJsonError

ROWS = [["a", "ü€😀"], [12, -3.5e2], [], [None, True, {"x": "]},["}], "text", 123, []]
TEXTS = [
    json.dumps(ROWS),
    json.dumps(ROWS, ensure_ascii=False),
    json.dumps(ROWS, indent=3),
    " \n" + json.dumps(ROWS) + "\r\n",
]


def read(*parts: bytes, enough: int = 100) -> ElementReader:
    reader = ElementReader(enough)
    for part in parts:
        if not reader.feed(part):
            break
    reader.finish()
    return reader


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_any_parts_give_the_same_elements(text: str, size: int) -> None:
    body = text.encode()
    reader = read(*(body[at : at + size] for at in range(0, len(body), size)))

    assert reader.elements == ROWS
    assert (reader.is_array, reader.complete) == (True, True)


def test_reading_stops_when_there_are_enough() -> None:
    parts = iter([b"[[1],", b"[2],", b"[3],[4]", b"never read"])
    reader = ElementReader(3)
    while reader.feed(next(parts)):
        pass
    reader.finish()

    assert reader.elements[:2] == [[1], [2]]
    assert len(reader.elements) == 3
    assert not reader.complete


def test_exactly_enough_is_complete() -> None:
    reader = read(b"[1,2,3]", enough=3)

    assert (reader.elements, reader.complete) == ([1, 2, 3], True)


def test_an_empty_array_is_an_array() -> None:
    reader = read(b" [ ] ")

    assert (reader.elements, reader.is_array, reader.complete) == ([], True, True)


@pytest.mark.parametrize("body", [b"{}", b'{"items": []}', b"null", b"12", b'"text"', b"true"])
def test_json_that_is_no_array_is_told_apart(body: bytes) -> None:
    assert read(body).is_array is False


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"<html><body>Log in", "is HTML"),
        (b"Fatal error", "is text"),
        (b"\xef\xbb\xbf[]", "byte order mark"),
        (b'["\xff"]', "not UTF-8"),
        ("[1, \u00fc]".encode()[:-2], "not UTF-8"),
        (b"[1,2", "breaks off"),
        (b"[1,2,]", "breaks off"),
        (b"[1,,2]", "breaks off"),
        (b"[1 2]", "breaks off"),
        (b"['a']", "breaks off"),
        (b"[1]x", "goes on"),
        (b"[1][2]", "goes on"),
        (b"[NaN]", "NaN"),
        (b"[[1,-Infinity]]", "-Infinity"),
        (b'{"a": Infinity}', "Infinity"),
        (b'["\\ud800"]', "half a Unicode character"),
        (b'{"a": 1', "not JSON"),
        (b"tru", "not JSON"),
        (b"[" + b"9" * 5000 + b",1]", "too many digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_says_why(body: bytes, why: str) -> None:
    with pytest.raises(NotJsonError, match=why):
        read(body)


def test_a_whole_character_in_two_escapes_is_one() -> None:
    assert read(b'["\\ud83d\\ude00"]').elements == ["😀"]


class CountingReader(ElementReader):
    tries = 0

    def _take_elements(self) -> None:
        self.tries += 1
        super()._take_elements()


def test_a_long_element_is_not_tried_at_each_part() -> None:
    reader = CountingReader(10)
    reader.feed(b'["')
    for _ in range(10_000):
        reader.feed(b"a" * 100)
    reader.feed(b'"]')
    reader.finish()

    assert reader.elements == ["a" * 1_000_000]
    assert reader.tries < 30
