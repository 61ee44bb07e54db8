"""Files of settings as people keep them: comments, trailing commas, their own indentation. What was not meant stays letter for letter."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.cli.clients.commented_json import DamagedError, read, with_member, without_member

PATH = ("servers", "bi-mcp")
ENTRY = {"command": "bi-mcp", "args": ["serve"]}

CASES = [
    pytest.param(
        """{
  // my servers
  "servers": {
    "other": {"url": "https://a.example/x//y"} // keep me
  }
}
""",
        """{
  // my servers
  "servers": {
    "other": {"url": "https://a.example/x//y"}, // keep me
    "bi-mcp": {
      "command": "bi-mcp",
      "args": [
        "serve"
      ]
    }
  }
}
""",
        id="behind the comment of the last one",
    ),
    pytest.param(
        '{\n\t"servers": {\n\t\t"other": {},\n\t},\n}\n',
        '{\n\t"servers": {\n\t\t"other": {},\n\t\t"bi-mcp": {\n\t\t\t"command": "bi-mcp",\n\t\t\t"args": [\n\t\t\t\t"serve"\n\t\t\t]\n\t\t},\n\t},\n}\n',
        id="tabs and trailing commas",
    ),
    pytest.param(
        '{"servers": {}}',
        '{"servers": {\n  "bi-mcp": {\n    "command": "bi-mcp",\n    "args": [\n      "serve"\n    ]\n  }\n}}',
        id="on one line",
    ),
    pytest.param(
        '{\r\n    "theme": "dark"\r\n}\r\n',
        '{\r\n    "theme": "dark",\r\n    "servers": {\r\n        "bi-mcp": {\r\n            "command": "bi-mcp",\r\n'
        '            "args": [\r\n                "serve"\r\n            ]\r\n        }\r\n    }\r\n}\r\n',
        id="line ends of Windows, no servers yet",
    ),
    pytest.param(
        '{\n  "servers": {\n    /* none yet */\n  }\n}',
        '{\n  "servers": {\n    /* none yet */\n    "bi-mcp": {\n      "command": "bi-mcp",\n      "args": [\n        "serve"\n      ]\n    }\n  }\n}',
        id="an object with a comment only",
    ),
    pytest.param(
        "\ufeff{}",
        '\ufeff{\n  "servers": {\n    "bi-mcp": {\n      "command": "bi-mcp",\n      "args": [\n        "serve"\n      ]\n    }\n  }\n}',
        id="a byte order mark",
    ),
    pytest.param(
        "  \n",
        '{\n  "servers": {\n    "bi-mcp": {\n      "command": "bi-mcp",\n      "args": [\n        "serve"\n      ]\n    }\n  }\n}\n',
        id="an empty file",
    ),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_an_entry_is_added_and_nothing_else_changes(before: str, after: str) -> None:
    assert with_member(before, PATH, ENTRY) == after
    assert with_member(after, PATH, ENTRY) == after


def test_of_an_entry_only_what_differs_is_written() -> None:
    before = '{"servers": {"bi-mcp": {\n  // the old one\n  "command": "old", "gone": 1,\n  "args": ["serve"] /* as is */\n}}}'
    after = '{"servers": {"bi-mcp": {\n  // the old one\n  "command": "bi-mcp", \n  "args": ["serve"] /* as is */\n}}}'
    assert with_member(before, PATH, ENTRY) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"servers": {"bi-mcp": {}}}', '{"servers": {}}'),
        ('{"servers": {\n  "a": 1, // one\n  "bi-mcp": {}\n}}', '{"servers": {\n  "a": 1 // one\n}}'),
        ('{"servers": {\n  "bi-mcp": {},\n  "a": 1,\n}}', '{"servers": {\n  "a": 1,\n}}'),
        ('{"servers": {"bi-mcp": 1, "a": 2}}', '{"servers": { "a": 2}}'),
        ('{"servers": {"a": 2}}', '{"servers": {"a": 2}}'),
        ('{"theme": "dark"}', '{"theme": "dark"}'),
    ],
)
def test_an_entry_is_removed_and_nothing_else_changes(before: str, after: str) -> None:
    assert without_member(before, PATH) == after


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ('{"a": 1', "a comma or a closing brace is missing", 1, 8),
        ('{\n  "a" 1}', "a colon is missing", 2, 7),
        ('{"a": 1} {}', "more follows after the end", 1, 10),
        ('{"a": "b', "a text has no end", 1, 7),
        ("{a: 1}", "a name in quotes is missing", 1, 2),
        ('{"a": }', "a value is missing", 1, 7),
        ('{"a": yes}', "this is no value of JSON", 1, 7),
        ('{"a": [1 2]}', "a comma or a closing bracket is missing", 1, 10),
        ('{"a": 1, /* b', "a comment has no end", 1, 10),
        ('{"a": 1,\n "a": 2}', "'a' stands there twice", 2, 2),
        ("[" * 1000, "it is nested too deeply", 1, 202),
        ("<<<<<<< HEAD\n{}", "a value is missing", 1, 1),
    ],
)
def test_what_is_damaged_is_refused_with_its_place(text: str, reason: str, line: int, column: int) -> None:
    with pytest.raises(DamagedError, match=re.escape(reason)) as error:
        with_member(text, PATH, ENTRY)
    assert (error.value.line, error.value.column) == (line, column)


@pytest.mark.parametrize("text", ["[]", '"text"', '{"servers": []}', '{"servers": null}'])
def test_nothing_is_put_where_no_object_is(text: str) -> None:
    with pytest.raises(DamagedError, match="an object in braces is expected"):
        with_member(text, PATH, ENTRY)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["servers", "a", "b"]), st.dictionaries(st.text(max_size=5), VALUES)
)


@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS, indent=st.sampled_from([None, 1, 2, "\t"]), trailing=st.booleans(), entry=VALUES)
def test_whatever_stands_there_an_entry_is_added_read_and_removed_again(
    document: dict[str, dict[str, object]], indent: int | str | None, trailing: bool, entry: object
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    if trailing:
        # Where a text ends with these characters it changes too, in the same way on both sides.
        text = text.replace("\n}", ", // end\n}") if document and all(document.values()) else text
        document = read(text).value  # type: ignore[assignment]  # an object, as it was written
    added = with_member(text, PATH, entry)
    servers = {**document.get("servers", {}), "bi-mcp": entry}
    assert read(added).value == {**document, "servers": servers}
    del servers["bi-mcp"]
    assert read(without_member(added, PATH)).value == {**document, "servers": servers}
