"""The pages that a person sees while an application asks for access."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bi_mcp.practice.portal.oauth import RegisteredApplication
from bi_mcp.practice.portal.users import PortalUser

_STYLE = """
:root { color-scheme: light; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #eef2f4; color: #333b44;
       font: 16px/1.5 system-ui, sans-serif; }
main { width: min(92vw, 30rem); box-sizing: border-box; margin: 2rem 0; padding: 2rem 2.25rem; background: #fff;
       border-radius: .75rem; box-shadow: 0 .5rem 2rem rgb(51 59 68 / .12); overflow-wrap: anywhere; }
.portal { margin: 0; color: #6b7684; font-size: .875rem; }
h1 { margin: .25rem 0 1rem; font-size: 1.375rem; line-height: 1.3; }
dl { margin: 0 0 1.5rem; }
dt { color: #6b7684; font-size: .8125rem; }
dd { margin: 0 0 .75rem; }
code { font-size: .875rem; }
label { display: block; margin-bottom: 1rem; color: #6b7684; font-size: .8125rem; }
input { display: block; width: 100%; box-sizing: border-box; margin-top: .25rem; padding: .5rem .625rem; color: #333b44;
        font: inherit; border: 1px solid #c6cdd3; border-radius: .375rem; }
button { padding: .625rem 1.5rem; font: inherit; font-weight: 600; color: #333b44; background: #e6ebee; border: 0;
         border-radius: .375rem; cursor: pointer; }
button.yes { margin-right: .5rem; color: #fff; background: #1769c2; }
button:focus-visible, input:focus-visible { outline: 3px solid #8dbdf0; outline-offset: 1px; }
"""


def login_page(*, portal: str, client_id: str, state: str, ticket: str, users: Sequence[PortalUser]) -> str:
    """Ask who is in front of the browser. There are no passwords here."""
    buttons = (
        f'<p><button name="user" value="{user.id}">{escape(user.full_name)}</button></p>' for user in users
    )
    return _page(
        portal,
        "Log in",
        '<form method="post" action="/oauth/authorize/">'
        + _hidden(client_id=client_id, state=state, ticket=ticket)
        + "".join(buttons)
        + "</form>",
    )


def consent_page(
    *,
    portal: str,
    application: RegisteredApplication,
    state: str,
    ticket: str,
    user: str | None = None,
) -> str:
    """Ask whether an application may act for the user. `ticket` ties the form to the browser that asked for it.

    `user` is the name of who is logged in, where it could be somebody else.
    """
    facts = {"Application": application.client_id, "Access to": application.scope}
    return _page(
        portal,
        f"Allow “{application.title}” to use this portal?",
        _facts({"Logged in": user, **facts} if user else facts)
        + '<form method="post" action="/oauth/authorize/">'
        + _hidden(client_id=application.client_id, state=state, ticket=ticket)
        + '<button class="yes" name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button>'
        + ('<p><button name="decision" value="switch">Log in as somebody else</button></p>' if user else "")
        + "</form>",
    )


def message_page(*, portal: str, title: str, text: str) -> str:
    return _page(portal, title, f"<p>{escape(text)}</p>")


def applications_page(*, portal: str, applications: list[RegisteredApplication], ticket: str) -> str:
    """Show the cards of all local applications, secrets included, and a form for another one."""
    return _page(
        portal,
        "Local applications",
        "".join(map(_card, applications))
        + '<form method="post" action="/oauth/applications">'
        + _hidden(ticket=ticket)
        + '<label>Title<input name="title" required maxlength="200"></label>'
        '<label>Handler address<input name="handler" type="url" required'
        ' placeholder="http://127.0.0.1:8765/callback"></label>'
        '<button class="yes">Register</button></form>',
    )


def _card(application: RegisteredApplication) -> str:
    return _facts(
        {
            "Title": application.title,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "Handler address": application.handler,
        }
    )


def _facts(facts: dict[str, str]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in facts.items())
    return f"<dl>{''.join(rows)}</dl>"


def _hidden(**values: str) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in values.items()
    )


def _page(portal: str, title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><p class="portal">Local Bitrix24 portal {escape(portal)}</p>'
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
