"""What commands print and read where the system's code page has not every sign, as on Windows."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import click
import pytest

from tests.server.processes import COMMAND, LIMIT_S, environment

pytestmark = pytest.mark.campaign("terminals, pipes and code pages")

SETUP = """
version: 1
connectors:
  shop:
    title: Магазин ✓
    logo: https://shop.example/logo.png
    description: Заказы
    urlCheck: http://sample.localhost/check
    urlData: http://sample.localhost/data
    urlTableList: http://sample.localhost/table_list
    urlTableDescription: http://sample.localhost/table_description
"""


def ran(home: Path, *arguments: str, encoding: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    variables = environment(home, BI_MCP_PORTAL_DB=":memory:", PYTHONIOENCODING=encoding)
    return subprocess.run(  # noqa: S603  bi-mcp itself
        [*COMMAND, *arguments], check=False, input=given, capture_output=True, env=variables, timeout=LIMIT_S
    )


@pytest.mark.parametrize("encoding", ["cp1252", "cp866", "ascii"])
def test_files_and_pipes_get_every_sign(tmp_path: Path, encoding: str) -> None:
    done = ran(tmp_path, "--language", "ru", "doctor", encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    printed = done.stdout.decode("utf-8")
    assert "✓" in printed
    assert "Токен" in printed


def test_a_pipe_is_read_as_the_file_would_be(tmp_path: Path) -> None:
    file = tmp_path / "bi.yaml"
    file.write_text(SETUP, encoding="utf-8")
    named = ran(tmp_path, "plan", str(file), encoding="cp1252")
    piped = ran(tmp_path, "plan", "-", encoding="cp1252", given=SETUP.encode())
    # It holds a checksum of everything that would be made.
    assert b"Checksum: " in named.stdout
    assert piped.stdout == named.stdout


@pytest.mark.parametrize("arguments", [("plan", "-"), ("login", "acme.example", "--import", "-")])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_what_is_no_text_is_refused_in_a_sentence(
    tmp_path: Path, encoding: str, arguments: tuple[str, ...]
) -> None:
    done = ran(tmp_path, *arguments, encoding=encoding, given=b"version: 1\nx: \xff\n")
    assert done.returncode == 1
    assert done.stderr == b"Error: The input is not UTF-8 text. Save it as UTF-8, then try again.\n"


def test_a_terminal_keeps_its_code_page_and_shows_what_it_lacks_as_question_marks(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    variables = environment(tmp_path, BI_MCP_PORTAL_DB=":memory:", PYTHONIOENCODING="cp866", TERM="dumb")
    with subprocess.Popen(  # noqa: S603  bi-mcp itself
        [*COMMAND, "--language", "ru", "doctor"],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        env=variables,
    ) as process:
        os.close(terminal)
        printed = read_all(ours)
        assert process.wait(LIMIT_S) == 0
    assert "? access: Токен" in click.unstyle(printed.decode("cp866"))


def read_all(descriptor: int) -> bytes:
    parts = []
    while part := _read(descriptor):
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 10_000)
    except OSError:
        # How Linux says that the other end is closed.
        return b""
