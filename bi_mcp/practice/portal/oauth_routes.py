"""The addresses of the practice portal's OAuth: for a person's browser and for an application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bi_mcp.practice.portal.answers import SystemFault, error_body
from bi_mcp.practice.portal.identity import FIXED_USER
from bi_mcp.practice.portal.oauth import IssuedTokenStore, RegisteredApplication
from bi_mcp.practice.portal.oauth_pages import applications_page, consent_page, message_page

TICKET_COOKIE = "portal_form"

# No form-action here: browsers apply it to the redirect after the form as well, and that one leaves the portal.
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SECRET_HEADERS = {"Cache-Control": "no-store"}


def oauth_routes(store: IssuedTokenStore, *, user_id: int = FIXED_USER) -> list[Route]:
    """Build the routes `/oauth/authorize/`, `/oauth/token/` and, for this machine only, `/oauth/applications`.

    `user_id` is the user who is logged in to the portal in every browser.
    """
    screens = _Screens(store, user_id)
    return [
        Route("/oauth/authorize/", screens.authorise, methods=["GET", "POST"]),
        Route("/oauth/token/", screens.token, methods=["GET", "POST"]),
        Route("/oauth/applications", screens.applications, methods=["GET", "POST"]),
    ]


class _Screens:
    def __init__(self, store: IssuedTokenStore, user_id: int) -> None:
        self._store = store
        self._user_id = user_id

    async def authorise(self, request: Request) -> Response:
        """Ask, then return to the handler address. Failures stay on the page: the application does not hear of them."""
        asked = await _form(request) if request.method == "POST" else dict(request.query_params)
        application = self._store.application(asked.get("client_id", ""))
        if application is None:
            return _message(request, 404, "Unknown application", "No application has this client_id.")
        state = asked.get("state", "")
        if request.method != "POST":
            ticket = _ticket(request)
            page = consent_page(
                portal=request.url.netloc, application=application, state=state, ticket=ticket
            )
            return _form_page(page, ticket)
        if not _came_from_our_page(request, asked):
            return _foreign_form(request)
        if asked.get("decision") != "allow":
            return _message(request, 403, "Access was not granted", "You may close this page.")
        return RedirectResponse(self._return_address(request, application, state), 302, _SECRET_HEADERS)

    async def token(self, request: Request) -> Response:
        parameters = {**request.query_params, **await _form(request)}
        try:
            issued = self._store.exchange(parameters)
        except SystemFault as fault:
            return JSONResponse(error_body(fault), fault.status, _SECRET_HEADERS)
        endpoint = f"{request.url.scheme}://{request.url.netloc}/rest/"
        addresses = {
            "client_endpoint": endpoint,
            "server_endpoint": endpoint,
            "domain": request.url.netloc,
        }
        return JSONResponse({**issued, **addresses}, headers=_SECRET_HEADERS)

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

    def _return_address(self, request: Request, application: RegisteredApplication, state: str) -> str:
        answer = urlencode(
            {
                "code": self._store.authorise(application, self._user_id),
                "state": state,
                "domain": request.url.netloc,
                "member_id": self._store.member_id,
                "scope": application.scope,
                "server_domain": request.url.netloc,
            }
        )
        joint = "&" if "?" in application.handler else "?"
        return f"{application.handler}{joint}{answer}"


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
