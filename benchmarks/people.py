"""People who signed in to a server, put straight into its store: the pages on the way are no part of what is measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.auth.person import Person
from bi_mcp.auth.token import Application, Grant, Token
from bi_mcp.base.secret import Secret

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.sign_ins import SignIns

CLIENT_ID = "local.benchmark"
CLIENT_SECRET = Secret("secret-of-the-application")


def registered_portal(url: str) -> SignInPortal:
    """Describe the portal as the operator would."""
    return SignInPortal(url=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)


@dataclass(frozen=True)
class Arrivals:
    """Signs people in to the server at `resource`. All have the same token of the portal."""

    sign_ins: SignIns
    resource: str
    portal_url: str
    portal_token: Secret

    async def sign_in(self, user: int) -> str:
        """Return the access token of a client that this user connected."""
        person = Person(portal=self.portal_url, user_id=user, name=f"Person {user}")
        asked = Asked(
            client_id=f"client-{user}",
            client_name="Benchmark",
            redirect_uri="http://127.0.0.1/back",
            redirect_uri_given=True,
            state=None,
            code_challenge="",
            scopes=("bi:read", "bi:write"),
            resource=self.resource,
        )
        code = await self.sign_ins.clients.issue_code(person, asked, asked.scopes)
        issued = await self.sign_ins.clients.redeem(code.reveal())
        assert issued is not None
        await self.sign_ins.logins.keep(person, self._grant(user))
        return issued.access.reveal()

    def _grant(self, user: int) -> Grant:
        token = Token(self.portal_token, Secret(f"refresh token of {user}"), time.time() + 3600, user_id=user)
        return Grant(Application(CLIENT_ID, CLIENT_SECRET, self.portal_url), token)
