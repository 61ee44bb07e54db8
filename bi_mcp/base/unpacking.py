"""The body of an answer, unpacked in parts of bounded size: a small compressed part may hold gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

PART = 64 * 1024
NO_ENCODING = frozenset({"", "identity"})
# zlib's numbers for the two. It could detect the format, but would then accept one under the name of the other.
_FORMATS = {"gzip": 31, "deflate": 15}
ENCODINGS = frozenset(_FORMATS)


async def unpack(raw: AsyncIterator[bytes], encoding: str) -> AsyncGenerator[bytes, None]:
    """Unpack into parts of at most `PART` bytes if `encoding` is one of `ENCODINGS`, else pass them on. Raises `zlib.error`."""
    if encoding not in ENCODINGS:
        async for part in raw:
            yield part
        return
    unpacker = zlib.decompressobj(wbits=_FORMATS[encoding])
    async for packed in raw:
        while packed:
            yield unpacker.decompress(packed, PART)
            packed = unpacker.unconsumed_tail  # noqa: PLW2901 - the rest of this part
    yield unpacker.flush()


async def read_bounded(raw: AsyncIterator[bytes], encoding: str, most: int) -> bytes | None:
    """Read the whole body; None if it has more than `most` bytes or is not packed as it says."""
    encoding = encoding.strip().lower()
    if encoding not in NO_ENCODING | ENCODINGS:
        return None
    body = bytearray()
    try:
        async with aclosing(unpack(raw, encoding)) as parts:
            async for part in parts:
                body += part
                if len(body) > most:
                    return None
    except zlib.error:
        return None
    return bytes(body)
