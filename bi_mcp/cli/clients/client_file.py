"""A client's own file of servers: changed only as it was shown, as a whole or not at all, and with a copy of what it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bi_mcp.base.language import say
from bi_mcp.base.whole_file import link_target, replace_file
from bi_mcp.cli.clients import commented_json
from bi_mcp.errors import ConfigError

Result = TypeVar("Result")

_COPY = "before-bi-mcp"


class ClientFile:
    """A client's file as it was when this object was made. Raises `ConfigError` for a damaged one; it is never overwritten."""

    def __init__(self, path: Path) -> None:
        self.path = link_target(path)
        self._bytes = self._read()
        self.text = self._decode()
        self._document = {} if commented_json.is_blank(self.text) else self._read_document()

    def with_entry(self, servers: str, name: str, entry: object) -> str:
        """The text with an entry for a server."""
        return self._edit(lambda: commented_json.with_member(self.text, (servers, name), entry))

    def without_entry(self, servers: str, name: str) -> str:
        """The text without the entry of a server."""
        return self._edit(lambda: commented_json.without_member(self.text, (servers, name)))

    def entry(self, servers: str, name: str) -> object:
        """The entry of a server, None where there is none."""
        held = self._document.get(servers)
        return held.get(name) if isinstance(held, dict) else None

    def write(self, text: str) -> Path | None:
        """Replace the file, and return the copy of the old one. Raises `ConfigError` when it was changed meanwhile or cannot be written."""
        if self._read() != self._bytes:
            raise ConfigError(
                say(
                    "{path} was changed meanwhile. Nothing was written: run the command again.",
                    path=self.path,
                )
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            copy = self._copy()
            try:
                replace_file(self.path, text.encode(), mode=0o600)
            except OSError:
                _remove(copy)
                raise
        except OSError as error:
            raise ConfigError(
                say(
                    "{path} cannot be written ({strerror}). Make it writable, or name another file with --file.",
                    path=self.path,
                    strerror=error.strerror,
                )
            ) from None
        return copy

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(
                say(
                    "{path} cannot be read ({strerror}). Let your user read it, or name another file with --file.",
                    path=self.path,
                    strerror=error.strerror,
                )
            ) from None

    def _decode(self) -> str:
        try:
            return (self._bytes or b"").decode()
        except UnicodeDecodeError:
            raise ConfigError(
                say("{path} is not UTF-8 text. Nothing was changed; add what --print shows.", path=self.path)
            ) from None

    def _read_document(self) -> dict[str, object]:
        document = self._edit(lambda: commented_json.read(self.text).value)
        if not isinstance(document, dict):
            raise ConfigError(
                say(
                    "{path} does not hold a JSON object. Nothing was changed; add what --print shows.",
                    path=self.path,
                )
            )
        return document

    def _edit(self, edit: Callable[[], Result]) -> Result:
        try:
            return edit()
        except commented_json.DamagedError as error:
            raise ConfigError(
                say(
                    "{path}:{line}:{column}: {reason}. Nothing was changed: mend it, or add what --print shows.",
                    path=self.path,
                    line=error.line,
                    column=error.column,
                    reason=error,
                )
            ) from None

    def _copy(self) -> Path | None:
        """The first free name: no copy replaces an older one."""
        if self._bytes is None:
            return None
        number = 1
        while (copy := self.path.with_name(f"{self.path.name}.{_COPY}-{number}")).exists():
            number += 1
        # With its mode: the file may hold other servers' secrets.
        try:
            shutil.copy2(self.path, copy)
        except OSError:
            _remove(copy)
            raise
        return copy


def _remove(copy: Path | None) -> None:
    """Remove a copy, since nothing was changed and there is nothing to go back to; on a full disk it may be half a copy."""
    if copy is not None:
        with suppress(OSError):
            copy.unlink()
