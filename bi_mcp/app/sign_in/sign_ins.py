"""All that a server needs to let people sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.app.sign_in.connected_clients import ConnectedClients
    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.app.sign_in.portal_logins import PortalLogins
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.auth.person import Person


@dataclass(frozen=True, kw_only=True)
class SignIns:
    """The portals by their hosts, and what is kept of people. `documents` hold the rest: registered clients, sign-ins under way.

    `counts` are for metrics, of this process.
    """

    portals: Mapping[str, SignInPortal]
    documents: Documents
    clients: ConnectedClients
    logins: PortalLogins
    counts: Counts = field(default_factory=Counts)

    async def sign_out(self, person: Person) -> int:
        """Disconnect all clients of a person and forget their portal login. Returns how many clients there were."""
        count = await self.clients.disconnect_all(person)
        await self.logins.forget(person)
        return count
