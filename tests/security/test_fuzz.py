"""Random input for everything that reads what others wrote, for a moment. `python -m benchmarks.fuzz` does it for long."""

from __future__ import annotations

import json
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.security.harness import Harness
from tests.security.harnesses import HARNESSES
from tests.security.mutation import mutations

EXECUTIONS = {"setup": 300, "kept_files": 300}
SEED = 20261124

BRIEF = settings(max_examples=60, deadline=None, print_blob=True)
TEXT = st.text(st.characters(), max_size=20)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    LEAF,
    lambda below: st.lists(below, max_size=5) | st.dictionaries(TEXT, below, max_size=5),
    max_leaves=20,
)

# What answers are made of: with these names, values get past the first look.
NAMES = st.sampled_from(
    [
        "result",
        "error",
        "error_description",
        "time",
        "item",
        "id",
        "title",
        "settings",
        "fields",
        "connection",
        "code",
        "value",
        "name",
        "type",
        "visible",
        "result_error",
        "c0",
        "c1",
        "version",
        "sources",
        "operating",
    ]
)
ANSWERS = st.recursive(
    LEAF,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=6),
    max_leaves=25,
)


@pytest.mark.campaign("fuzzing")
@pytest.mark.parametrize("harness", HARNESSES.values(), ids=HARNESSES)
def test_changed_input_is_read_or_refused(harness: Harness) -> None:
    many = EXECUTIONS.get(harness.name, 2000)
    for data in islice(mutations(harness.seeds, Random(SEED)), many):  # noqa: S311  the same ones each time
        harness.run(data)


@pytest.mark.campaign("fuzzing")
@pytest.mark.parametrize("harness", HARNESSES.values(), ids=HARNESSES)
def test_any_bytes_are_read_or_refused(harness: Harness) -> None:
    @BRIEF
    @given(st.binary(max_size=300))
    def bears(data: bytes) -> None:
        harness.run(data)

    bears()


@pytest.mark.campaign("fuzzing")
@pytest.mark.parametrize("harness", HARNESSES.values(), ids=HARNESSES)
@pytest.mark.parametrize("values", [JSON, ANSWERS], ids=["any names", "names of the API"])
def test_any_json_is_read_or_refused(harness: Harness, values: st.SearchStrategy[object]) -> None:
    @BRIEF
    @given(st.binary(min_size=2, max_size=2), values)
    def bears(head: bytes, value: object) -> None:
        text = json.dumps(value).encode()
        for data in (text, head[:1] + text, head + b"\n" + text):
            harness.run(data)

    bears()
