"""Guard of addresses. A connector's address comes from a model or a portal, and must not open a private network.

The address that is connected to decides, not the spelling of the host: names are resolved once, every address of theirs
is judged, and the caller connects to one of these and to no other.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

import anyio

from bi_mcp.base.ip_addresses import IPAddress, parse_host, parse_ipv6, why_not_public
from bi_mcp.base.language import say
from bi_mcp.errors import EndpointError, InvalidRequestError

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[0-9]{0,5}))?")
_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")


@dataclass(frozen=True)
class Address:
    """Target of a URL: `host` is in lower case and ASCII, an IP address in its usual spelling."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as in a `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True)
class Destination:
    """An address that may be called: its IP addresses, and the reason for Bitrix24's cloud to refuse it, or None."""

    address: Address
    ips: tuple[IPAddress, ...]
    not_public: str | None


def parse_address(url: str) -> Address:
    """Read an address strictly: http or https, no user, a host that every reader understands alike.

    Raises EndpointError; its text does not repeat the address.
    """
    if _NEVER_IN_AN_ADDRESS.search(url):
        raise _bad(say("it contains spaces, backslashes or control characters"))
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _bad(say("its host or port cannot be read")) from None
    if parts.scheme not in DEFAULT_PORTS:
        raise _bad(say("it begins with neither http:// nor https://"))
    if "@" in parts.netloc:
        raise _bad(say("it contains a user or a password before the host"))
    written = _HOST_AND_PORT.fullmatch(parts.netloc)
    port = int(written["port"] or DEFAULT_PORTS[parts.scheme]) if written else 0
    if written is None or not 0 < port < 65536:
        raise _bad(say("its host or port cannot be read"))
    try:
        host = parse_ipv6(written["ipv6"]) if written["ipv6"] else parse_host(written["name"])
    except ValueError as error:
        raise _bad(str(error)) from None
    return Address(parts.scheme, host, port)


def check_addresses(addresses: Mapping[str, str | None]) -> None:
    """Refuse what no address of an endpoint can be. Raises `InvalidRequestError`, which does not repeat it: it may hold a password."""
    for name, address in addresses.items():
        try:
            parse_address(address or "https://left.out")
        except EndpointError as error:
            raise InvalidRequestError(
                say(
                    "{name}: {error} Put a login or a password into settings. Nothing was sent.",
                    name=name,
                    error=error,
                )
            ) from None


async def resolve_host(host: str, port: int) -> list[str]:
    """Ask the system's resolver. Raises OSError when the host does not exist."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def find_destination(
    address: Address, *, allow_private: bool, resolver: Resolver = resolve_host
) -> Destination:
    """Resolve an address once and judge every IP address it has.

    Raises EndpointError when one of them is not public and `allow_private` is false, or when there is none.
    """
    ips = await _resolve(address, resolver)
    not_public = next((kind for ip in ips if (kind := why_not_public(ip))), None)
    if not_public and not allow_private:
        raise EndpointError(
            say(
                "{host} was not called: it leads to {not_public}. Bitrix24's cloud does not call such addresses either. Give the connector a public address; for one under development, allow private addresses.",
                host=address.host,
                not_public=not_public,
            ),
            reason="refused_address",
        )
    # IPv4 first: many machines have IPv6 addresses and no way out with them.
    return Destination(address, tuple(sorted(ips, key=lambda ip: ip.version)), not_public)


async def _resolve(address: Address, resolver: Resolver) -> list[IPAddress]:
    try:
        return [ip_address(address.host)]
    except ValueError:
        pass
    try:
        # Scoped IPv6 addresses carry a zone, which means that they are not global ones.
        found = [ip_address(text) for text in await resolver(address.host, address.port)]
    except (OSError, ValueError):
        found = []
    if not found:
        raise EndpointError(
            say(
                "{host} has no address: the name cannot be resolved. Check its spelling and its DNS records.",
                host=address.host,
            ),
            reason="unresolved",
        )
    return list(dict.fromkeys(found))


def _bad(why: str) -> EndpointError:
    return EndpointError(
        say("The endpoint's address cannot be called: {why}. It must look like https://host/path.", why=why),
        reason="bad_address",
    )
