"""Pure: keys for objects that a file does not name yet, made from their titles. The same portal gives the same keys."""

from __future__ import annotations

import re
from collections.abc import Collection

from bi_mcp.diagnostics.tables.naming import split_camel_case, transliterate

LONGEST = 60


def make_setup_key(title: str, stem: str, taken: Collection[str]) -> str:
    """`"Продажи (test)"` -> `prodazhi_test`; `stem` is used if a title has no usable letters, and a number is added if the key is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", transliterate(split_camel_case(title))).strip("_")[:LONGEST].strip("_")
    key = plain or stem
    if not key[0].isalpha():
        key = f"{stem}_{key}"
    number, made = 2, key
    while made in taken:
        made = f"{key}_{number}"
        number += 1
    return made
