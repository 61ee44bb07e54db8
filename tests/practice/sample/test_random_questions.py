"""Random tables and random questions: both connectors of ours answer the rows that plain Python finds."""

from __future__ import annotations

import runpy
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.query import parse_query
from tests.practice.sample.request_shapes import TESTS, Value

Row: TypeAlias = "tuple[int, int | None, float | None, str | None, str | None]"
Question: TypeAlias = "dict[str, Any]"

PROGRAM = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "connector.py"))
CODES = ("NUMBER", "AMOUNT", "WORD", "DAY")
DECLARED = "ID INTEGER, NUMBER INTEGER, AMOUNT REAL, WORD TEXT, DAY DATE"
MOST_ROWS = 8
# The sample reads the types of columns from their values, so that each needs one.
FULL: Row = (0, 1, 0.5, "Ы%", "2026-01-31")

numbers = st.integers(-3, 3) | st.sampled_from([2**62, -(2**62)])
amounts = st.sampled_from([-1.5, 0.0, 0.25, 2.0, 1e300])
words = st.text(alphabet="aAbBыЫ%_'\"[ ]", min_size=1, max_size=3)
days = st.dates().map(str) | st.sampled_from(["2026-01-31", "2026-02-01"])
VALUES: Mapping[str, st.SearchStrategy[Any]] = dict(zip(CODES, (numbers, amounts, words, days), strict=True))

rows = st.lists(st.tuples(*(st.none() | VALUES[code] for code in CODES)), max_size=MOST_ROWS)


@st.composite
def conditions(draw: st.DrawFn) -> Question:
    """One condition as a group holds it: a key and its list."""
    code = draw(st.sampled_from(CODES))
    operator = draw(st.sampled_from([operator for operator in TESTS if operator != "%" or code == "WORD"]))
    size = (2, 2) if operator == "><" else (1, 3)
    values = draw(st.lists(VALUES[code], min_size=size[0], max_size=size[1]))
    negation = draw(st.sampled_from(["", "!"]))
    return {f"{negation}{operator}{code}": {str(at): repr_of(value) for at, value in enumerate(values)}}


def repr_of(value: Value) -> str:
    return value if isinstance(value, str) else repr(value)


empties = st.builds(
    lambda negation, code, value: {f"{negation}={code}": value},
    st.sampled_from(["", "!"]),
    st.sampled_from(CODES),
    st.sampled_from(["", "0"]),
)
groups = st.recursive(
    conditions() | empties,
    lambda inner: st.builds(
        lambda logic, members: {"LOGIC": logic} | {str(at): member for at, member in enumerate(members)},
        st.sampled_from(["AND", "OR", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def holds(question: Question, row: Mapping[str, Value | None]) -> bool:
    logic = str(question.get("LOGIC", "AND")).upper()
    found = [_member_holds(key, value, row) for key, value in question.items() if key != "LOGIC"]
    return any(found) if logic == "OR" else all(found)


def _member_holds(key: str, value: Any, row: Mapping[str, Value | None]) -> bool:
    if key.isdecimal():
        return holds(value, row)
    negated, plain = key.startswith("!"), key.removeprefix("!")
    code = next(code for code in CODES if plain.endswith(code))
    held = row[code]
    if isinstance(value, str):
        return (held is None) is not negated
    kind: Callable[[str], Value] = {"NUMBER": int, "AMOUNT": float}.get(code, str)
    found = held is not None and TESTS[plain.removesuffix(code)](held, [kind(one) for one in value.values()])
    return found is not negated


def _sample(file: Path, question: Question) -> Iterator[Any]:
    with closing(open_files(file, SourceOptions())) as source:
        query = parse_query({"filter": question, "select": {"0": "ID"}})
        with closing(source.rows("t", query)) as answer:
            yield answer.header
            for chunk in answer.chunks():
                yield from chunk


def _example(file: Path, question: Question) -> list[Any]:
    with closing(PROGRAM["connect"](str(file))) as database:
        return [*PROGRAM["data"](database, {"table": "t", "filter": question, "select": {"0": "ID"}})]


@pytest.mark.campaign("random questions")
@pytest.mark.parametrize("answer", [_sample, _example])
@settings(max_examples=60, deadline=None)
@given(table=rows, question=groups)
def test_rows_are_those_that_python_finds(
    answer: Callable[[Path, Question], Any], table: list[Any], question: Question
) -> None:
    whole = [FULL, *((at, *row) for at, row in enumerate(table, 1))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.sqlite3"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"CREATE TABLE t ({DECLARED})")
            database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", whole)
        found = [row[0] for row in answer(file, {"0": question})][1:]
    expected = [row[0] for row in whole if holds(question, dict(zip(CODES, row[1:], strict=True)))]
    assert found == expected
