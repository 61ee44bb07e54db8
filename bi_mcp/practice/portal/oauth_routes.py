"""The addresses of the practice portal's OAuth: for a person's browser and for an application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bi_mcp.practice.portal.answers import SystemFault, error_body
from bi_mcp.practice.portal.faults import Faults
from bi_mcp.practice.portal.oauth import IssuedTokenStore, RegisteredApplication
from bi_mcp.practice.portal.oauth_pages import applications_page, consent_page, login_page, message_page
from bi_mcp.practice.portal.users import PortalUser, PortalUsers

TICKET_COOKIE = "portal_form"
# Who is logged in. Anybody may log in as anybody here, so it need not be hard to guess.
USER_COOKIE = "portal_user"
_EXCHANGE = "/oauth/token/"
_ELSEWHERE = "other.bitrix24.example"

# No form-action here: browsers apply it to the redirect after the form as well, and that one leaves the portal.
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SECRET_HEADERS = {"Cache-Control": "no-store"}


def oauth_routes(store: IssuedTokenStore, users: PortalUsers, faults: Faults | None = None) -> list[Route]:
    """Build the routes `/oauth/authorize/`, `/oauth/token/` and, for this machine only, `/oauth/applications`.

    With several users the person says in each browser as whom they log in; the only one is logged in everywhere.
    """
    screens = _Screens(store, users, faults or Faults())
    return [
        Route("/oauth/authorize/", screens.authorise, methods=["GET", "POST"]),
        Route(_EXCHANGE, screens.token, methods=["GET", "POST"]),
        Route("/oauth/applications", screens.applications, methods=["GET", "POST"]),
    ]


@dataclass(frozen=True)
class _Visit:
    """A browser that an application sent with its state."""

    request: Request
    application: RegisteredApplication
    state: str


class _Screens:
    def __init__(self, store: IssuedTokenStore, users: PortalUsers, faults: Faults) -> None:
        self._store = store
        self._users = users
        self._faults = faults

    async def authorise(self, request: Request) -> Response:
        """Ask, then return to the handler address. Failures stay on the page: the application does not hear of them."""
        asked = await _form(request) if request.method == "POST" else dict(request.query_params)
        application = self._store.application(asked.get("client_id", ""))
        if application is None:
            return _message(request, 404, "Unknown application", "No application has this client_id.")
        visit = _Visit(request, application, asked.get("state", ""))
        user = self._logged_in(request)
        if request.method != "POST":
            return self._page(visit, user)
        if not _came_from_our_page(request, asked):
            return _foreign_form(request)
        if "user" in asked:
            return self._log_in(visit, asked["user"])
        return self._decided(visit, user, asked.get("decision"))

    def _decided(self, visit: _Visit, user: PortalUser | None, decision: str | None) -> Response:
        if user is None or decision == "switch":
            return self._page(visit, None)
        if decision != "allow":
            return _message(visit.request, 403, "Access was not granted", "You may close this page.")
        code = self._store.authorise(visit.application, user.id)
        return RedirectResponse(self._return_address(visit, code), 302, _SECRET_HEADERS)

    def _logged_in(self, request: Request) -> PortalUser | None:
        if len(self._users.all) == 1:
            return self._users.all[0]
        chosen = request.cookies.get(USER_COOKIE, "")
        return self._users.find(int(chosen)) if chosen.isdecimal() else None

    def _page(self, visit: _Visit, user: PortalUser | None) -> Response:
        """Ask who it is, where nobody is logged in, or else whether the application may act for them."""
        ticket, portal = _ticket(visit.request), visit.request.url.netloc
        if user is None:
            page = login_page(
                portal=portal,
                client_id=visit.application.client_id,
                state=visit.state,
                ticket=ticket,
                users=self._users.all,
            )
        else:
            shown = user.full_name if len(self._users.all) > 1 else None
            page = consent_page(
                portal=portal, application=visit.application, state=visit.state, ticket=ticket, user=shown
            )
        return _form_page(page, ticket)

    def _log_in(self, visit: _Visit, chosen: str) -> Response:
        user = self._users.find(int(chosen)) if chosen.isdecimal() else None
        if user is None:
            return _message(visit.request, 400, "Unknown user", "The portal has no such user.")
        again = urlencode({"client_id": visit.application.client_id, "state": visit.state})
        response = RedirectResponse(f"/oauth/authorize/?{again}", 303, _SECRET_HEADERS)
        response.set_cookie(USER_COOKIE, str(user.id), path="/oauth/", httponly=True, samesite="lax")
        return response

    async def token(self, request: Request) -> Response:
        parameters = {**request.query_params, **await _form(request)}
        try:
            issued = self._with_faults(self._store.exchange(parameters), parameters["client_id"])
        except SystemFault as fault:
            return JSONResponse(error_body(fault), fault.status, _SECRET_HEADERS)
        addresses = _addresses(request.url.scheme, request.url.netloc)
        if self._faults.take("other_portal", _EXCHANGE):
            addresses = {**_addresses("https", _ELSEWHERE), "member_id": secrets.token_hex(16)}
        return JSONResponse({**issued, **addresses}, headers=_SECRET_HEADERS)

    def _with_faults(self, issued: Mapping[str, object], client_id: str) -> Mapping[str, object]:
        """Take the tokens of somebody else where a test ordered it."""
        fault = self._faults.take({"other_user", "other_users_token"}, _EXCHANGE)
        application = self._store.application(client_id)
        if fault is None or application is None:
            return issued
        user_id = int(str(issued["user_id"]))
        foreign = self._store.issue(application, self._users.other_than(user_id).id)
        return foreign if fault.kind == "other_user" else {**foreign, "user_id": user_id}

    async def applications(self, request: Request) -> Response:
        """Register a local application by hand. The cards show secrets, so other machines get nothing."""
        if not _is_this_machine(request):
            return _message(request, 403, "Not from here", "Open this page on the machine of the portal.")
        if request.method != "POST":
            return self._cards(request)
        entered = await _form(request)
        if not _came_from_our_page(request, entered):
            return _foreign_form(request)
        title, handler = entered.get("title", "").strip(), entered.get("handler", "").strip()
        if not title or not _is_web_address(handler):
            return _message(request, 400, "Not registered", "A title and an http(s) address are needed.")
        self._store.register(title, handler)
        return self._cards(request)

    def _cards(self, request: Request) -> Response:
        ticket = _ticket(request)
        page = applications_page(
            portal=request.url.netloc, applications=self._store.applications(), ticket=ticket
        )
        return _form_page(page, ticket)

    def _return_address(self, visit: _Visit, code: str) -> str:
        answer = urlencode(
            {
                "code": code,
                "state": visit.state,
                "domain": visit.request.url.netloc,
                "member_id": self._store.member_id,
                "scope": visit.application.scope,
                "server_domain": visit.request.url.netloc,
            }
        )
        joint = "&" if "?" in visit.application.handler else "?"
        return f"{visit.application.handler}{joint}{answer}"


def _addresses(scheme: str, host: str) -> dict[str, str]:
    endpoint = f"{scheme}://{host}/rest/"
    return {"client_endpoint": endpoint, "server_endpoint": endpoint, "domain": host}


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _ticket(request: Request) -> str:
    return request.cookies.get(TICKET_COOKIE) or secrets.token_urlsafe(24)


def _form_page(page: str, ticket: str) -> Response:
    """Answer with a form and its cookie. Foreign pages can send our forms, but cannot read this cookie or POST with it."""
    response = HTMLResponse(page, headers=_PAGE_HEADERS)
    response.set_cookie(TICKET_COOKIE, ticket, path="/oauth/", httponly=True, samesite="lax")
    return response


def _came_from_our_page(request: Request, form: Mapping[str, str]) -> bool:
    expected = request.cookies.get(TICKET_COOKIE, "")
    return bool(expected) and secrets.compare_digest(expected.encode(), form.get("ticket", "").encode())


def _foreign_form(request: Request) -> Response:
    return _message(request, 400, "Please try again", "This form was not opened in this browser.")


def _message(request: Request, status: int, title: str, text: str) -> Response:
    page = message_page(portal=request.url.netloc, title=title, text=text)
    return HTMLResponse(page, status, _PAGE_HEADERS)


def _is_this_machine(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
