"""Setup files as editors, shells and strangers leave them: encodings, line ends, pipes, and what YAML could make of a few lines."""

from __future__ import annotations

import os
import re
import threading
from math import inf
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.cli import main
from bi_mcp.config import Settings
from bi_mcp.errors import SetupFileError
from bi_mcp.server.build import build_server
from bi_mcp.setup.document import OF_A_SERVER, Bounds, _compose, read_document
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.marked import MarkedDict, MarkedList
from bi_mcp.setup.plain_lines import read_plain_lines
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state_file import StateFile
from tests.server.talking import Talk
from tests.setup.setups import setups
from tests.setup.test_commands import SETUP

RUSSIAN = SETUP.replace("Airlines", "Авиакомпании")
OTHERS = {
    "UTF-16": [RUSSIAN.encode("utf-16"), RUSSIAN.encode("utf-16-le"), RUSSIAN.encode("utf-16-be")],
    "Windows-1251": [RUSSIAN.encode("cp1251")],
}
OTHER_ENCODINGS = [(name, data) for name, texts in OTHERS.items() for data in texts]

# What a line may be in a file that people write by hand.
LINES = [
    "a: b", "a: 'it''s'", 'a: "x \\n y"', "a: 12", "a: 012", "a: 1.5", "a: yes", "a: true", "a:", "b:", "  c: d", "  - {k: v}",
    "  - {k: v, l: 'm, n'} # why", "# a comment", "    deeper: x", "a: b: c", "a: http://x:8080/y?z=1#f", "a: x #y", "a: x#y",
    "  c: {k: v}", "  c: {k: v, k: w}", "a: *x", "a: &x y", "a: !t y", "<<: {a: b}", "---", "...", "- x", "  - x", "a: [b]", "a: >",
    "  - {k: x{y}", "  - {k: http://x/y}", "  - {k: 5 apples}", "a: b\tc", "a : b", "a: 'open", "continued", "  continued", "\ta: b",
    "true: x", "a: null", "a: {}", "a: x\u00a0y", "  c: {k: v} x", "  - {k: v},", "? a", "a: Привет, мир", "a: |", "a: x:", "a: @x",
    "a: x - y", "a: x, [y] {z}", "  - {k: x [y]}", "  - {k: x?y}", "  c: {k: 'a: b', l: \"{\"}", "a: 0", "a: -5", "a: {k: {l: m}}",
]  # fmt: skip

QUICK = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def marks(node: Any) -> object:
    """Everything that a reader noted, values and places alike."""
    if isinstance(node, MarkedDict):
        return {key: (node.marks[key], marks(value)) for key, value in node.items()}
    if isinstance(node, MarkedList):
        return [(node.marks[index], marks(value)) for index, value in enumerate(node)]
    return (type(node), node)


@QUICK
@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=8))
def test_lines_that_are_read_quickly_are_read_as_yaml(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = read_plain_lines(text, inf)
    if found is not None:
        assert marks(found) == marks(_compose(text, "bi.yaml", inf))


@settings(QUICK, max_examples=30)
@given(setup=setups())
def test_a_setup_is_read_the_same_by_both_readers(setup: Setup) -> None:
    text = write_setup(setup)
    found = read_plain_lines(text, inf)
    composed = _compose(text, "bi.yaml", inf)
    assert found is None or marks(found) == marks(composed)
    assert Setup.model_validate(composed) == setup


def test_an_exported_setup_is_read_quickly() -> None:
    assert read_plain_lines(SETUP, inf) == _compose(SETUP, "bi.yaml", inf)


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        ("a: &hunter2 x", "2:4", "anchors are not read"),
        ("a: *hunter2", "2:4", "anchors are not read"),
        ("a: [*hunter2]", "2:5", "anchors are not read"),
        ("a: !hunter2 x", "2:4", "tags are not read"),
        ("a: !hunter2!x y", "2:4", "tags are not read"),
        ("a: !!python/object:os.system {}", "2:4", "tags are not read"),
        ("<<: {a: b}", "2:1", "merges (<<) are not read"),
        ("a: {<<: [{b: c}, {b: c}]}", "2:5", "merges (<<) are not read"),
        ("version: 2", "2:1", "this name is there twice"),
        ("? [a, b]\n: c", "2:3", "a name is one line of text"),
        ("a: b\n--- {}", "3:1", "a setup file holds one document"),
    ],
)
def test_what_a_setup_never_has_is_refused_where_it_stands(line: str, place: str, told: str) -> None:
    with pytest.raises(SetupFileError, match=rf"^bi.yaml:{place}: .*{re.escape(told)}") as caught:
        read_setup(f"version: 1\n{line}\n", "bi.yaml")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [x\n", "a: 'x\n\n", '{"a": [1,'])
def test_reading_ends_at_its_deadline(text: str) -> None:
    with pytest.raises(SetupFileError, match="took longer than"):
        read_document(text * 1000, "setup", Bounds(10_000, seconds=-1))


def test_the_largest_setup_of_a_server_is_a_number() -> None:
    with pytest.raises(SetupFileError, match=r"at most 2000000 characters here.*The command line reads more"):
        read_setup("x" * (OF_A_SERVER.characters + 1), "setup", OF_A_SERVER)


def test_places_of_json_are_told() -> None:
    with pytest.raises(SetupFileError, match=r"^bi.json:2:2: surprise is unknown here$"):
        read_setup('{"version": 1,\n "surprise": 2}', "bi.json")


@pytest.mark.parametrize(("name", "data"), OTHER_ENCODINGS)
@pytest.mark.parametrize("command", ["plan", "export", "apply"])
def test_another_encoding_is_named_and_its_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bi.yaml").write_bytes(data)
    refused = CliRunner().invoke(main, [command, "bi.yaml"])
    assert refused.exit_code == 1
    assert f"bi.yaml is not UTF-8 but {name}" in refused.output
    assert "export bi.yaml" not in refused.output
    assert Path("bi.yaml").read_bytes() == data


UNREADABLE = {
    "missing.yaml": "does not exist. Name another file",
    "folder": "is a folder. Name the setup file in it, such as folder/bi.yaml",
    "link.yaml": "is a link to a file that does not exist. Correct the link",
    "loop.yaml": "cannot be read (Too many levels of symbolic links). Check where it leads",
    "file/bi.yaml": "cannot be read (Not a directory). Check where it leads",
}


@pytest.fixture
def unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what cannot be read as a setup."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BI_MCP_PORTAL_DB", ":memory:")
    Path("folder").mkdir()
    Path("file").touch()
    Path("link.yaml").symlink_to("gone.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")


@pytest.mark.skipif(os.name != "posix", reason="other systems say it in other words")
@pytest.mark.usefixtures("unreadable")
@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("adopt", "sources.a=1", "--file")])
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(name: str, command: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(main, [*command, name])
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: {name} {UNREADABLE[name]}")


@pytest.mark.usefixtures("unreadable")
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("adopt", "x=1", "--file"), ("export",)])
def test_a_file_that_the_user_may_not_read_is_named_with_what_to_do(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("bi.yaml").write_text(SETUP, encoding="utf-8")
    opened = os.open

    def locked(path: Any, *how: Any, **more: Any) -> int:
        """Root may read everything: a right that is missing has to be played."""
        if os.fspath(path) == "bi.yaml":
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *how, **more)

    monkeypatch.setattr(os, "open", locked)
    refused = CliRunner().invoke(main, [*command, "bi.yaml"])
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: bi.yaml cannot be read (Permission denied). Allow your user")


@pytest.mark.usefixtures("unreadable")
def test_an_export_that_nothing_can_take_ends_before_the_portal_is_read() -> None:
    for name in ("file/bi.yaml", "gone/bi.yaml"):
        refused = CliRunner().invoke(main, ["export", name])
        assert refused.exit_code == 1
        assert refused.output.startswith(f"Error: {name} cannot be written: there is no folder ")
    assert "is a folder. Name the setup file" in CliRunner().invoke(main, ["export", "folder"]).output
    assert CliRunner().invoke(main, ["export", "link.yaml"]).exit_code == 0
    assert Path("gone.yaml").exists()


@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_setup_file_keeps_its_line_ends_and_its_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str, end: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (begin + SETUP.replace("\n", end)).encode()
    Path("bi.yaml").write_bytes(before)
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(tmp_path / "portal.sqlite3"))
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo")
    assert read_setup(before.decode(), "bi.yaml") == read_setup(SETUP, "bi.yaml")
    written = write_setup(read_setup(before.decode(), "bi.yaml"), before.decode())
    assert written.encode() == before


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders")
@pytest.mark.anyio
async def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    async with Client(build_server(Settings(workspace_folder=tmp_path))) as client:
        talk = Talk(client)
        for tool in ("workspace_plan", "workspace_export"):
            assert "is not a regular file" in await talk.refused(tool, file="pipe.yaml")
    (tmp_path / "bi.yaml").write_text(SETUP, encoding="utf-8")
    os.mkfifo(StateFile(tmp_path / "bi.yaml", PortalIdentity("embedded")).path)
    async with Client(build_server(Settings(workspace_folder=tmp_path))) as client:
        assert "state.json cannot be read" in await Talk(client).refused("workspace_plan", file="bi.yaml")


@pytest.mark.anyio
async def test_the_server_answers_others_while_it_reads_a_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ends only when another call has been answered."""
    answered = threading.Event()

    def reading(text: str, name: str, bounds: Bounds) -> Setup:
        assert answered.wait(30)
        return read_setup(text, name, bounds)

    monkeypatch.setattr("bi_mcp.setup.file.read_setup", reading)
    async with Client(build_server(Settings())) as client, create_task_group() as tasks:
        talk = Talk(client)

        async def plan() -> None:
            assert (await talk.done("workspace_plan", setup="version: 1"))["changes"] == []

        tasks.start_soon(plan)
        await talk.done("connector_list")
        answered.set()


@pytest.mark.parametrize(
    "line",
    ['a: "' + "x" * 50_000, "a: " + "x " * 25_000 + "\t", "a: " + "x:y" * 20_000 + ": ", "  - {a: " + "b " * 25_000],
    ids=["a quote", "words", "colons", "braces"],
)  # fmt: skip
def test_text_that_could_match_in_many_ways_ends(line: str) -> None:
    """With a pattern that tries them all it would not."""
    assert read_plain_lines(line, inf) is None
