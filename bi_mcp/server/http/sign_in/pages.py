"""The pages of a sign-in: consent, the way to the portal, and the return from it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.portal_entry import enter
from bi_mcp.auth.login import Authorisation
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError, BiMcpError
from bi_mcp.server.http.access import READ, WRITE
from bi_mcp.server.http.sign_in.answering import text_of
from bi_mcp.server.http.sign_in.authorize import Refusal
from bi_mcp.server.http.sign_in.consent import consent_page
from bi_mcp.server.http.sign_in.forms import form_token, parse_fields, read_own_form
from bi_mcp.server.http.sign_in.html import build_page, build_problem, build_redirect, paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.app.sign_in.attempts import Attempt, Attempts, Departure
    from bi_mcp.app.sign_in.counts import SignInOutcome
    from bi_mcp.app.sign_in.portal_entry import Entered
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.server.http.sign_in.authorize import AuthorizeEndpoint
    from bi_mcp.server.http.sign_in.browser_session import BrowserSessions

RETURN_PATH = "/sign-in/return"
_SAY_WHOM_TO_ASK = {"NOT_ALLOWED", "SCOPE_MISSING"}
_CANCELLED = Refusal("access_denied", "The person cancelled.")
_NOT_ENTERED = Refusal("access_denied", "The person could not sign in.")
_FAILED = Refusal("temporarily_unavailable", "The portal could not be asked. Try again.")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SignInPages:
    """The pages of a sign-in. Each is open only to the browser in which the sign-in began."""

    sign_ins: SignIns
    attempts: Attempts
    sessions: BrowserSessions
    authorize: AuthorizeEndpoint

    async def consent(self, request: Request) -> Response:
        """Ask the person, and follow what they chose."""
        attempt = await self.attempts.find(request.path_params["attempt"])
        if attempt is None:
            return _over()
        mark = self.sessions.browser.read(request)
        if mark is None or not attempt.began_in(mark):
            return _other_browser()
        if request.method != "POST":
            return consent_page(attempt, list(self.sign_ins.portals.values()), form_token(mark, attempt.id))
        form = await read_own_form(request, self.sessions.origin, mark, attempt.id)
        if form is None:
            return build_problem(
                say("This form was not sent from its own page. Nothing was done."), status=403
            )
        if form.get("decision") != "continue":
            return await self._cancel(attempt, self._chosen(form))
        return await self._depart(attempt, form)

    async def come_back(self, request: Request) -> Response:
        """Take the portal's answer, and bring the client its code."""
        fields = parse_fields(request.scope["query_string"])
        state = fields.get("state", "")
        departure = await self.attempts.departed(state)
        if departure is None:
            return _over()
        mark = self.sessions.browser.read(request)
        # Before the state is used up: nobody else's browser may end this sign-in.
        if mark is None or not departure.attempt.began_in(mark):
            return _other_browser()
        portal = self.sign_ins.portals.get(departure.portal)
        if portal is None or not await self.attempts.arrive(departure, state):
            return _over()
        if "code" not in fields:
            self._count(portal, "cancelled")
            return self._tell(departure.attempt, _CANCELLED)
        return await self._enter(request, departure, portal, state)

    async def _cancel(self, attempt: Attempt, portal: SignInPortal | None) -> Response:
        if not await self.attempts.end(attempt):
            return _over()
        if portal is not None:
            self._count(portal, "cancelled")
        return self._tell(attempt, _CANCELLED)

    async def _depart(self, attempt: Attempt, form: Mapping[str, str]) -> Response:
        portal = self._chosen(form)
        if portal is None:
            return build_problem(say("Go back and choose a portal."), status=400)
        if attempt.asked is not None and "rights" not in form:
            return build_problem(say("Go back and choose what the program may do."), status=400)
        scopes = _granted(attempt, form)
        state = await self.attempts.depart(attempt, portal.host, scopes)
        if state is None:
            return _over()
        address = Authorisation(portal.url, portal.client_id, state).address
        return build_redirect(address)

    def _chosen(self, form: Mapping[str, str]) -> SignInPortal | None:
        portals = self.sign_ins.portals
        only = next(iter(portals)) if len(portals) == 1 else ""
        return portals.get(form.get("portal", only))

    async def _enter(
        self, request: Request, departure: Departure, portal: SignInPortal, state: str
    ) -> Response:
        query = request.scope["query_string"].decode("ascii")
        try:
            returned = Authorisation(portal.url, portal.client_id, state).read_return(
                f"{RETURN_PATH}?{query}"
            )
            entered = await enter(portal, returned)
        except BiMcpError as error:
            code = error.code if isinstance(error, AuthorisationError) else type(error).__name__
            logger.warning("a sign-in at %s failed: %s", portal.host, code)
            self._count(portal, "refused" if isinstance(error, AuthorisationError) else "failed")
            return self._explain(departure.attempt, error)
        response = await self._welcome(departure, entered)
        self._count(portal, "signed in")
        return response

    async def _welcome(self, departure: Departure, entered: Entered) -> Response:
        asked = departure.attempt.asked
        if asked is None:
            return await self._open_pages(departure.attempt, entered)
        code = await self.sign_ins.let_in(entered, asked, departure.scopes)
        return self.authorize.accept(asked, code.reveal())

    async def _open_pages(self, attempt: Attempt, entered: Entered) -> Response:
        """Let a person in to this server's pages. Their portal login is kept only for clients that act for them."""
        if await self.sign_ins.clients.of(entered.person):
            await self.sign_ins.keep_login(entered)
        response = build_redirect(attempt.back)
        await self.sessions.sign_in(response, entered.person)
        return response

    def _count(self, portal: SignInPortal, outcome: SignInOutcome) -> None:
        self.sign_ins.counts.of(portal.host).sign_in(outcome)

    def _tell(self, attempt: Attempt, refusal: Refusal) -> Response:
        """Tell the client that nobody signed in; without a client the person."""
        asked = attempt.asked
        if asked is None:
            return build_page(say("Not signed in"), [paragraph(say("You can close this page."))])
        return self.authorize.refuse(asked.redirect_uri, asked.state, refusal)

    def _explain(self, attempt: Attempt, error: BiMcpError) -> Response:
        """Tell the person why they were not let in, and let them bring that to the client."""
        refused = isinstance(error, AuthorisationError)
        status = 403 if refused else 503
        asked, note = attempt.asked, _whom_to_show(error)
        if asked is None:
            return build_problem(text_of(error), status=status, note=note)
        refusal = _NOT_ENTERED if refused else _FAILED
        back = self.authorize.refusing(asked.redirect_uri, asked.state, refusal)
        return build_problem(
            text_of(error),
            status=status,
            note=note,
            back=back,
            back_title=say("Back to the program, without a connection"),
        )


def _whom_to_show(error: BiMcpError) -> str:
    """What the person can do about what only the operator can repair. Other texts say whom to ask."""
    if isinstance(error, AuthorisationError) and error.code in _SAY_WHOM_TO_ASK:
        return ""
    return say("If it happens again, show this page to whoever runs this server.")


def _granted(attempt: Attempt, form: Mapping[str, str]) -> tuple[str, ...]:
    asked = attempt.asked.scopes if attempt.asked else ()
    return (READ, WRITE) if WRITE in asked and form.get("rights") == "write" else (READ,)


def _over() -> Response:
    return build_problem(
        say(
            "This sign-in is over: it was finished or cancelled, has gone on to the portal, or waited too long. Start it again in the program that sent you here."
        ),
        status=400,
    )


def _other_browser() -> Response:
    return build_problem(
        say(
            "This sign-in began in another browser, or this one keeps no cookies. Nothing was done. Start it again in the program that you want to connect."
        ),
        status=403,
    )
