"""Inputs made of others at random: bytes turned, cut, doubled, joined, and JSON and YAML sprinkled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

LONGEST = 4096
# What parsers stumble over.
SPRINKLES = (
    b"null", b"true", b"-1", b"1e999", b"NaN", b"Infinity", b'""', b"[]", b"{}", b"[[", b'{"a":', b",", b":", b"\\u0000",
    b"\\ud800", b"\\udc00", b"\xed\xa0\x80", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\r\n", b"\xe2\x80\xa8", b"9" * 40,
    b"0x1F", b"0o7", b".inf", b"~", b"&a ", b"*a", b"<<: ", b"!!binary ", b"!!set ", b"? ", b"- ", b"# ", b"%YAML 1.1\n",
    b"%5B0%5D", b"%5B%5D", b"[0][LOGIC]=OR&", b"filter[0][!><DAY][1]=", b"&select[]=", b"31.12.2025", b"01/02/2025", b" 12:00:00 am",
    b"---\n", b"|\n  ", b"'", b"@", b"\\", b"[::1]", b"%00", b"\xef\xbc\x8f",
)  # fmt: skip

Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutations(seeds: Sequence[bytes], random: Random) -> Iterator[bytes]:
    """The seeds themselves first, then changed ones without end."""
    yield from seeds
    while True:
        data = random.choice(seeds)
        for _ in range(random.randint(1, 6)):
            data = random.choice(_CHANGES)(random, data, seeds)
        yield data[:LONGEST]


def _turn(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _cut(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:begin] + data[end:]


def _repeat(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[begin:end] * random.choice((1, 2, 30)) + data[end:]


def _sprinkle(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(SPRINKLES) + data[at + random.choice((0, 1, 4)) :]


def _join(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


_CHANGES: Sequence[Change] = (_turn, _cut, _repeat, _sprinkle, _sprinkle, _join)
