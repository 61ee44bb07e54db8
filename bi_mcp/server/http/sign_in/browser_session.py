"""Who is signed in to the pages of this server, for half an hour in one browser."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.attempts import LIFETIME_S, fingerprint_of
from bi_mcp.auth.person import Person
from bi_mcp.base.language import say
from bi_mcp.server.http.sign_in.cookies import Cookie, new_mark
from bi_mcp.server.http.sign_in.forms import LARGEST, form_token, read_own_form
from bi_mcp.server.http.sign_in.html import build_problem, build_redirect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.attempts import Attempts
    from bi_mcp.app.sign_in.documents import Documents

SESSION_LIFETIME_S = 30 * 60
_OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9/_.~?=&%+-]*")


class BrowserSessions:
    """The people signed in to this server's pages, and the way there. `origin` is this server's, `https://HOST`."""

    def __init__(self, documents: Documents, attempts: Attempts, origin: str) -> None:
        secure = origin.startswith("https://")
        self._documents = documents
        self._attempts = attempts
        self.origin = origin
        # The browser in which sign-ins are under way, and the person who is signed in there.
        self.browser = Cookie(name="bi-mcp-browser", lifetime_s=LIFETIME_S, secure=secure)
        self._session = Cookie(name="bi-mcp-session", lifetime_s=SESSION_LIFETIME_S, secure=secure)

    async def person_of(self, request: Request) -> Person | None:
        """Return who is signed in here in this browser."""
        mark = self._session.read(request)
        document = None if mark is None else await self._documents.get(_name(mark))
        return None if document is None else Person(**document)

    async def redirect_to_sign_in(self, request: Request, back: str) -> Response:
        """Let a person sign in and return to `back`, a path of this server. Raises `ValueError` for anything else."""
        if not _OWN_PATH.fullmatch(back):
            raise ValueError("back must be a path of this server")
        return await self.begin_attempt(request, back=back) or build_problem(
            say("Too many sign-ins are under way. Try again in a few minutes."), status=503
        )

    async def begin_attempt(
        self,
        request: Request,
        *,
        asked: Asked | None = None,
        verified_host: str | None = None,
        back: str = "/",
    ) -> Response | None:
        """Begin a sign-in in this browser and lead to its page. None where too many are under way."""
        mark = self.browser.read(request) or new_mark()
        attempt = await self._attempts.begin(mark, asked=asked, verified_host=verified_host, back=back)
        if attempt is None:
            return None
        response = build_redirect(f"/sign-in/{attempt.id}")
        self.browser.set(response, mark)
        return response

    async def sign_in(self, response: Response, person: Person) -> None:
        """Sign a person in, in the browser that gets this answer: always under a new mark, never under one it brought."""
        mark = new_mark()
        await self._documents.put(_name(mark), asdict(person), lifetime_s=SESSION_LIFETIME_S)
        self._session.set(response, mark)

    async def sign_out(self, request: Request, response: Response) -> None:
        """Sign out whoever is signed in, in this browser."""
        mark = self._session.read(request)
        if mark is not None:
            await self._documents.delete(_name(mark))
        self._session.drop(response)

    def form_token(self, request: Request, purpose: str) -> str:
        """Make the token of a form, for the person who is signed in. `purpose` is its page."""
        return form_token(self._session.read(request) or "", purpose)

    async def read_form(
        self, request: Request, purpose: str, largest: int = LARGEST
    ) -> dict[str, str] | None:
        """Read a form that the page of this purpose sent. None for a form from anywhere else. Raises `FormError`."""
        return await read_own_form(request, self.origin, self._session.read(request), purpose, largest)


def _name(mark: str) -> str:
    return f"browser-sessions/{fingerprint_of(mark)}"
