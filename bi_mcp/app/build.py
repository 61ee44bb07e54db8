"""The application that both doors share: the portals, the secrets, the settings that may be shown. Knows nothing of MCP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bi_mcp.app.app import App, PortalAccess
from bi_mcp.app.portals import build_portals, build_recorder
from bi_mcp.app.seal import Seal
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.config import secret_variable, secret_variables
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.setting_values import SettingValues

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.config import Settings
    from bi_mcp.diagnostics.portal.status import PortalStatus
    from bi_mcp.rest.client import BIConnector


def build_app(
    settings: Settings, connect: Callable[[], BIConnector] | None = None, shared: Shared | None = None
) -> App:
    """Build what the tools share."""
    portals, default = build_portals(settings, shared)
    if connect is not None:
        recorder = build_recorder(settings, "portal", PortalIdentity("portal"))
        brought = PortalAccess(
            "the portal",
            "the portal that the program brought.",
            connect,
            recorder=recorder,
            locks=settings.configuration_folder,
        )
        portals, default = {"portal": brought}, "portal"
    if settings.read_only:
        # No tool is there that writes; should one be forgotten, the client refuses.
        portals = {name: replace(portal, read_only=True) for name, portal in portals.items()}
    seal = Seal() if shared is None else Seal(shared.confirmation_key)
    return App(
        portals=portals,
        default=default,
        setting_values=SettingValues(
            variable=secret_variable,
            folder=settings.secrets_folder,
            allow_literal_secrets=settings.allow_literal_secrets,
            named=NamedSecrets(folder) if (folder := settings.configuration_folder) else None,
            shown=settings.shown_settings,
            variables=secret_variables,
        ),
        shown_settings=settings.shown_settings,
        seal=None if settings.confirm == "off" else seal,
        asks=settings.confirm == "elicit",
        workspace_folder=settings.workspace_folder,
        language=settings.language,
    )


async def examine(settings: Settings) -> list[PortalStatus]:
    """Let the doctor look at each configured portal."""
    from bi_mcp.diagnostics.portal.status import read_portal_status

    app = build_app(settings)
    try:
        return [
            await read_portal_status(portal.bi, portal.title, limiter=portal.limiter)
            for portal in app.portals.values()
        ]
    finally:
        await app.aclose()
