"""The action of `bi-mcp connector serve`."""

from __future__ import annotations

from typing import Any


def serve_connector(**_options: Any) -> None:
    """Serve databases and files until a signal comes."""
    raise NotImplementedError
