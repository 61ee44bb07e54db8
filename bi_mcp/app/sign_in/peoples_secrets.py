"""The stored secrets of people who signed in, each person's own, and the pages of this server that ask for them."""

from __future__ import annotations

import hmac
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from bi_mcp.vault.asking import WantedSecret
from bi_mcp.vault.named_secrets import NamedSecrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.auth.person import Person

SECRETS_PATH = "/secrets"
TICKET_LIFETIME_S = 10 * 60
# As many pages as one person can have open. The oldest is given up first.
MOST_TICKETS = 8
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class PeoplesSecrets:
    """The secrets of people below a configuration folder, which replicas share as a volume. `origin` is where pages are, `https://HOST`."""

    folder: Path
    documents: Documents
    origin: str
    clock: Callable[[], float] = field(default=time.time, repr=False)

    @property
    def address(self) -> str:
        """The address of the page that shows people their secrets."""
        return f"{self.origin}{SECRETS_PATH}"

    def of(self, person: Person) -> NamedSecrets:
        """Return a person's stored secrets. Their values are in private files: a server has no keyring that its replicas share."""
        return NamedSecrets(self.folder / "people" / person.mark, keeper="file")

    def pages(self, person: Person) -> HostedPages:
        """Return the pages that ask a person."""
        return HostedPages(self, person)

    async def find(self, person: Person, ticket: str) -> WantedSecret | None:
        """Return what a ticket of this person asks for. Tickets of others are not even looked at."""
        for kept in await self._tickets(person):
            if hmac.compare_digest(kept["id"].encode(), ticket.encode()):
                return _parse(kept)
        return None

    async def open(self, person: Person, wanted: WantedSecret) -> str:
        """Return the ticket of a question, which any replica's page honours for ten minutes. The same question keeps its ticket."""
        async with self._changing(person) as tickets:
            for kept in tickets:
                if _parse(kept) == wanted:
                    return str(kept["id"])
            ticket = secrets.token_urlsafe(32)
            tickets.append(
                {
                    "id": ticket,
                    "name": wanted.name,
                    "hosts": list(wanted.hosts),
                    "portal": wanted.portal,
                    "connector": wanted.connector,
                    "until": self.clock() + TICKET_LIFETIME_S,
                }
            )
            del tickets[:-MOST_TICKETS]
            return ticket

    async def close(self, person: Person, ticket: str) -> None:
        """End a ticket, if there is one."""
        async with self._changing(person) as tickets:
            tickets[:] = [kept for kept in tickets if kept["id"] != ticket]

    async def _tickets(self, person: Person) -> list[dict[str, Any]]:
        document = await self.documents.get(_name(person))
        kept = document["tickets"] if document is not None else []
        return [ticket for ticket in kept if ticket["until"] > self.clock()]

    @asynccontextmanager
    async def _changing(self, person: Person) -> AsyncIterator[list[dict[str, Any]]]:
        async with self.documents.lock(_name(person)):
            tickets = await self._tickets(person)
            yield tickets
            await self.documents.put(_name(person), {"tickets": tickets}, lifetime_s=TICKET_LIFETIME_S)


@dataclass(frozen=True)
class HostedPages:
    """The pages of this server that ask one person (`AskingPages`)."""

    secrets: PeoplesSecrets
    person: Person
    are_hosted: bool = True

    async def open(self, wanted: WantedSecret) -> HostedPage:
        """Open a page, or return the one that already asks for this."""
        return HostedPage(self.secrets, self.person, await self.secrets.open(self.person, wanted))


@dataclass(frozen=True)
class HostedPage:
    """One page (`AskingPage`). Any replica may serve it."""

    secrets: PeoplesSecrets
    person: Person
    ticket: str = field(repr=False)

    @property
    def url(self) -> str:
        """Address that the person opens, and nobody else can."""
        return f"{self.secrets.address}/{self.ticket}"

    async def wait(self) -> None:
        """Wait until it took a value, was given up, or waited long enough. Another replica may have taken it."""
        while await self.secrets.find(self.person, self.ticket) is not None:  # noqa: ASYNC110  the event may be another replica's
            await anyio.sleep(_LOOK_EVERY_S)

    async def close(self) -> None:
        """Give it up."""
        await self.secrets.close(self.person, self.ticket)


def _name(person: Person) -> str:
    return f"secret-tickets/{person.mark}"


def _parse(kept: dict[str, Any]) -> WantedSecret:
    return WantedSecret(kept["name"], tuple(kept["hosts"]), kept["portal"], kept["connector"])
