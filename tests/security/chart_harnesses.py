"""What reads the questions of charts, each as a function of bytes: forms, filters, dates and answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from bi_mcp.config import Culture, Generation
from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question import dates as sample_dates
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.connector.question.query import parse_query
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.connector.source import Source
from bi_mcp.diagnostics.dataset.preview import read_filter
from bi_mcp.endpoints.dates import CULTURES, read_iso, write_date, write_datetime
from bi_mcp.endpoints.form import encode_form
from bi_mcp.endpoints.question import DatasetColumn, Question
from bi_mcp.endpoints.request import Dialect, build_request
from bi_mcp.errors import BiMcpError
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_answer import read_answer
from bi_mcp.practice.portal.chart_dataset import ChartColumn, ChartDataset
from bi_mcp.practice.portal.chart_failures import ChartFailureError
from bi_mcp.practice.portal.chart_question import parse_question
from bi_mcp.practice.portal.chart_request import build_form
from tests.charts.connector import CONNECTION
from tests.charts.moments import read_moment
from tests.charts.questions import body, encode
from tests.charts.services import EXAMPLE, write_sqlite
from tests.charts.shapes import shapes
from tests.charts.tables import shop
from tests.security.harness import Harness, scratch_folder

TABLE = shop()
GENERATIONS: tuple[Generation, ...] = get_args(Generation)
PORTAL_CULTURES: tuple[Culture, ...] = get_args(Culture)
COLUMNS = [DatasetColumn(column.name, column.code, column.type) for column in TABLE.columns]
DATASET = ChartDataset(
    TABLE.code,
    tuple(ChartColumn(column.name, column.code, column.type) for column in TABLE.columns),
    "https://shop.example/data",
    {},
)


def sample_question(data: bytes) -> None:
    """First byte: the culture; the rest is the form. What is read is also answered: the data is searched with it."""
    culture = (None, *sample_dates.CULTURES)[data[0] % 6] if data else None
    try:
        form = parse_form(data[1:])
        with closing(_sample_source().rows(TABLE.code, parse_query(form, culture))) as answer:
            rows = [row for chunk in answer.chunks() for row in chunk]
    except RefusalError as error:
        _check_text(error)
        return
    assert all(len(row) == len(answer.header) for row in rows)


def sample_date(data: bytes) -> None:
    """A date that is read exists, and is read alike by a reader that was written apart from this one."""
    text = data.decode(errors="replace")
    for culture in (None, *sample_dates.CULTURES):
        try:
            moment = sample_dates.parse_filter_moment(text, culture)
        except RefusalError as error:
            _check_text(error)
            continue
        if moment is not None:
            datetime.fromisoformat(moment)


def example_question(data: bytes) -> None:
    """Refusals are those that its door makes an answer of; once a row is out, nothing may go wrong."""
    module, database = _example(), _example_database()
    try:
        form = module.parse_form(data.decode())
        rows = module.data(database, {**form, "table": TABLE.code})
    except (ValueError, sqlite3.Error, AttributeError, KeyError, RecursionError, TypeError):
        return
    json.dumps(list(rows))


def example_date(data: bytes) -> None:
    """A date that is read exists."""
    with suppress(ValueError):
        datetime.fromisoformat(_example().parse_moment(data.decode()))


def portal_question(data: bytes) -> None:
    """First byte: generation and culture; the rest is the JSON of a question."""
    first = data[0] if data else 0
    generation = GENERATIONS[first % len(GENERATIONS)]
    culture = PORTAL_CULTURES[first % len(PORTAL_CULTURES)]
    given = _json(data[1:])
    if not isinstance(given, dict):
        return
    try:
        form = build_form(parse_question(given), DATASET, generation, culture)
    except ModuleFault as error:
        _check_text(error)
        return
    body(form, {})


def portal_answer(data: bytes) -> None:
    """First byte: generation and status; the rest is what a connector answered."""
    first = data[0] if data else 0
    try:
        picture = read_answer(
            500 if first > 250 else 200, data[1:], DATASET, (), GENERATIONS[first % len(GENERATIONS)]
        )
    except ChartFailureError as error:
        str(error.failure.reason).encode()
        return
    assert all(len(row) == len(picture.columns) for row in picture.rows)
    json.dumps(picture.rows, allow_nan=False).encode()


def asked_filter(data: bytes) -> None:
    """First byte: the dialect; the rest is the JSON of a filter as people write it."""
    first = data[0] if data else 0
    filter = _json(data[1:])
    if not isinstance(filter, dict):
        return
    try:
        dates, groups = read_filter(filter, COLUMNS)
        question = Question(dates=dates, groups=groups)
        dialect = Dialect(tuple(CULTURES)[first % len(CULTURES)], first > 127)
        encode_form(build_request(TABLE.code, COLUMNS, question, dialect).parameters)
    except BiMcpError as error:
        _check_text(error)


def asked_date(data: bytes) -> None:
    """A date that is read is written in every culture, and read as the same by a reader that was written apart."""
    moment = read_iso(data.decode(errors="replace"))
    if moment is None:
        return
    for name, culture in CULTURES.items():
        written = (
            write_datetime(moment, culture) if isinstance(moment, datetime) else write_date(moment, culture)
        )
        same = read_moment(written, name)
        expected = moment.replace(microsecond=0) if isinstance(moment, datetime) else moment
        assert same == (
            expected if isinstance(expected, datetime) else datetime.combine(expected, same.time())
        )


def _check_text(error: Exception) -> None:
    assert str(error).strip()
    str(error).encode()


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@cache
def _file() -> Path:
    return write_sqlite(TABLE, scratch_folder())


@cache
def _sample_source() -> Source:
    return open_files(_file(), SourceOptions(spelling="original"))


@cache
def _example() -> ModuleType:
    spec = spec_from_file_location("example_connector", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _example_database() -> sqlite3.Connection:
    found: sqlite3.Connection = _example().connect(str(_file()))
    return found


# A few of each generation and culture.
_FORMS = [body(encode(TABLE, shape.question, shape.dialect), CONNECTION) for shape in shapes(TABLE)[::29]]
_DATES = [
    b"2025-12-31", b"2025-12-31 23:59:59", b"2025-12-31T23:59:59.5Z", b"31.12.2025", b"1.2.2025 7:05", b"31.12.2025 23:59:59",
    b"12/31/2025 11:59:59 pm", b"01/02/2025 1:02:03 am", b"31/12/2025 23:59:59", b"29.02.2024", b"0001-01-01", b"9999-12-31 00:00:00",
]  # fmt: skip
_WHERE: Mapping[str, object] = {
    "column": "CARRIER",
    "operator": "one of",
    "values": ["UA", "AA"],
    "exclude": True,
}
_QUESTION = {
    "dataset": "orders",
    "columns": ["CARRIER", "DELAY"],
    "dates": {"from": "2025-01-01", "to": "2025-01-31", "column": "DAY"},
    "where": [
        _WHERE,
        [
            {**_WHERE, "operator": "contains"},
            {**_WHERE, "column": "DELAY", "operator": "empty", "values": []},
        ],
    ],
    "limit": 10,
}
_FILTER = {
    "LOGIC": "OR",
    "CARRIER": ["UA", "AA"],
    ">=DAY": "2025-01-01",
    "<=DAY": "2025-01-31",
    "0": {"><DELAY": [1, 5], "!=tail": None, "1": {"!%CARRIER": "U", "LOGIC": "and"}},
}
_ROWS = [[column.code for column in TABLE.columns], *(list(row.values()) for row in TABLE.rows[:3])]
_NAMED = [[column.name for column in TABLE.columns], *_ROWS[1:]]

CHART_HARNESSES = (
    Harness(
        "sample_question", sample_question, [bytes([number % 6]) + form for number, form in enumerate(_FORMS)]
    ),
    Harness("sample_date", sample_date, _DATES),
    Harness("example_question", example_question, _FORMS),
    Harness("example_date", example_date, _DATES),
    Harness(
        "portal_question", portal_question, [bytes([n]) + json.dumps(_QUESTION).encode() for n in range(10)]
    ),
    Harness(
        "portal_answer",
        portal_answer,
        [
            b"\x00" + json.dumps(_NAMED).encode(),
            b"\x01" + json.dumps(_ROWS).encode(),
            b'\x01[["ORDER_ID"],["\\ud800"]]',
        ],
    ),
    Harness(
        "asked_filter",
        asked_filter,
        [bytes([n]) + json.dumps(_FILTER).encode() for n in (0, 1, 130, 131, 132)],
    ),
    Harness("asked_date", asked_date, _DATES),
)
