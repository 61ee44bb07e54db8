"""The state that this replica shares with the others."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.app.replicas.tokens import LocalLogin, SharedTokenStore

if TYPE_CHECKING:
    from key_value.aio.protocols import AsyncKeyValue

    from bi_mcp.app.replicas.budget import SharedBudget


@dataclass(frozen=True)
class Shared:
    """The state that this replica shares with the others. `key` seals the data that clients carry between requests."""

    store: AsyncKeyValue
    budget: SharedBudget
    key: str = field(repr=False)

    @property
    def confirmation_key(self) -> bytes:
        """The key that seals the tokens for confirming destructive acts; derived from the other key."""
        return hmac.digest(self.key.encode(), b"confirmation tokens", "sha256")

    def tokens(self, local: LocalLogin | None = None) -> SharedTokenStore:
        """The logins of all replicas; `local` is where `bi-mcp login` put one on this machine."""
        return SharedTokenStore(self.store, local)
