"""The BIconnector REST API in Python, usable without MCP."""

from __future__ import annotations

from bi_mcp.base.secret import Secret
from bi_mcp.rest.batch import BatchReference, Command
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.credential import AccessToken, Credential, Webhook
from bi_mcp.rest.kind_methods import Page

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
