"""An element of a `*.fields` answer."""

from __future__ import annotations

from bi_mcp.rest.models.wire import Received, WireBool, WireText


class FieldDescription(Received):
    """One field of a connector, a source or a dataset. `title` is the field's name in the API."""

    title: WireText = ""
    type: WireText = ""
    is_required: WireBool = False
    is_read_only: WireBool = False
    is_immutable: WireBool = False
    is_multiple: WireBool = False

    @property
    def required_on_creation(self) -> bool:
        """Whether `add` must pass it. Portals mark as required what they set themselves, too."""
        return self.is_required and not self.is_read_only
