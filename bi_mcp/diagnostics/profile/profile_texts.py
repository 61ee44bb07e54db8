"""The texts from outside in a profile, for the search for those that speak to their reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bi_mcp.diagnostics.tables.foreign_text import ForeignText, texts_of_header, texts_of_rows


def texts_of_profile(profile: Mapping[str, Any], rows: Sequence[Sequence[object]]) -> Iterator[ForeignText]:
    """The names of a profile as JSON, and the values wherever they are shown. `rows` are its first rows."""
    yield ForeignText("name", profile["name"], is_name=True)
    header = [column["name"] for column in profile["columns"]]
    yield from texts_of_header(header)
    for column in profile["columns"]:
        common = [each["value"] for each in column.get("common") or ()]
        yield from _texts(f"column {column['name']}", [column.get("least"), column.get("greatest"), *common])
    chart = profile.get("chart") or {}
    yield from _texts(f"chart, {chart.get('column')}", chart.get("labels", ()))
    yield from texts_of_rows(header, rows)


def _texts(where: str, values: Sequence[object]) -> Iterator[ForeignText]:
    return (ForeignText(where, value) for value in dict.fromkeys(values) if isinstance(value, str))
