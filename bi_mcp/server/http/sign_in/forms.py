"""Forms of this server's pages: who may send them, and what is in them."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST = 16 * 1024
MOST_FIELDS = 50
TOKEN = "form_token"  # noqa: S105  the name of a field


class FormError(Exception):
    """A body or query is not a form that this server takes."""


class TooLargeError(FormError):
    """A body is larger than any of ours."""


async def read_body(request: Request, largest: int = LARGEST) -> bytes:
    """Read a body. Raises `TooLargeError`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLargeError
    return bytes(body)


def parse_fields(encoded: bytes) -> dict[str, str]:
    """Read the fields of a form or query. Empty ones are left out (RFC 6749, 3.1).

    Raises `FormError`, also for a repeated field: two readers could each take another value.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise FormError from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormError
    return {name: value for name, value in fields.items() if value}


def is_form(request: Request) -> bool:
    """Return whether the body is an encoded form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


def form_token(mark: str, purpose: str) -> str:
    """Make the token of a form for the browser with this mark. Other pages can send the form, but cannot know the token."""
    return sha256(f"form {purpose} {mark}".encode()).hexdigest()


async def read_own_form(
    request: Request, origin: str, mark: str | None, purpose: str, largest: int = LARGEST
) -> dict[str, str] | None:
    """Read a form that this server's own page sent in the browser with this mark. None for any other. Raises `FormError`."""
    body = await read_body(request, largest)
    if not is_form(request) or not _is_from(request, origin):
        return None
    fields = parse_fields(body)
    expected = form_token(mark, purpose) if mark else ""
    if not expected or not hmac.compare_digest(expected.encode(), fields.get(TOKEN, "").encode()):
        return None
    return fields


def _is_from(request: Request, origin: str) -> bool:
    headers = request.headers
    own = headers.getlist("origin") == [origin]
    return own and headers.getlist("sec-fetch-site") in ([], ["same-origin"])
