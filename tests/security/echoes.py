"""How somebody may write a secret that was sent to him: the codings that masks know, and those that they do not."""

from __future__ import annotations

import codecs
import html
import json
import quopri
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

Coding = Callable[[str], str]

# Signs that somebody codes, letters of two alphabets, and blanks that somebody trims.
SECRET = '  canary\'s <pass/word>&"ключ" 1+1=2 \\ (100%~!)  '
LOGIN = "anna"


def _json(text: str, *, ascii_only: bool = True) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _php_json(text: str) -> str:
    """What `json_encode` makes with JSON_HEX_TAG, _AMP, _APOS and _QUOT."""
    signs = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&'"}
    return _json(text).replace('\\"', "\\u0022").translate(signs).replace("/", "\\/")


def _percent_small(text: str) -> str:
    return re.sub("%..", lambda code: code[0].lower(), quote(text, safe=""))


def _each(form: str) -> Coding:
    return lambda text: "".join(form.format(ord(letter)) for letter in text)


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


CODINGS: Mapping[str, Coding] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "trimmed": str.strip,
    "percent codes": lambda text: quote(text, safe=""),
    "percent codes in lower case": _percent_small,
    "percent codes, slashes kept": quote,
    "percent codes as encodeURIComponent makes them": lambda text: quote(text, safe="!'()*~"),
    "percent codes of a form": quote_plus,
    "percent codes of every letter": _percent,
    "percent codes twice": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML, named": lambda text: html.escape(text).replace("&#x27;", "&apos;"),
    "HTML as PHP makes it": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "HTML as Python makes it": html.escape,
    "HTML, decimal, every letter": _each("&#{};"),
    "HTML, hexadecimal, every letter": _each("&#x{:X};"),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "JSON": lambda text: _json(text, ascii_only=False),
    "JSON in ASCII": _json,
    "JSON as PHP makes it": _php_json,
    "JSON, every letter": _each("\\u{:04x}"),
    "JSON twice": lambda text: _json(_json(text)),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 for addresses, unpadded": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hexadecimal": lambda text: text.encode().hex(),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode().replace("=\n", ""),
}
# Masks read what services make of a text on its way. Who wants to hide it from them, or has put it into something longer
# before he coded it, always finds a way.
PAST_ALL_MASKS: Mapping[str, Coding] = {
    "backwards": lambda text: text[::-1],
    "other letters": lambda text: codecs.encode(text, "rot13"),
    "letters apart": " ".join,
    "Base64 of more than the secret": lambda text: b64encode(f"{LOGIN}:{text}".encode()).decode(),
}
