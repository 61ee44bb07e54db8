"""Whatever arrives, the parsers of questions read it or refuse it in a sentence."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.connector.columns import ColumnNames, TableColumn, Type
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.connector.question.dates import CULTURES, Culture, parse_day, parse_filter_moment
from bi_mcp.connector.question.filter import parse_row_filter
from bi_mcp.connector.refusal import RefusalError

TYPES: tuple[Type, ...] = ("int", "double", "date", "datetime", "string")

anything = st.text(max_size=12)
keys = anything | st.sampled_from(["0", "1", "LOGIC", "=ID", "!%ID", "><day", "0" * 5000])
nested = st.recursive(anything, lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=12)
dates = st.text(alphabet="0123456789./-: apmAPMTZ", max_size=24)


@settings(max_examples=200, deadline=None)
@given(filter=st.dictionaries(keys, nested, max_size=4), type=st.sampled_from(TYPES))
def test_a_filter_of_any_shape(filter: dict[str, Any], type: Type) -> None:
    names = ColumnNames([TableColumn("ID", type), TableColumn("day", "date"), TableColumn("0", type)], {})
    with suppress(RefusalError):
        assert parse_row_filter(filter, names).logic in {"AND", "OR"}


def test_a_filter_nested_too_deeply_for_python() -> None:
    filter: dict[str, Any] = {}
    for _ in range(5000):
        filter = {"0": filter}
    with pytest.raises(RefusalError, match="nests deeper"):
        parse_row_filter(filter, ColumnNames([], {}))


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60) | st.text(alphabet="a[]=&0%", max_size=60).map(str.encode))
def test_a_body_of_any_bytes(body: bytes) -> None:
    with suppress(RefusalError):
        assert isinstance(parse_form(body), dict)


@settings(max_examples=200, deadline=None)
@given(text=anything | dates, culture=st.none() | st.sampled_from(CULTURES))
def test_a_date_of_any_text(text: str, culture: Culture | None) -> None:
    with suppress(RefusalError):
        day, moment = parse_day(text, culture), parse_filter_moment(text, culture)
        assert (day is None) == (moment is None)
        assert moment is None or len(moment) == len("2026-01-31 00:00:00")


@pytest.mark.parametrize(
    ("text", "culture", "moment"),
    [
        ("2025-12-31", None, "2025-12-31 00:00:00"),
        ("2025-12-31 23:59:59", None, "2025-12-31 23:59:59"),
        ("2025-12-31T23:59:59Z", None, "2025-12-31 23:59:59"),
        ("31.12.2025", None, "2025-12-31 00:00:00"),
        ("01.02.2025", "en", "2025-02-01 00:00:00"),
        ("31.12.2025 23:59:59", "ru", "2025-12-31 23:59:59"),
        ("1.2.2025 7:05", "de", "2025-02-01 07:05:00"),
        ("12/31/2025 11:59:59 pm", None, "2025-12-31 23:59:59"),
        ("12/31/2025 12:00:00 am", None, "2025-12-31 00:00:00"),
        ("12/31/2025 12:00:00 PM", None, "2025-12-31 12:00:00"),
        ("31/12/2025 23:59:59", None, "2025-12-31 23:59:59"),
        ("02/02/2025", None, "2025-02-02 00:00:00"),
        ("01/02/2025", "en", "2025-01-02 00:00:00"),
        ("01/02/2025", "en-gb", "2025-02-01 00:00:00"),
        ("31/12/2025", "en", None),
        ("12/31/2025", "en-gb", None),
        ("31.12.25", None, None),
        ("31/12.2025", None, None),
        ("12.31.2025", "en", None),
        ("29.02.2025", None, None),
        ("29.02.2024", None, "2024-02-29 00:00:00"),
        ("32/32/2025", None, None),
        ("31.12.0000", None, None),
        ("31.12.2025 24:00:00", None, None),
        ("31.12.2025 23:60:00", None, None),
        ("12/31/2025 13:00:00 pm", "en", None),
        ("12/31/2025 0:00:00 am", "en", None),
        ("2025-12-31 11:59:59 pm", None, None),
        ("1767225599", None, None),
        ("", None, None),
    ],
)
def test_a_date_is_read_in_the_format_of_its_portal(
    text: str, culture: Culture | None, moment: str | None
) -> None:
    assert parse_filter_moment(text, culture) == moment
