"""The BIconnector REST API in Python, usable without MCP."""

from __future__ import annotations

from bi_mcp.base.secret import Secret
from bi_mcp.rest.batch import BatchReference
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.credential import AccessToken, Credential, Webhook
from bi_mcp.rest.kind_methods import Page
from bi_mcp.rest.request import Command

__all__ = [
    "AccessToken",
    "BIConnector",
    "BatchReference",
    "Command",
    "Credential",
    "Page",
    "Secret",
    "Webhook",
]
