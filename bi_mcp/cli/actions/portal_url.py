"""The address of a portal, as a person types or copies it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import click

from bi_mcp.base.language import say
from bi_mcp.rest.transport import rest_address

# Letters of any alphabet, digits, dots and hyphens, or an IPv6 address.
_HOST = re.compile(r"[\w.:-]+")


def parse_portal_url(portal: str | None) -> str:
    """`acme.bitrix24.com`, or any page of it -> `https://acme.bitrix24.com`."""
    if not portal:
        raise click.UsageError(say("Name the portal, such as https://acme.bitrix24.com."))
    # People copy the address of the page that they are on.
    before_query = portal.strip().partition("?")[0].partition("#")[0]
    parts = urlsplit(rest_address(before_query))
    if not _HOST.fullmatch(parts.hostname or ""):
        raise click.UsageError(
            say(
                "{portal!r} is not the address of a portal. Copy it from the browser, such as https://acme.bitrix24.com.",
                portal=portal,
            )
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"
