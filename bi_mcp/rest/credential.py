"""Credentials that authorise a call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError


@dataclass(frozen=True)
class AccessToken:
    """An application's OAuth access token. Travels as `auth` in the body, never in the address.

    `portal_url` is where the portal is now, when it was renamed after the transport was made.
    """

    token: Secret
    portal_url: str | None = None


@dataclass(frozen=True)
class Webhook:
    """An incoming webhook (`USER/SECRET`, the part of its address after `/rest/`). May call only the `*.fields` methods."""

    path: Secret


Credential = AccessToken | Webhook


class CredentialSource(Protocol):
    """Source of each call's credential: one that never changes, or a session that renews its token."""

    async def current(self) -> Credential:
        """Return the credential to call with."""
        ...

    async def renew(self, rejected: Credential) -> Credential | None:
        """Return a newer credential after the portal called `rejected` expired; None if there is none."""
        ...

    async def replaced(self, refused: Credential) -> Credential | None:
        """Return the credential of a login that was made since, after the portal did not know `refused`; None if there is none."""
        ...


@dataclass(frozen=True)
class FixedCredential:
    """Source of a single credential that cannot be renewed."""

    credential: Credential

    async def current(self) -> Credential:
        """Return the credential."""
        return self.credential

    async def renew(self, rejected: Credential) -> None:  # noqa: ARG002  the protocol's signature
        """Do nothing: the credential is the only one."""
        return

    async def replaced(self, refused: Credential) -> None:  # noqa: ARG002  the protocol's signature
        """Do nothing, as above."""
        return


def parse_webhook(address: str) -> tuple[str, Webhook]:
    """Split a webhook's address into the portal's address and the credential. Raises `ConfigError`, without echoing it."""
    found = re.fullmatch(r"(https?://[^/?#@]+)/rest/(\d+/[^/?#]+)/?", address.strip())
    if not found:
        raise ConfigError(
            say(
                "A webhook's address looks like https://portal.example/rest/USER/SECRET/. Copy it whole from the portal."
            )
        )
    return found[1], Webhook(Secret(found[2]))
