"""Numbers with more digits than a double holds."""

from __future__ import annotations

from typing import cast

import orjson

from bi_mcp.connector.columns import Value


def exact_number(text: str) -> Value:
    """Write a number into JSON as the database wrote it. What is no number there (NaN, Infinity) becomes null."""
    number = text[-1:].isdigit() and (text[0] != "." or "0" + text)
    # The answer is only ever written as JSON, where this is a number.
    return cast("Value", orjson.Fragment(text if number is True else number)) if number else None
