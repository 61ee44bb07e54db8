"""The bytes of a setup file -> its text. Only UTF-8 is read; what an editor or a shell wrote in its place is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.whole_file import NOT_REGULAR, read_regular
from bi_mcp.errors import SetupFileError

if TYPE_CHECKING:
    from pathlib import Path

    from bi_mcp.setup.document import Bounds

# A character of UTF-8 has at most four bytes.
BYTES_OF_A_CHARACTER = 4

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_RUSSIAN = re.compile(r"[А-яЁё]{3}")


def read_setup_text(path: Path, name: str, bounds: Bounds) -> str:
    """Read a file. `name` is its name in errors. Raises `SetupFileError` at once for a pipe, and for text that is not UTF-8."""
    try:
        data = read_regular(path, bounds.characters * BYTES_OF_A_CHARACTER + 1)
    except OSError as error:
        raise SetupFileError(_unreadable(path, name, error)) from None
    return decode_setup(data, name)


def decode_setup(data: bytes, name: str) -> str:
    """Decode the text with its line ends as they are. Raises `SetupFileError` that names the encoding, if it can be recognised."""
    encoding = _other_encoding(data)
    if encoding is None:
        return data.decode("utf-8")
    raise SetupFileError(
        say(
            "{name} is not UTF-8 but {encoding}. It was not changed; save it as UTF-8 in your editor. If `>` in PowerShell wrote it, name the file to the export instead.",
            name=name,
            encoding=encoding,
        )
    )


def _other_encoding(data: bytes) -> str | None:
    # UTF-16 without its mark: the letters of `version` have a zero beside them.
    if data.startswith(_UTF_16_MARKS) or b"\0" in data[:4]:
        return "UTF-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        russian = _RUSSIAN.search(data.decode("cp1251", errors="replace"))
        return "Windows-1251 (cp1251)" if russian else say("another encoding")
    return None


def _unreadable(path: Path, name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return say(
            "{name} is a link to a file that does not exist. Correct the link, or name another file.",
            name=name,
        )
    if isinstance(error, FileNotFoundError):
        return say("{name} does not exist. Name another file, or export one.", name=name)
    if path.is_dir():
        return say("{name} is a folder. Name the setup file in it, such as {name}/bi.yaml.", name=name)
    if error.strerror == NOT_REGULAR:
        return say("{name} is not a regular file. Name a setup file.", name=name)
    if isinstance(error, PermissionError):
        return say(
            "{name} cannot be read ({strerror}). Allow your user to read it and to enter its folder, or name another file.",
            name=name,
            strerror=error.strerror,
        )
    return say(
        "{name} cannot be read ({strerror}). Check where it leads, or name another file.",
        name=name,
        strerror=error.strerror,
    )
