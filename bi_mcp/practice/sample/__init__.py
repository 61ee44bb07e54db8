"""The sample connector: the connector over data to practise with, opened by a login and a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.secret import Secret
from bi_mcp.connector.app import build_service_app
from bi_mcp.connector.question.dates import parse_culture
from bi_mcp.connector.service.settings import ServiceSettings
from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample.bundled import BUNDLED_NOTE, open_bundled
from bi_mcp.practice.sample.endpoints import DEMO_PASSWORD, ENDPOINTS, ORIGIN
from bi_mcp.practice.sample.login_access import LoginAccess

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

    from bi_mcp.connector.question.dates import Culture

__all__ = ["DEMO_PASSWORD", "ENDPOINTS", "ORIGIN", "create_app"]

_TITLE = "Sample connector"


def create_app(
    data: Path | None = None,
    *,
    login: str = "demo",
    password: Secret | None = None,
    culture: str | None = None,
) -> Starlette:
    """Build the connector over `data`: a file of any kind that the connector reads, or a folder of them.

    Without `data` it serves the public data of the package, and `DEMO_PASSWORD` opens it; data of one's own
    needs a password of one's own. `culture` is the one of the portal: it settles slashed dates in filters (`en`: month
    first, `en-gb`: day first). Raises ConfigError when the password is missing, the culture is not known or the data
    cannot be read.
    """
    known = parse_culture(culture)
    if data is None:
        access = LoginAccess(open_bundled, login, password or Secret(DEMO_PASSWORD), known)
        return build_service_app(access, ServiceSettings(title=_TITLE, note=BUNDLED_NOTE))
    if not password:
        raise ConfigError("The sample needs a password of its own to serve data of your own.")
    note = "Its data is a file of the person who started it."
    access = _open_own(data, login, password, known)
    return build_service_app(access, ServiceSettings(title=_TITLE, note=note))


def _open_own(data: Path, login: str, password: Secret, culture: Culture | None) -> LoginAccess:
    from bi_mcp.connector.files import open_files
    from bi_mcp.connector.options import SourceOptions

    # Names as they stand in the file: somebody practises for a service that has such names, too.
    source = open_files(data, SourceOptions(culture=culture, spelling="original"))
    source.load()
    return LoginAccess(lambda: source, login, password, culture)
