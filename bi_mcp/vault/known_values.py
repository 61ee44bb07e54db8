"""Every value that a reference can name here. A value equal to one of them is not shown, whatever its parameter is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from bi_mcp.base.secret import Secret
from bi_mcp.vault.fingerprints import trim
from bi_mcp.vault.secret_files import MAX_FILE_BYTES
from bi_mcp.vault.setting_values import ENV_PREFIX
from bi_mcp.vault.stored_values import StoredValues, read_stored_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bi_mcp.vault.setting_values import SettingValues

MOST_FILES = 1000


@dataclass(frozen=True)
class KnownValues:
    """The stored secrets, present and former, and the values of variables and files.

    `complete` is False if some could not be read.
    """

    stored: StoredValues = field(default_factory=StoredValues)
    others: Sequence[Secret] = ()
    complete: bool = True

    def may_hold(self, value: Secret) -> bool:
        """Check whether the value is one of these, or could be an unreadable one. Space around it does not count."""
        if not self.complete or self.stored.owners(value):
            return True
        sought = trim(value)
        return any(trim(held) == sought for held in self.others)


NOTHING_KNOWN = KnownValues()


def known_values(values: SettingValues) -> KnownValues:
    """Read every value that a reference could name. May wait for a keyring."""
    stored, errors = read_stored_values(values.named) if values.named else (StoredValues(), [])
    files, all_files = _files(values.folder)
    return KnownValues(stored, (*values.variables(ENV_PREFIX), *files), complete=all_files and not errors)


def _files(folder: Path | None) -> tuple[list[Secret], bool]:
    if folder is None:
        return [], True
    try:
        paths = list(islice(folder.rglob("*"), MOST_FILES + 1))
        found = [_content(path) for path in paths if path.is_file()]
    except OSError:
        return [], False
    return [secret for secret in found if secret is not None], len(paths) <= MOST_FILES


def _content(path: Path) -> Secret | None:
    """Read the value that a reference to the file names; None if the file cannot be one."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        return None
    try:
        return Secret(content.decode())
    except UnicodeDecodeError:
        return None
