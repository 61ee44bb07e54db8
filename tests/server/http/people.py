"""A hosted server whose tokens belong to people, without the pages on which one signs in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken

from bi_mcp.auth.person import Person
from bi_mcp.server.http.access import SCOPES
from bi_mcp.server.http.app import build_http_app
from bi_mcp.server.http.drain import Drain
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.scopes import require_scopes
from tests.practice.portal.serving import served

CLIENT = "https://client.example/metadata.json"


class PersonalToken(AccessToken):
    person: Person
    client_name: str


class PeoplesTokens:
    """Tokens that are all of one client, as those of a client of many people are."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._people = people

    async def verify_token(self, token: str) -> AccessToken | None:
        person = self._people.get(token)
        if person is None:
            return None
        return PersonalToken(
            token="•••",
            client_id=CLIENT,
            scopes=list(SCOPES),
            subject=person.mark,
            person=person,
            client_name="Client of many",
        )


@asynccontextmanager
async def hosted_for(
    people: Mapping[str, Person], server: MCPServer, *, replicated: bool = False
) -> AsyncIterator[str]:
    """Serve the people by their tokens and give the `host:port`."""
    await require_scopes(server)
    inner = build_http_app(server, HttpOptions(), PeoplesTokens(people), replicated=replicated)
    app = Drain(inner)
    async with inner.router.lifespan_context(inner), served(app) as address:
        yield address
        app.begin()
