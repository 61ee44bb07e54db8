"""Guard of addresses. A connector's address comes from a model or a portal, and must not open a private network.

The address that is connected to decides, not the spelling of the host: names are resolved once, every address of theirs
is judged, and the caller connects to one of these and to no other.
"""

from __future__ import annotations

import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

import anyio

from bi_mcp.base.language import say, text
from bi_mcp.errors import EndpointError, InvalidRequestError

IPAddress: TypeAlias = IPv4Address | IPv6Address
Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

DEFAULT_PORTS = {"http": 80, "https": 443}

# Clouds answer with credentials here. The first lies in no private range; the others are named for the text only.
_METADATA = frozenset(
    ip_address(address)
    for address in ("168.63.129.16", "169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
# Relays, what the IETF keeps for protocols (some of it counts as global, in newer Pythons more), and examples. No connector is there.
_RESERVED = tuple(map(ip_network, ("192.88.99.0/24", "192.0.0.0/24", "2001::/23", "3fff::/20")))
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# The last 64 bits of an ISATAP address: 0000:5efe or 0200:5efe, then an IPv4 address.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
# Spellings that the C library reads as one IPv4 address: 127.1, 0x7f000001, 017700000001, 2130706433.
_NUMERIC_HOST = re.compile(r"(?:[0-9a-fx]+\.)*(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[0-9]{0,5}))?")
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")

_NOT_PUBLIC: Sequence[tuple[Callable[[IPAddress], bool], str]] = (
    (lambda ip: ip in _METADATA, text("the metadata service of a cloud")),
    (lambda ip: ip.is_loopback or ip.is_unspecified, text("this machine itself (loopback)")),
    (lambda ip: ip.is_link_local, text("a link-local address")),
    (lambda ip: ip.is_multicast or any(ip in network for network in _RESERVED), text("a reserved address")),
    (lambda ip: not ip.is_global, text("a private or reserved address")),
    (lambda ip: ip.version == 6 and ip not in _GLOBAL_IPV6, text("a private or reserved address")),
)


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
    host = _parse_ipv6(written["ipv6"]) if written["ipv6"] else _parse_host(written["name"])
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


def why_not_public(ip: IPAddress) -> str | None:
    """Name what kind of address this is, for a sentence; None when it is on the public internet."""
    if isinstance(ip, IPv6Address) and (embedded := _find_embedded(ip)) is not None:
        # Public traffic uses some of the IPv6 addresses that embed a public IPv4 address.
        carries = ip.ipv4_mapped or ip in _NAT64 or (ip in _GLOBAL_IPV6 and (ip.is_global or ip.sixtofour))
        return why_not_public(embedded) or (None if carries else say("a reserved address"))
    return next((say(kind) for is_kind, kind in _NOT_PUBLIC if is_kind(ip)), None)


def _find_embedded(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address embeds."""
    if ip.ipv4_mapped or ip in _NAT64 or (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo
    return ip.sixtofour if teredo is None else teredo[1]


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


def _parse_host(host: str) -> str:
    # Full-width digits and dots are read as plain ones by some resolvers: read them so before judging.
    host = unicodedata.normalize("NFKC", host).replace("。", ".").removesuffix(".").lower()
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise _bad(say("its host is not a name")) from None
    # Checked after IDNA, which drops invisible characters: the remainder may be a number.
    if _NUMERIC_HOST.fullmatch(name):
        try:
            return str(IPv4Address(socket.inet_aton(name)))
        except OSError:
            raise _bad(say("its host is a number that is not an IP address")) from None
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        raise _bad(say("its host is not a name"))
    return name


def _parse_ipv6(host: str) -> str:
    try:
        ip = IPv6Address(host)
    except ValueError:
        raise _bad(say("its host is not an IPv6 address")) from None
    if ip.scope_id:
        raise _bad(say("its IPv6 address names an interface of one machine"))
    return str(ip)


def _bad(why: str) -> EndpointError:
    return EndpointError(
        say("The endpoint's address cannot be called: {why}. It must look like https://host/path.", why=why),
        reason="bad_address",
    )
