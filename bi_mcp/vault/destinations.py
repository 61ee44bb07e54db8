"""Destinations of addresses, to which stored secrets are bound."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError, EndpointError, SecretReferenceError

if TYPE_CHECKING:
    from collections.abc import Collection


def destination(url: str) -> str:
    """Return an address's destination as a binding names it: `shop.example`, with the port if it is not the usual one.

    `http://` stays in front if the way is not encrypted and leaves this machine: a secret for `shop.example` must not be
    sent in the clear because someone dropped an `s`. Raises `EndpointError` for an address that readers might take differently.
    """
    # Imported here: without stored secrets the rules about addresses are not needed.
    from bi_mcp.endpoints.guard import parse_address

    address = parse_address(url)
    exposed = address.scheme == "http" and not _is_this_machine(address.host)
    return address.origin if exposed else address.authority


def parse_host(text: str) -> str:
    """Read what the user writes after `--for` as a destination: HOST, HOST:PORT, or either after http://."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ConfigError(
                say("--for takes a host without a path, such as shop.example or shop.example:8443.")
            )
        return destination(url)
    except (EndpointError, ValueError):
        raise ConfigError(
            say(
                "--for takes the exact name of one host, such as shop.example, shop.example:8443, or http://shop.example where the endpoints have no https."
            )
        ) from None


def find_destinations(addresses: Collection[str], where: str) -> list[str]:
    """Return the hosts that values would be sent to, each once. Raises `SecretReferenceError` if one cannot be found out."""
    if not addresses:
        raise SecretReferenceError(
            say(
                "{where}: a stored secret is sent only to hosts that it is bound to, and no address is known here. Give the connector its addresses first.",
                where=where,
            )
        )
    try:
        return list(dict.fromkeys(destination(address) for address in addresses))
    except EndpointError as error:
        raise SecretReferenceError(
            say("{where}: a stored secret was not sent. {error}", where=where, error=error)
        ) from None


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
