from __future__ import annotations

from tests.history.conftest import generation, recorded

__all__ = ["generation", "recorded"]
