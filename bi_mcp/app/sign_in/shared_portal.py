"""A portal that several people use through this server: what they share of it, and what each of them has alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from anyio import Lock

from bi_mcp.app.app import PortalAccess, build_caller
from bi_mcp.app.portals import build_limiter, build_recorder, connect_portal
from bi_mcp.auth.caller import current_caller
from bi_mcp.auth.portal_identity import identify_portal
from bi_mcp.auth.profiles import Profiles
from bi_mcp.auth.session_login import PersonalLogin
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.auth.person import Person
    from bi_mcp.auth.session import TokenSession
    from bi_mcp.auth.token import Application
    from bi_mcp.config import Settings
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.credential import AccessToken
    from bi_mcp.rest.network import Connections


# For each request httpx looks several times at every connection of a pool, so people are spread over a few.
POOLS = 16


class SharedPortal:
    """A portal as its people share it: connections, limits, the history, and the lock on the addresses of its connectors.

    Each person's access has the person's own credential, and gathers only that person's reads.
    """

    def __init__(
        self, portal: SignInPortal, settings: Settings, sign_ins: SignIns, shared: Shared | None
    ) -> None:
        self._portal = portal
        self._settings = settings
        self._sign_ins = sign_ins
        self._identity = identify_portal(portal.url, Profiles())
        self._counts = sign_ins.counts.of(portal.host)
        self._limiter = build_limiter(settings, shared, self._counts.waits)
        self._recorder = build_recorder(settings, portal.host, self._identity, _user_of_caller)
        self._one_at_a_time = Lock()
        self._connections: dict[int, Connections] = {}

    def access(self, person: Person) -> PortalAccess:
        """Build a person's access. It holds nothing that must be closed."""
        title = self._portal.shown_title
        settings = self._settings
        return PortalAccess(
            title=title,
            about="",
            connect=partial(self._connect, person),
            # A person may be signed in to several portals, in one client.
            notice=f"Portal: {title}." if len(self._sign_ins.portals) > 1 else None,
            read_only=settings.read_only,
            limiter=self._limiter,
            call_endpoints=partial(build_caller, settings.embedded.culture, portal=self._portal.url),
            identity=self._identity,
            user=lambda: person.user_id,
            recorder=self._recorder,
            locks=settings.configuration_folder,
            one_at_a_time=self._one_at_a_time,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        for connections in self._connections.values():
            await connections.aclose()

    def _connect(self, person: Person) -> BIConnector:
        return connect_portal(
            self._portal.url,
            self._open_session(person),
            self._limiter.for_owner(person.mark),
            self._connections_of(person),
            self._counts.traffic,
        )

    def _connections_of(self, person: Person) -> Connections:
        # Imported here: httpx is not needed until the first call.
        from bi_mcp.rest.network import Connections
        from bi_mcp.rest.transport import TIMEOUT

        pool = int(person.mark, 16) % POOLS
        if pool not in self._connections:
            self._connections[pool] = Connections(TIMEOUT)
        return self._connections[pool]

    def _open_session(self, person: Person) -> TokenSession:
        # Imported here, as above.
        from bi_mcp.auth.client import OAuthClient
        from bi_mcp.auth.counted_renewals import CountedRenewals
        from bi_mcp.auth.session import TokenSession

        login = PersonalLogin(
            name=person.mark,
            missing=_not_logged_in,
            user_id=person.user_id,
            application=self._update_application,
            whose=partial(self._ask_whose, person),
            ended=partial(self._sign_ins.sign_out, person),
        )
        client = CountedRenewals(OAuthClient(login=advise(AdviceKind.CONNECT_AGAIN)), self._counts.renewal)
        return TokenSession(login, self._sign_ins.logins, client)

    async def _ask_whose(self, person: Person, token: AccessToken) -> int:
        """Ask the portal for whom a token acts. It does not wait for its turn: a call that has one waits for it."""
        # Imported here, as above.
        from bi_mcp.rest.client import BIConnector
        from bi_mcp.rest.transport import HttpTransport

        bi = BIConnector(HttpTransport(self._portal.url, token, connections=self._connections_of(person)))
        return (await bi.portal.user()).id

    def _update_application(self, stored: Application) -> Application:
        """Use the secret that the operator configured last: the portal forgets the one before."""
        return replace(stored, client_id=self._portal.client_id, client_secret=self._portal.client_secret)


def _user_of_caller() -> int | None:
    person = current_caller().person
    return None if person is None else person.user_id


def _not_logged_in() -> AuthorisationError:
    return AuthorisationError(
        say("This server has no login of the portal for this person any more. Nothing was sent."),
        advise(AdviceKind.CONNECT_AGAIN),
        code="NOT_LOGGED_IN",
    )
