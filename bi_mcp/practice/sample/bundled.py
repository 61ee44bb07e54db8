"""The data in the package. The README beside it names the origin and the licence."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bi_mcp.practice.sample.data_files import open_tables
from bi_mcp.practice.sample.endpoints import DEMO_PASSWORD
from bi_mcp.practice.sample.tables import ServedTables

BUNDLED_NOTE = (
    "Its data is public: flights from New York, 1–3 January 2013, collected by the US Bureau of Transportation "
    f"Statistics, FAA and NOAA. Unless it was started otherwise, the login is demo, the password {DEMO_PASSWORD}."
)


@cache
def open_bundled() -> ServedTables:
    """Load the data once per process, when the first request asks: a server that starts need not wait for it."""
    return open_tables(Path(__file__).parent / "data")
