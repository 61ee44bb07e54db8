"""JSON that the standard parser lets through and that breaks whoever passes it on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.foreign_json import MOST_LEVELS, is_deep, parse_foreign
from bi_mcp.endpoints.elements import ElementReader, NotJsonError
from bi_mcp.errors import SetupFileError, StateFileError, UnexpectedAnswerError
from bi_mcp.history.journal import Journal
from bi_mcp.rest.envelope import parse_answer
from bi_mcp.rest.methods import METHODS
from bi_mcp.rest.models import Source
from bi_mcp.setup.file import read_setup
from bi_mcp.setup.state_file import StateFile
from bi_mcp.vault.private_file import _parse as parse_private


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_as_many_levels_as_are_allowed_are_read_and_one_more_is_refused() -> None:
    assert parse_foreign(nested(MOST_LEVELS))
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_foreign(nested(MOST_LEVELS + 1))


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 500, 960, 985, 1000, 100_000])
def test_a_deep_answer_of_a_portal_is_refused_by_name(levels: int) -> None:
    with pytest.raises(UnexpectedAnswerError, match="broken or cut-off JSON"):
        parse_answer(METHODS[0], 200, b'{"result": ' + nested(levels) + b"}")


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 500, *range(900, 1000, 3), 100_000])
def test_a_deep_element_of_an_endpoint_is_refused_by_name(levels: int) -> None:
    with pytest.raises(NotJsonError, match=r"nested too deeply"):
        ElementReader(10).feed(b'["\\ud83d\\ude00",' + nested(levels) + b"]")


@pytest.mark.parametrize("levels", [1000, 100_000])
def test_deep_files_are_damaged_files(tmp_path: Path, levels: int) -> None:
    state, journal = (
        StateFile(tmp_path / "bi.yaml", PortalIdentity("portal.example")),
        Journal(tmp_path / "journal"),
    )
    for path in (state.path, state.pending_path, journal.path):
        path.write_bytes(nested(levels))
    # How deep is too deep for the standard library depends on its version.
    with pytest.raises(StateFileError, match=r"cannot be read|is damaged"):
        state.read()
    with pytest.raises(StateFileError, match=r"cannot be read|is damaged"):
        state.read_pending()
    assert parse_private(nested(levels)) is None
    journal.append([{"one": 1}])
    assert list(journal.read()) == [{"one": 1}]


def test_breadth_is_not_depth() -> None:
    assert not is_deep([[{}] for _ in range(10_000)])
    assert not is_deep("text")


def test_half_a_character_is_replaced_wherever_it_stands() -> None:
    read = parse_foreign(b'{"\\ud800": ["\\udfff", "\\ud83d\\ude00", "\\u0416", 1, null]}')
    assert read == {"�": ["�", "😀", "Ж", 1, None]}
    json.dumps(read, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body", [b"\xff\xfe[\x00]\x00", b'["\xed\xa0\x80"]'], ids=["UTF-16", "a half in bytes"]
)
def test_only_utf8_is_read(body: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_foreign(body)


def test_a_setting_without_a_value_is_an_empty_one() -> None:
    source = Source.model_validate({"id": 1, "settings": [{"code": "password"}]})
    assert [bool(setting.value) for setting in source.settings or []] == [False]


def test_the_end_of_an_array_is_followed_by_what_json_calls_space() -> None:
    read = ElementReader(10)
    read.feed(b"[1] \r\n\t")
    read.finish()
    assert read.elements == [1]
    for other in ("\x0c", "\xa0", "\u2028"):
        read = ElementReader(10)
        read.feed(f"[1]{other}".encode())
        with pytest.raises(NotJsonError, match="goes on"):
            read.finish()


@pytest.mark.parametrize("text", ["!!set ion: 1\n", "a: &a 1\nb: &a 2\n", '{"\\ud800": 1}', "? [a]\n: 1\n"])
def test_odd_yaml_is_refused_and_prints_nothing(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupFileError) as refused:
        read_setup(text, "bi.yaml")
    str(refused.value).encode()
    assert capfd.readouterr() == ("", "")
