"""What connectors, sources and datasets have in common."""

from __future__ import annotations

from typing import Any

from bi_mcp.rest.models.wire import Identified


class PortalObject(Identified):
    """A connector, a source or a dataset as a portal answers it."""

    @property
    def label(self) -> str:
        """The title, or a dataset's name. Empty where the portal does not answer it."""
        raise NotImplementedError

    @property
    def last_change(self) -> tuple[int | None, str | None]:
        """The user and the moment of the last change. A portal answers neither for connectors."""
        return None, None

    def documented(self) -> dict[str, Any]:
        """Return what the API documents, as it spells it; the settings of a source as `{code: Secret}`."""
        names = set(type(self).model_fields) - {"settings", "fields"}
        return self.model_dump(by_alias=True, include=names, exclude_none=True)
