"""How values of each type are to be written, as a part of a sentence. Data."""

from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.base.language import text

EXPECTED: Mapping[str, str] = {
    "int": text("a whole number of at most 64 bits, such as 1200"),
    "double": text("a number with a decimal point and nothing between thousands, such as 1234.5"),
    "money": text("a number with a decimal point and without a currency, such as 1234.5"),
    "date": text("Y-m-d, such as 2025-12-31"),
    "datetime": text("Y-m-d H:i:s in the portal's time zone, such as 2025-12-31 18:30:00"),
    "timezone": text("the name of a time zone, such as Europe/Moscow"),
    "string": text("text"),
}
