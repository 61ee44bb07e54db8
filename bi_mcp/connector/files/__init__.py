"""Files as a source: delimited texts, JSON, workbooks, Parquet and SQLite, alone or in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.connector.files.folder import FileSource
    from bi_mcp.connector.options import SourceOptions

__all__ = ["open_files"]


def open_files(path: Path, options: SourceOptions) -> FileSource:
    """Open a file or a folder. Raises ConfigError when it holds no table at all; tables are loaded when they are asked for."""
    from bi_mcp.connector.files.folder import FileSource

    if not path.exists():
        raise ConfigError(say("{path}: No such file or directory. Correct the path.", path=path))
    source = FileSource(path, options)
    try:
        source.require_tables()
    except BaseException:
        source.close()
        raise
    return source
