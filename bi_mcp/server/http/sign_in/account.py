"""The account page: a person sees which clients they connected, and disconnects them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.peoples_secrets import SECRETS_PATH
from bi_mcp.base.language import say
from bi_mcp.server.http.access import WRITE
from bi_mcp.server.http.sign_in import html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.app.sign_in.connected_clients import ConnectedClient
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.auth.person import Person
    from bi_mcp.server.http.sign_in.browser_session import BrowserSessions

ACCOUNT_PATH = "/account"


@dataclass(frozen=True, kw_only=True)
class AccountPage:
    """The page of the person who is signed in in the browser. Others are led to sign in first."""

    sign_ins: SignIns
    sessions: BrowserSessions

    async def answer(self, request: Request) -> Response:
        """Show the page, or do what its form asks."""
        person = await self.sessions.person_of(request)
        if person is None:
            return await self.sessions.redirect_to_sign_in(request, ACCOUNT_PATH)
        if request.method != "POST":
            token = self.sessions.form_token(request, ACCOUNT_PATH)
            clients = await self.sign_ins.clients.of(person)
            return _page(person, clients, token, has_secrets=self.sign_ins.secrets is not None)
        form = await self.sessions.read_form(request, ACCOUNT_PATH)
        if form is None:
            return html.build_problem(
                say("This form was not sent from its own page. Nothing was done."), status=403
            )
        return await self._act(request, person, form)

    async def _act(self, request: Request, person: Person, form: Mapping[str, str]) -> Response:
        if "sign_out" in form:
            response = html.build_page(
                say("Signed out"),
                [html.paragraph(say("Connected programs stay connected. You can close this page."))],
            )
            await self.sessions.sign_out(request, response)
            return response
        if "disconnect_all" in form:
            await self.sign_ins.sign_out(person)
        elif "disconnect" in form:
            await self.sign_ins.clients.disconnect(person, form["disconnect"])
        return html.build_redirect(ACCOUNT_PATH)


def _page(person: Person, clients: Sequence[ConnectedClient], token: str, *, has_secrets: bool) -> Response:
    sign_out = html.button("sign_out", "1", say("Sign out of this page"))
    all_of_them = html.button("disconnect_all", "1", say("Disconnect all")) if len(clients) > 1 else ""
    listed = f"<ul>{''.join(map(_item, clients))}</ul>" if clients else html.paragraph(say("None so far."))
    secrets = f'<p><a href="{SECRETS_PATH}">{escape(say("Your stored secrets"))}</a></p>'
    content = [
        describe(person),
        secrets if has_secrets else "",
        html.form(ACCOUNT_PATH, token, listed, f'<div class="buttons">{all_of_them}{sign_out}</div>'),
    ]
    return html.build_page(say("Connected programs"), content, has_form=True)


def describe(person: Person) -> str:
    """The paragraph that says who is signed in: on a shared computer it may still be somebody else."""
    portal = person.portal.partition("://")[2]
    who = say("user {id}", id=person.user_id)
    name = f"{html.foreign(person.name)} ({escape(who)})" if person.name else escape(who)
    return f"<p>{name}, {html.foreign(portal)}</p>"


def _item(client: ConnectedClient) -> str:
    return f"<li><h2>{html.foreign(client.client_name)}</h2>{''.join(_facts(client))}</li>"


def _facts(client: ConnectedClient) -> Iterator[str]:
    rights = say("Reads and changes") if WRITE in client.scopes else say("Reads")
    since = say("connected {when}", when=_moment(client.connected_at))
    used = say("last used {when}", when=_moment(client.used_at))
    yield f"<p><small>{escape(rights)}; {escape(since)}; {escape(used)}</small></p>"
    yield html.button("disconnect", client.id, say("Disconnect"))


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
