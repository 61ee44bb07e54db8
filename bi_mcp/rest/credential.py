"""With what a call is authorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bi_mcp.secret import Secret


@dataclass(frozen=True)
class AccessToken:
    """An application's OAuth access token. Travels as `auth` in the body, never in the address."""

    token: Secret


@dataclass(frozen=True)
class Webhook:
    """An incoming webhook (`USER/SECRET`, the part of its address after `/rest/`). May call only the `*.fields` methods."""

    path: Secret


Credential = AccessToken | Webhook
