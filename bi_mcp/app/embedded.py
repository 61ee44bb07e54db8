"""The practice portal in the server's own process, as it is used when nothing is configured. Imported when it is first called."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from bi_mcp.base.secret import Secret
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.practice import sample
from bi_mcp.practice.run import build_portal
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.credential import AccessToken
from bi_mcp.rest.transport import HttpTransport

if TYPE_CHECKING:
    from bi_mcp.config import Culture, LocalPortalSettings

# Never resolved: calls to it stay in the process. `http` on loopback's name, so that no rule about https is bent.
PORTAL_URL = "http://localhost"


def connect_embedded(settings: LocalPortalSettings) -> BIConnector:
    """Start a practice portal that knows the sample connector, and return a client of it."""
    token = settings.access_token or Secret(secrets.token_urlsafe())
    portal = build_portal(replace(settings, access_token=token))
    return BIConnector(HttpTransport(PORTAL_URL, AccessToken(token), app=portal))


def call_embedded_endpoints(culture: Culture) -> EndpointCaller:
    """Call connectors as the practice portal does: the sample without a socket, and others wherever they are."""
    return EndpointCaller(
        allow_private=True,
        culture=culture,
        apps={sample.ORIGIN: sample.create_app(culture=culture)},
        portal=PORTAL_URL,
    )
