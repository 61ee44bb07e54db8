"""The consent page: which program, which portal, which rights, and where the answer goes. Shown for every sign-in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.server.http.access import WRITE
from bi_mcp.server.http.sign_in import html
from bi_mcp.server.http.sign_in.redirects import Kind, destination_of, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.responses import Response

    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.attempts import Attempt
    from bi_mcp.app.sign_in.portals import SignInPortal

_LONGEST_SHOWN = 80


def consent_page(attempt: Attempt, portals: Sequence[SignInPortal], form_token: str) -> Response:
    """Build the page of a sign-in, with a form to its own address."""
    content = _for_client(attempt, attempt.asked) if attempt.asked else _for_pages()
    choices = [_portals(portals)] if len(portals) > 1 else []
    rights = [_rights(attempt.asked)] if attempt.asked else []
    buttons = (
        '<div class="buttons">'
        + html.button("decision", "continue", say("Continue to Bitrix24"), main=True)
        + html.button("decision", "cancel", say("Cancel"))
        + "</div>"
    )
    form = html.form(f"/sign-in/{attempt.id}", form_token, *choices, *rights, buttons)
    title = say("Connect a program to Bitrix24") if attempt.asked else say("Sign in with Bitrix24")
    return html.build_page(title, [*content, _portal_list(portals), form], has_form=True)


def _for_client(attempt: Attempt, asked: Asked) -> Iterator[str]:
    yield html.paragraph(
        say(
            "A program asks to work with the portal's external data for BI on your behalf, with your own rights and no others."
        )
    )
    yield "<dl>"
    yield _program(attempt, asked)
    yield _destination(asked.redirect_uri)
    yield "</dl>"
    yield html.paragraph(say("Continue only if you have just started this in that program yourself."))


def _for_pages() -> Iterator[str]:
    yield html.paragraph(
        say("After that you see which programs you have connected, and can disconnect them.")
    )


def _program(attempt: Attempt, asked: Asked) -> str:
    name = html.foreign(asked.client_name)
    if not attempt.verified_host:
        note = say("This name is not verified: any program can use it.")
        return html.fact(say("Program"), name, note, warns=True)
    host = _shorten(attempt.verified_host)
    if kind_of(asked.redirect_uri) is Kind.WEB:
        return html.fact(say("Program"), name, say("{host} says that this is its program.", host=host))
    # The document binds no answer to its program there: whichever program listens gets it.
    note = say("{host} names this program, but any program on this device can pass for it.", host=host)
    return html.fact(say("Program"), name, note, warns=True)


def _destination(address: str) -> str:
    kind, place = kind_of(address), _shorten(destination_of(address))
    label = say("The answer goes to")
    if kind is Kind.LOOPBACK:
        return html.fact(label, escape(say("a program on your computer")), place)
    if kind is Kind.PRIVATE:
        return html.fact(label, escape(say("the program that opens such links on your device")), place)
    return html.fact(label, html.foreign(place))


def _rights(asked: Asked) -> str:
    """The choice of rights, of which none is chosen, even where there is one only.

    A page that has a person click somewhere twice can put this page under the second click. One click must not agree.
    """
    sees = say(
        "It sees connectors, sources and datasets, and rows of their tables, as far as you may in the portal."
    )
    changes = say("It may also create, change and delete them, as far as you may in the portal.")
    read = html.choice("rights", "read", say("Read"), sees)
    write = html.choice("rights", "write", say("Read and change"), changes)
    return html.group(say("It may"), read, *([write] if WRITE in asked.scopes else []))


def _portals(portals: Sequence[SignInPortal]) -> str:
    return html.group(
        say("Portal"),
        *(html.choice("portal", portal.host, portal.shown_title, _host_note(portal)) for portal in portals),
    )


def _portal_list(portals: Sequence[SignInPortal]) -> str:
    """Name the only portal. Several are choices of the form."""
    if len(portals) > 1:
        return ""
    portal = portals[0]
    return f"<dl>{html.fact(say('Portal'), html.foreign(portal.shown_title), _host_note(portal))}</dl>"


def _host_note(portal: SignInPortal) -> str:
    return portal.host if portal.title else ""


def _shorten(text: str) -> str:
    """Shorten at the front: of a host the end says whose it is."""
    return text if len(text) <= _LONGEST_SHOWN else f"…{text[-_LONGEST_SHOWN:]}"
