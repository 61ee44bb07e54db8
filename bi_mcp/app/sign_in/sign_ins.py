"""All that a server needs to let people sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.connected_clients import ConnectedClients
from bi_mcp.app.sign_in.counts import Counts
from bi_mcp.app.sign_in.peoples_secrets import PeoplesSecrets
from bi_mcp.app.sign_in.portal_logins import PortalLogins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.app.sign_in.portal_entry import Entered
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.auth.person import Person
    from bi_mcp.base.secret import Secret


@dataclass(frozen=True, kw_only=True)
class SignIns:
    """The portals by their hosts, and what is kept of people. `documents` hold the rest: registered clients, sign-ins under way.

    `secrets` are those that people stored for themselves; None where this server has no pages for them.
    `counts` are for metrics, of this process.
    """

    portals: Mapping[str, SignInPortal]
    documents: Documents
    clients: ConnectedClients
    logins: PortalLogins
    secrets: PeoplesSecrets | None = None
    counts: Counts = field(default_factory=Counts)

    async def let_in(self, entered: Entered, asked: Asked, scopes: Sequence[str]) -> Secret:
        """Keep the portal login of a person who came in, and issue the code for their client."""
        # First the code: whoever disconnects the person's last client now finds that another one follows, and leaves the login.
        code = await self.clients.issue_code(entered.person, asked, scopes)
        await self.keep_login(entered)
        return code

    async def keep_login(self, entered: Entered) -> None:
        """Keep the portal login of a person who came in: where they have no client, only until one could have used its code."""

        async def has_client() -> bool:
            return bool(await self.clients.of(entered.person))

        await self.logins.keep(entered.person, entered.grant, is_used=has_client)

    async def sign_out(self, person: Person) -> int:
        """Disconnect all clients of a person and forget their portal login. Returns how many clients there were."""
        count = await self.clients.disconnect_all(person)
        await forget_unused(self.clients, self.logins, person)
        return count

    async def sign_everybody_out(self) -> int:
        """Disconnect all clients and forget all portal logins. Returns how many clients there were."""
        count = sum([await self.clients.disconnect_all(person) for person in await self.clients.people()])
        await self.logins.forget_all()
        return count

    def find_portal(self, person: Person) -> SignInPortal | None:
        """Return a person's portal, None where the operator no longer has it or no longer lets this user in.

        A restriction by departments is checked at the next sign-in.
        """
        portal = next((each for each in self.portals.values() if each.url == person.portal), None)
        if portal is None or (portal.users and not portal.departments and person.user_id not in portal.users):
            return None
        return portal


def open_sign_ins(
    portals: Iterable[SignInPortal],
    configuration_folder: Path,
    shared: Shared | None,
    *,
    origin: str | None = None,
) -> SignIns:
    """Open what is kept of sign-ins: in the store that replicas share, or in the configuration folder without one.

    `origin` is where people open the pages of the server, `https://HOST`; a command has none.
    """
    documents = _open_documents(configuration_folder, shared)
    logins = PortalLogins(documents)
    clients = ConnectedClients(
        documents, joined=logins.stay, left=lambda person: forget_unused(clients, logins, person)
    )
    return SignIns(
        portals={portal.host: portal for portal in portals},
        documents=documents,
        clients=clients,
        logins=logins,
        secrets=PeoplesSecrets(folder=configuration_folder, documents=documents, origin=origin)
        if origin
        else None,
    )


async def forget_unused(clients: ConnectedClients, logins: PortalLogins, person: Person) -> None:
    """Forget the portal login of a person who has no client left, and no code for one."""

    async def is_used() -> bool:
        return not await clients.has_left(person)

    await logins.forget(person, unless=is_used)


def _open_documents(configuration_folder: Path, shared: Shared | None) -> Documents:
    if shared is None:
        from bi_mcp.app.sign_in.document_folder import DocumentFolder

        return DocumentFolder(configuration_folder / "sign-in")
    # Imported here: the client of Redis is an extra, and a single server does without it.
    from bi_mcp.app.replicas.documents import RedisDocuments

    return RedisDocuments(shared.store)
