"""An element of a `*.fields` answer."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from bi_mcp.rest.models.wire import Received, WireBool, WireText


class FieldDescription(Received):
    """One field of a connector, a source or a dataset. `title` is the field's name in the API."""

    title: WireText
    type: WireText
    is_required: WireBool = False
    is_read_only: WireBool = False
    is_immutable: WireBool = False
    is_multiple: WireBool = False

    @model_validator(mode="before")
    @classmethod
    def _add_missing_title(cls, data: Any) -> Any:
        """Read a description without its name, too: the vendor's machine-readable samples leave it out."""
        return {"title": "", **data} if isinstance(data, dict) else data

    @property
    def required_on_creation(self) -> bool:
        """True if `add` must pass it. Portals also mark fields as required that they set themselves."""
        return self.is_required and not self.is_read_only
