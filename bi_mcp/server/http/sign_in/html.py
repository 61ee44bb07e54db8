"""The look of this server's pages: HTML without scripts, for any browser from 320 pixels on, in light and dark."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, RedirectResponse

from bi_mcp.base.language import say, spoken
from bi_mcp.server.http.sign_in.forms import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE = """
:root { color-scheme: light dark; --page: #eef2f4; --card: #fff; --text: #2b323a; --soft: #5b6570; --line: #c6cdd3;
        --accent: #1560b0; --on-accent: #fff; --plain: #e6ebee; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --card: #20262c; --text: #e6eaee; --soft: #a3adb8; --line: #48525c;
          --accent: #7ab6f2; --on-accent: #10202f; --plain: #343d46; --warn: #f0b45c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--text);
       font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { width: min(100% - 1.5rem, 36rem); margin: .75rem 0; padding: clamp(1rem, 5vw, 2rem); background: var(--card);
       border-radius: .75rem; }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.3; }
h2 { margin: 0; font-size: 1.0625rem; }
dl { margin: 1rem 0; }
dt, legend, small { color: var(--soft); font-size: .875rem; }
dd { margin: 0 0 .75rem; }
small { display: block; }
.warn { color: var(--warn); }
fieldset { margin: 0 0 1rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; }
.choice { display: flex; gap: .5rem; padding: .375rem 0; }
.choice > div { flex: 1; min-width: 0; }
label { display: block; }
.field { padding: .375rem 0; }
.field input { width: 100%; margin: .25rem 0; padding: .5rem .75rem; font: inherit; color: var(--text);
               background: var(--card); border: 1px solid var(--soft); border-radius: .375rem; }
input[type=radio] { flex: none; width: 1.125rem; height: 1.125rem; margin: .1875rem 0; accent-color: var(--accent); }
ul { list-style: none; margin: 1rem 0; padding: 0; }
li { padding: .75rem 0; border-top: 1px solid var(--line); }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; }
button { padding: .625rem 1.25rem; font: inherit; font-weight: 600; color: var(--text); background: var(--plain);
         border: 1px solid var(--line); border-radius: .375rem; cursor: pointer; }
button.main { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
# Without form-action: browsers apply it to the redirects after a form, too, and those lead to the portal and to the client.
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def build_page(
    title: str, content: Iterable[str], *, status: int = 200, has_form: bool = False
) -> HTMLResponse:
    """Build an answer. `content` is HTML, in which all text must be escaped.

    Where it has a form, the browser must be able to say whose form it was: without a referrer it sends no origin either.
    """
    html = (
        f'<!doctype html><html lang="{spoken()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} – bi-mcp</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(content)}</main></body></html>"
    )
    return HTMLResponse(
        html, status, {**_HEADERS, "referrer-policy": "same-origin" if has_form else "no-referrer"}
    )


def build_redirect(address: str) -> RedirectResponse:
    """Build the way to another page, which nobody keeps, and which does not tell where it came from."""
    return RedirectResponse(address, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def build_problem(text: str, *, status: int, back: str | None = None, back_title: str = "") -> HTMLResponse:
    """Build a page that says why something did not happen, with a way on where there is one."""
    link = f'<p><a href="{escape(back)}">{escape(back_title)}</a></p>' if back else ""
    return build_page(say("This did not work"), [paragraph(text), link], status=status)


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def foreign(text: str) -> str:
    """Text from outside, set apart from the direction of the text around it."""
    return f"<bdi>{escape(text)}</bdi>"


def fact(label: str, value: str, note: str = "", *, warns: bool = False) -> str:
    """A row of a list of facts; `value` is HTML, `note` is plain text."""
    mark = ' class="warn"' if warns else ""
    noted = f"<small{mark}>{escape(note)}</small>" if note else ""
    return f"<dt>{escape(label)}</dt><dd>{value}{noted}</dd>"


def choice(name: str, value: str, label: str, note: str = "") -> str:
    """A choice of a form, one of which the person must make."""
    id = escape(f"{name}-{value}")
    noted = f'<small id="{id}-note">{escape(note)}</small>' if note else ""
    described = f' aria-describedby="{id}-note"' if note else ""
    return (
        f'<div class="choice"><input type="radio" id="{id}" name="{escape(name)}" value="{escape(value)}"'
        f'{described} required><div><label for="{id}">{escape(label)}</label>{noted}</div></div>'
    )


def text_field(name: str, label: str, note: str = "", *, kind: str = "text") -> str:
    """A field for a line of text, or with the kind `password` for one that is not shown. Browsers do not keep it."""
    noted = f"<small>{escape(note)}</small>" if note else ""
    return (
        f'<label class="field">{escape(label)}{noted}<input type="{kind}" name="{escape(name)}" required'
        ' autocomplete="off" spellcheck="false" autocapitalize="off"></label>'
    )


def button(name: str, value: str, label: str, *, main: bool = False) -> str:
    """A button that sends its form. Only the main one asks for what is required."""
    kind = ' class="main"' if main else " formnovalidate"
    return f'<button name="{escape(name)}" value="{escape(value)}"{kind}>{escape(label)}</button>'


def form(action: str, token: str, *content: str) -> str:
    """A form of this server's page."""
    hidden = f'<input type="hidden" name="{TOKEN}" value="{escape(token)}">'
    return (
        f'<form method="post" action="{escape(action)}" autocomplete="off">{hidden}{"".join(content)}</form>'
    )


def group(legend: str, *choices: str) -> str:
    """A group of choices."""
    return f"<fieldset><legend>{escape(legend)}</legend>{''.join(choices)}</fieldset>"
