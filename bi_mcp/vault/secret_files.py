"""Secrets in files of the one folder that the user configured for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import SecretReferenceError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 64 * 1024


def read_secret_file(code: str, folder: Path, name: str) -> Secret:
    """Read the value of a file inside the folder, without its last line break. Raises `SecretReferenceError` about `settings.CODE`."""
    path = _file_inside(folder, name)
    if path is None:
        # The name is not repeated: someone may have written the secret itself there.
        raise SecretReferenceError(
            say(
                "settings.{code}: the folder for secrets contains no file with that name. Name a file inside it.",
                code=code,
            )
        )
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        value = content.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        # The text of these exceptions may hold the file's bytes.
        raise SecretReferenceError(
            say(
                "settings.{code}: the file {name!r} cannot be read as UTF-8 text. Check its rights and save it as UTF-8, or name another file.",
                code=code,
                name=name,
            )
        ) from None
    if len(content) > MAX_FILE_BYTES:
        raise SecretReferenceError(
            say(
                "settings.{code}: the file {name!r} is larger than {max_file_bytes} bytes, which is too large for a secret. Name another file.",
                code=code,
                name=name,
                max_file_bytes=MAX_FILE_BYTES,
            )
        )
    if not value:
        raise SecretReferenceError(
            say(
                "settings.{code}: the file {name!r} is empty. Write the value into it, or name another file.",
                code=code,
                name=name,
            )
        )
    return Secret(value)


def _file_inside(folder: Path, name: str) -> Path | None:
    """Find a file inside the folder, after links and `..` are followed: only its real place counts."""
    try:
        inside = folder.resolve()
        path = (inside / name).resolve()
        return path if path.is_relative_to(inside) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        # A name too long, with a NUL in it, or links in a circle.
        return None
