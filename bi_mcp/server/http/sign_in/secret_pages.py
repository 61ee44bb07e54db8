"""The pages of a person's stored secrets: one that asks for a value, and one that shows which there are. No page shows a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.app.sign_in.peoples_secrets import SECRETS_PATH
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.server.http.sign_in import html
from bi_mcp.server.http.sign_in.account import describe
from bi_mcp.server.http.sign_in.answering import text_of
from bi_mcp.vault.asking import store_wanted
from bi_mcp.vault.destinations import parse_host
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.app.sign_in.peoples_secrets import PeoplesSecrets
    from bi_mcp.auth.person import Person
    from bi_mcp.server.http.sign_in.browser_session import BrowserSessions
    from bi_mcp.vault.asking import WantedSecret
    from bi_mcp.vault.named_secrets import NamedSecrets
    from bi_mcp.vault.secret_index import SecretIndex

# A person's index is read at each of their calls that sends a value.
MOST_SECRETS = 100
MOST_HOSTS = 20
# Every byte of a value may be written as three.
_LARGEST_FORM = 3 * MAX_VALUE_BYTES + 8 * 1024
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, kw_only=True)
class SecretPages:
    """The pages of the person who is signed in in the browser. Others are led to sign in first."""

    secrets: PeoplesSecrets
    sessions: BrowserSessions

    async def ask(self, request: Request) -> Response:
        """Ask for the value that an assistant's call needs. Only the person on whose behalf it called can answer."""
        ticket = request.path_params["ticket"]
        if not _TICKET.fullmatch(ticket):
            return _nothing()
        path = f"{SECRETS_PATH}/{ticket}"
        person = await self.sessions.person_of(request)
        if person is None:
            return await self._lead_to_sign_in(request, path)
        wanted = await self.secrets.find(person, ticket)
        return _nothing() if wanted is None else await self._answer(request, person, wanted, ticket)

    async def _answer(self, request: Request, person: Person, wanted: WantedSecret, ticket: str) -> Response:
        path = f"{SECRETS_PATH}/{ticket}"
        token = self.sessions.form_token(request, path)
        if request.method != "POST":
            return _question(path, token, person, wanted)
        form = await self.sessions.read_form(request, path, _LARGEST_FORM)
        if form is None:
            return _strange_form()
        try:
            value = Secret(form.get("value", ""))
            await to_thread.run_sync(_store_wanted, self.secrets.of(person), wanted, value)
        except ConfigError as error:
            return _question(path, token, person, wanted, text_of(error))
        await self.secrets.close(person, ticket)
        return html.build_page(
            say("Stored"),
            [html.paragraph(say("The secret is stored. Close this page and go back to the assistant."))],
        )

    async def list_own(self, request: Request) -> Response:
        """Show which secrets a person has stored, and store, replace or delete one."""
        person = await self.sessions.person_of(request)
        if person is None:
            return await self._lead_to_sign_in(request, SECRETS_PATH)
        stored = self.secrets.of(person)
        token = self.sessions.form_token(request, SECRETS_PATH)
        if request.method != "POST":
            return _overview(token, person, await to_thread.run_sync(stored.index))
        form = await self.sessions.read_form(request, SECRETS_PATH, _LARGEST_FORM)
        if form is None:
            return _strange_form()
        try:
            await to_thread.run_sync(_change, stored, form)
        except ConfigError as error:
            return _overview(token, person, await to_thread.run_sync(stored.index), text_of(error))
        return html.build_redirect(SECRETS_PATH)

    async def _lead_to_sign_in(self, request: Request, path: str) -> Response:
        if request.method == "POST":
            # The value that was entered is not carried along.
            return html.build_problem(
                say("You are no longer signed in here. Nothing was stored."),
                status=403,
                back=path,
                back_title=say("Sign in"),
            )
        return await self.sessions.redirect_to_sign_in(request, path)


def _store_wanted(stored: NamedSecrets, wanted: WantedSecret, value: Secret) -> None:
    _check_room(stored, wanted.name)
    store_wanted(stored, wanted, value)


def _change(stored: NamedSecrets, form: Mapping[str, str]) -> None:
    if "delete" in form:
        if form["delete"] in stored.known():
            stored.remove(form["delete"])
    elif "forget" in form:
        if names := {secret.name for secret in stored.index().former}:
            stored.forget_former(names)
    elif "store" in form:
        name = form.get("name", "").strip()
        hosts = _read_hosts(form.get("hosts", ""))
        _check_room(stored, name)
        stored.store(name, Secret(form.get("value", "")), hosts)


def _check_room(stored: NamedSecrets, name: str) -> None:
    known = stored.known()
    if name not in known and len(known) >= MOST_SECRETS:
        raise ConfigError(
            say("You have stored {count} secrets, and more are not kept. Delete one first.", count=len(known))
        )


def _read_hosts(written: str) -> list[str]:
    try:
        hosts = [parse_host(host) for host in re.split(r"[\s,;]+", written.strip())]
    except ConfigError:
        hosts = []
    if not 0 < len(hosts) <= MOST_HOSTS:
        raise ConfigError(
            say(
                "Nothing was stored: write the exact names of the hosts, such as shop.example or shop.example:8443, with commas between them, and at most {most}.",
                most=MOST_HOSTS,
            )
        )
    return hosts


def _question(path: str, token: str, person: Person, wanted: WantedSecret, problem: str = "") -> Response:
    portal = person.portal.partition("://")[2]
    facts = [
        html.fact(say("Name"), html.foreign(wanted.name)),
        html.fact(say("Portal"), html.foreign(portal)),
        html.fact(say("Connector"), html.foreign(wanted.connector)),
        html.fact(
            say("May be sent to"),
            html.foreign(", ".join(wanted.hosts)),
            say("Enter it only if you trust this host with it."),
            warns=True,
        ),
    ]
    content = [
        describe(person),
        html.paragraph(say("An assistant asks for a secret. It will not see the value.")),
        f"<dl>{''.join(facts)}</dl>",
        _problem(problem),
        html.form(
            path,
            token,
            html.text_field("value", say("Value"), kind="password"),
            html.button("store", "1", say("Store"), main=True),
        ),
    ]
    return _form_page(say("Store the secret {name}", name=wanted.name), content, problem)


def _overview(token: str, person: Person, index: SecretIndex, problem: str = "") -> Response:
    listed = "".join(
        f"<li><h2>{html.foreign(secret.name)}</h2>"
        f"<p><small>{escape(say('May be sent to'))}: {html.foreign(', '.join(secret.hosts))}</small></p>"
        f"{html.button('delete', secret.name, say('Delete'))}</li>"
        for secret in index.known.values()
    )
    former = sorted({secret.name for secret in index.former})
    explained = say(
        "Former values are recognised as well, so that no call sends them elsewhere: {names}. Forget them once they are valid nowhere.",
        names=", ".join(former),
    )
    forget = html.button("forget", "1", say("Forget former values"))
    content = [
        describe(person),
        html.paragraph(say("Only calls on your behalf can use them, and only for these hosts.")),
        _problem(problem),
        html.form(SECRETS_PATH, token, f"<ul>{listed}</ul>")
        if listed
        else html.paragraph(say("None so far.")),
        html.form(SECRETS_PATH, token, html.paragraph(explained), forget) if former else "",
        f"<h2>{escape(say('Store a secret, or replace one'))}</h2>",
        html.form(
            SECRETS_PATH,
            token,
            html.text_field("name", say("Name")),
            html.text_field("hosts", say("May be sent to"), say("Only hosts that you trust with it.")),
            html.text_field("value", say("Value"), kind="password"),
            html.button("store", "1", say("Store"), main=True),
        ),
    ]
    return _form_page(say("Your stored secrets"), content, problem)


def _form_page(title: str, content: list[str], problem: str) -> Response:
    return html.build_page(title, content, status=400 if problem else 200, has_form=True)


def _problem(problem: str) -> str:
    return f'<p role="alert" class="warn">{escape(problem)}</p>' if problem else ""


def _nothing() -> Response:
    return html.build_problem(
        say(
            "Nothing is asked here: the secret was stored, ten minutes are over, or an assistant of somebody else asked. Let your assistant call again."
        ),
        status=404,
    )


def _strange_form() -> Response:
    return html.build_problem(say("This form was not sent from its own page. Nothing was done."), status=403)
