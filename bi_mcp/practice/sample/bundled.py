"""The data in the package. The README beside it names the origin and the licence."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bi_mcp.practice.sample.endpoints import DEMO_PASSWORD

if TYPE_CHECKING:
    from bi_mcp.connector.source import Source

BUNDLED_NOTE = (
    "Its data is public: flights from New York, 1–3 January 2013, collected by the US Bureau of Transportation "
    f"Statistics, FAA and NOAA. Unless it was started otherwise, the login is demo, the password {DEMO_PASSWORD}."
)


@cache
def open_bundled() -> Source:
    """Open the data once per process, when the first request asks: a server that starts need not wait for it."""
    from bi_mcp.connector.files import open_files
    from bi_mcp.connector.options import SourceOptions

    return open_files(Path(__file__).parent / "data", SourceOptions())
