"""The practice portal: Bitrix24's BIconnector REST API, imitated from its reference alone.

uvicorn --factory bi_mcp.practice.portal:create_app
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bi_mcp.config import local_portal_settings
from bi_mcp.practice.portal.app import build_portal_app
from bi_mcp.practice.portal.users import PortalUsers, parse_users

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from bi_mcp.config import LocalPortalSettings
    from bi_mcp.practice.portal.users import PortalUser

__all__ = ["create_app"]


def create_app(
    settings: LocalPortalSettings | None = None,
    *,
    clock: Callable[[], float] = time.time,
    connectors: Mapping[str, ASGIApp] | None = None,
    users: Sequence[PortalUser] | None = None,
) -> Starlette:
    """Build a portal. Without settings the `BI_MCP_PORTAL_*` variables decide.

    `users` are those of the settings if they are left out, and without any one local user who may do everything.

    `clock` gives unix seconds. `connectors` maps an origin such as `http://sample.localhost` to a connector in this
    process: calls to that origin reach it without a socket, all others go over the network.
    """
    settings = settings or local_portal_settings()
    known = PortalUsers(parse_users(settings.users) if users is None else users)
    return build_portal_app(settings, clock, connectors or {}, known)
