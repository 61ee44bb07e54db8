"""A client's own file of servers: changed only as it was shown, as a whole or not at all, and with a copy of what it was."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bi_mcp.base.language import say
from bi_mcp.base.whole_file import link_target, replace_file
from bi_mcp.errors import ConfigError

_COPY = "before-bi-mcp"


class ClientFile:
    """A client's file as it was when this object was made; `servers` is the member that holds the servers.

    Raises `ConfigError` for a file that cannot be edited with certainty, with `advice` on what its user can do instead.
    """

    def __init__(self, path: Path, servers: str, advice: str) -> None:
        self.path = link_target(path)
        self._servers = servers
        self._bytes = self._read()
        self._document, self._entries = self._parse(advice)

    def entry(self, name: str) -> object:
        """The entry of a server, None where there is none."""
        return self._entries.get(name)

    def with_entry(self, name: str, entry: object) -> str:
        """The text with an entry for a server."""
        return self._render({**self._entries, name: entry})

    def without_entry(self, name: str) -> str:
        """The text without the entry of a server."""
        return self._render({known: entry for known, entry in self._entries.items() if known != name})

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
            copy = self.copy()
            try:
                replace_file(self.path, text.encode(), mode=0o600)
            except OSError:
                _remove(copy)
                raise
        except OSError as error:
            raise self._unwritable(error) from None
        return copy

    def copy(self) -> Path | None:
        """Copy the file, and return the copy. Raises `ConfigError` when it cannot be written."""
        if self._bytes is None:
            return None
        # The first free name: no copy replaces an older one.
        number = 1
        while (copy := self.path.with_name(f"{self.path.name}.{_COPY}-{number}")).exists():
            number += 1
        # With its mode: the file may hold other servers' secrets.
        try:
            shutil.copy2(self.path, copy)
        except OSError as error:
            _remove(copy)
            raise self._unwritable(error) from None
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

    def _parse(self, advice: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """The document, and its servers."""
        try:
            text = (self._bytes or b"").decode("utf-8-sig")
            document: object = json.loads(text, object_pairs_hook=_unique) if text.strip() else {}
            # Nothing that could not be written again, such as half a character or a number beyond all floats.
            json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            entries = document.get(self._servers, {})
            if isinstance(entries, dict):
                return document, entries
        raise ConfigError(
            say(
                "{path} is not plain JSON in UTF-8 with an object {member!r}: it has comments, errors or another structure. Nothing was changed. {advice}",
                path=self.path,
                member=self._servers,
                advice=advice,
            )
        )

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(
            say(
                "{path} cannot be written ({strerror}). Make it writable, or name another file with --file.",
                path=self.path,
                strerror=error.strerror,
            )
        )

    def _render(self, entries: Mapping[str, object]) -> str:
        """The document with these servers, with the indentation and the line ends of the file."""
        before = (self._bytes or b"").decode("utf-8-sig")
        indent = re.search(r"\n([ \t]+)\S", before)
        text = json.dumps(
            {**self._document, self._servers: entries}, ensure_ascii=False, indent=indent[1] if indent else 2
        )
        return (text + "\n").replace("\n", "\r\n" if "\r\n" in before else "\n")


def _remove(copy: Path | None) -> None:
    """Remove a copy, since nothing was changed and there is nothing to go back to; on a full disk it may be half a copy."""
    if copy is not None:
        with suppress(OSError):
            copy.unlink()


def _unique(members: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object. Raises `ValueError` for a name that stands there twice: one of its values would be lost."""
    built = dict(members)
    if len(built) != len(members):
        raise ValueError
    return built
