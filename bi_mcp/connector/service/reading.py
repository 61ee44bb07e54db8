"""Answers as JSON, part by part: `[["A","B"],` then a part of the rows after the other, and `]` at the end alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence

import orjson

from bi_mcp.connector.source import Answer, Row

logger = logging.getLogger(__name__)


class Reading:
    """An answer that is read in parts of JSON. Used from one worker thread at a time; `cancel` from any.

    The answer is closed with its last part already: a reader who is slow with that holds no query.
    """

    def __init__(self, answer: Answer, release: Callable[[], None]) -> None:
        self._answer = answer
        self._release = release
        self._opening = _dump([answer.header])[:-1]
        self._chunks: Iterator[Sequence[Row]] = iter(answer.chunks())
        self._closed = False
        self.columns = len(answer.header)
        self.rows = 0
        self.ended = False

    def read(self) -> bytes:
        """Read the next part; with the last one `ended` becomes true."""
        part, self._opening = self._opening, b""
        for chunk in self._chunks:
            if chunk:
                self.rows += len(chunk)
                return part + b",\n" + _dump(chunk)[1:-1]
        self.close()
        self.ended = True
        return part + b"]"

    def cancel(self) -> None:
        self._answer.cancel()

    def close(self) -> None:
        """Close the answer, once; what it held is released even if that fails."""
        if self._closed:
            return
        self._closed = True
        try:
            self._answer.close()
        except Exception as error:  # noqa: BLE001  the answer is over, whatever a driver says to that
            logger.warning("an answer could not be closed in order: %s", type(error).__name__)
        finally:
            self._release()


def _dump(rows: Sequence[Row]) -> bytes:
    try:
        return orjson.dumps(rows)
    except TypeError:
        # Integers of more than 64 bits; and halves of characters, of which orjson makes no UTF-8.
        text = json.dumps([list(row) for row in rows], ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")
