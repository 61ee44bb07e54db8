"""The seal of what the history must keep and must not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import text
from bi_mcp.vault.folder_sealer import FolderSealer, SealTexts

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = SealTexts(
    name="history",
    unlock=text("Unlock it, or set BI_MCP_HISTORY=off and do without undo."),
    without=text("Or set BI_MCP_HISTORY=off and do without undo."),
    replace=text("Delete it; writes that were sealed with it can then no longer be undone."),
    foreign=text(
        "A value in the history was sealed with another key, which no longer exists. Set the value again by hand."
    ),
    unwritable=text(
        "The key of the history cannot be kept in {folder} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder."
    ),
)


class Sealer(FolderSealer):
    """Sealer of the history in a folder. It does not ask for its key yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _TEXTS)
