"""Pure: spellings of a text that others may repeat, letter by letter: in an address, a page, JSON, a program or a mail."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Shorter texts occur in too many places by chance.
SHORTEST = 3
_CONTROLS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_QUOTED = "\"'/\\"


def find_spelled(text: str, values: Iterable[str], *, cut: bool = False) -> Iterator[tuple[int, int]]:
    """Find where values begin and end in a text. Every letter may be written in a way of its own; case does not count.

    `cut`: the text may end in the middle of a value.
    """
    text = _fold(text)
    for value in map(_fold, values):
        if len(value) < SHORTEST:
            continue
        end = 0
        for start in sorted(_places(text, spellings(value[0]), spellings(value[1]))):
            if start >= end and (ends := _end(text, start, value, cut=cut)):
                end = ends
                yield start, end


def _end(text: str, start: int, value: str, *, cut: bool) -> int:
    """Return the end of the value that begins at a place, 0 if it is another text."""
    # One letter may be written in a way that is the beginning of another, as & is of &amp;.
    reached = {start}
    for number, letter in enumerate(value):
        ways = spellings(letter)
        if cut and number >= SHORTEST and any(_breaks_off(text, place, ways) for place in reached):
            return len(text)
        reached = {place + len(way) for place in reached for way in ways if text.startswith(way, place)}
        if not reached:
            return 0
    return max(reached)


def _breaks_off(text: str, place: int, ways: tuple[str, ...]) -> bool:
    rest = text[place:]
    return not rest or any(way.startswith(rest) for way in ways)


def _places(text: str, first: tuple[str, ...], second: tuple[str, ...]) -> set[int]:
    """Find the places where two letters follow each other. One alone occurs nearly everywhere."""
    found = set[int]()
    for way in first:
        place = text.find(way)
        while place >= 0:
            if text.startswith(second, place + len(way)):
                found.add(place)
            place = text.find(way, place + 1)
    return found


@lru_cache(maxsize=4096)
def spellings(letter: str) -> tuple[str, ...]:
    """Return all spellings of a letter, in lower case: plain, in an address, a page, JSON and programs, up to twice, in a mail."""
    # The code of a capital is another one, and folds into no code of a small letter.
    cases = (letter, letter.upper()) if len(letter.upper()) == 1 else (letter,)
    return tuple(dict.fromkeys(_fold(way) for case in cases for way in _ways(case)))


def _ways(letter: str) -> Iterator[str]:
    yield letter
    encoded = letter.encode(errors="surrogatepass")
    address = "".join(f"%{byte:02x}" for byte in encoded)
    yield from (address, address.replace("%", "%25"))
    if letter == " ":
        yield from ("+", "%2b")
    yield from _in_page(letter)
    yield from _in_program(letter)
    yield "".join(f"={byte:02x}" for byte in encoded)


def _in_page(letter: str) -> list[str]:
    code = ord(letter)
    inner = [f"#{code:0{width}}" for width in (1, 2, 3, 4)]
    inner += [f"#x{code:0{width}x}" for width in (1, 2, 3, 4)]
    inner += [name.removesuffix(";") for name in _names().get(letter, ())]
    return [f"{before}{way};" for before in ("&", "&amp;") for way in inner]


def _in_program(letter: str) -> list[str]:
    code = ord(letter)
    units = letter.encode("utf-16-be", errors="surrogatepass").hex()
    ways = [
        "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4)),
        f"\\u{{{code:x}}}",
    ]
    if code < 256:
        ways.append(f"\\x{code:02x}")
    if letter in _CONTROLS:
        ways.append(f"\\{_CONTROLS[letter]}")
    if letter in _QUOTED:
        ways.append(f"\\{letter}")
    return [*ways, *(way.replace("\\", "\\\\").replace('"', '\\"') for way in ways)]


@lru_cache(maxsize=1)
def _names() -> dict[str, list[str]]:
    """Return the names of letters in HTML."""
    # Imported here: it is large, and needed only when somebody refuses something.
    from html.entities import html5

    names = dict[str, list[str]]()
    for name, letter in html5.items():
        if len(letter) == 1 and name.endswith(";"):
            names.setdefault(letter, []).append(name)
    return names


def _fold(text: str) -> str:
    """Fold to lower case letter by letter, so that positions stay."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
