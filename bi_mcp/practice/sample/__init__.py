"""The sample connector: the four endpoints that Bitrix24 asks of a connector, over a real data file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.secret import Secret
from bi_mcp.connector.question.dates import parse_culture
from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample.app import Access, build_sample_app
from bi_mcp.practice.sample.bundled import BUNDLED_NOTE, open_bundled
from bi_mcp.practice.sample.data_files import open_tables
from bi_mcp.practice.sample.endpoints import DEMO_PASSWORD, ENDPOINTS, ORIGIN

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

__all__ = ["DEMO_PASSWORD", "ENDPOINTS", "ORIGIN", "create_app"]


def create_app(
    data: Path | None = None,
    *,
    login: str = "demo",
    password: Secret | None = None,
    culture: str | None = None,
) -> Starlette:
    """Build the connector over `data`: a CSV file, a folder of them, or a SQLite file, which is only ever read.

    Without `data` it serves the public data of the package, and `DEMO_PASSWORD` opens it; data of one's own
    needs a password of one's own. `culture` is the one of the portal: it settles slashed dates in filters (`en`: month
    first, `en-gb`: day first). Raises ConfigError when the password is missing, the culture is not known or the data
    cannot be read.
    """
    known = parse_culture(culture)
    if data is None:
        access = Access(login, password or Secret(DEMO_PASSWORD))
        return build_sample_app(open_bundled, access, note=BUNDLED_NOTE, culture=known)
    if not password:
        raise ConfigError("The sample needs a password of its own to serve data of your own.")
    tables = open_tables(data)
    note = "Its data is a file of the person who started it."
    return build_sample_app(lambda: tables, Access(login, password), note=note, culture=known)
