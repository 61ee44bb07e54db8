"""What the connector says that it serves is what it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.cli.actions import connector_found
from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions


def test_files_that_are_left_out_are_no_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.csv").write_text("a,b\n1,2\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1\n")
    source = open_files(tmp_path, SourceOptions())
    try:
        connector_found._tell("sales", str(tmp_path), source)
        told = capsys.readouterr().out
        assert told.startswith(f"sales ({tmp_path}): 1 table: good\n  ragged.csv is left out: ")
        assert list(source.tables()) == ["good"]
    finally:
        source.close()
