"""Rules about hosts and IP addresses: how a host's name is read, and which addresses are on the public internet."""

from __future__ import annotations

import re
import socket
import unicodedata
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from bi_mcp.base.language import say, text

IPAddress: TypeAlias = IPv4Address | IPv6Address

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
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)

_NOT_PUBLIC: Sequence[tuple[Callable[[IPAddress], bool], str]] = (
    (lambda ip: ip in _METADATA, text("the metadata service of a cloud")),
    (lambda ip: ip.is_loopback or ip.is_unspecified, text("this machine itself (loopback)")),
    (lambda ip: ip.is_link_local, text("a link-local address")),
    (lambda ip: ip.is_multicast or any(ip in network for network in _RESERVED), text("a reserved address")),
    (lambda ip: not ip.is_global, text("a private or reserved address")),
    (lambda ip: ip.version == 6 and ip not in _GLOBAL_IPV6, text("a private or reserved address")),
)


def why_not_public(ip: IPAddress) -> str | None:
    """Name what kind of address this is, for a sentence; None when it is on the public internet."""
    if isinstance(ip, IPv6Address) and (embedded := find_embedded(ip)) is not None:
        # Public traffic uses some of the IPv6 addresses that embed a public IPv4 address.
        carries = ip.ipv4_mapped or ip in _NAT64 or (ip in _GLOBAL_IPV6 and (ip.is_global or ip.sixtofour))
        return why_not_public(embedded) or (None if carries else say("a reserved address"))
    return next((say(kind) for is_kind, kind in _NOT_PUBLIC if is_kind(ip)), None)


def is_metadata_or_link(ip: IPAddress) -> bool:
    """Check for addresses that no service has which a person means: a cloud's metadata, one link, many hosts."""
    if isinstance(ip, IPv6Address) and (embedded := find_embedded(ip)) is not None:
        return is_metadata_or_link(embedded)
    return ip in _METADATA or ip.is_link_local or ip.is_multicast or ip.is_unspecified


def find_embedded(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address embeds."""
    if ip.ipv4_mapped or ip in _NAT64 or (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo
    return ip.sixtofour if teredo is None else teredo[1]


def parse_host(host: str) -> str:
    """Read a host's name in lower case and ASCII, or an IPv4 address in its usual spelling. Raises ValueError with what is wrong."""
    # Full-width digits and dots are read as plain ones by some resolvers: read them so before judging.
    host = unicodedata.normalize("NFKC", host).replace("。", ".").removesuffix(".").lower()
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(say("its host is not a name")) from None
    # Checked after IDNA, which drops invisible characters: the remainder may be a number.
    if _NUMERIC_HOST.fullmatch(name):
        try:
            return str(IPv4Address(socket.inet_aton(name)))
        except OSError:
            raise ValueError(say("its host is a number that is not an IP address")) from None
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        raise ValueError(say("its host is not a name"))
    return name


def parse_ipv6(host: str) -> str:
    """Read an IPv6 address into its usual spelling. Raises ValueError with what is wrong."""
    try:
        ip = IPv6Address(host)
    except ValueError:
        raise ValueError(say("its host is not an IPv6 address")) from None
    if ip.scope_id:
        raise ValueError(say("its IPv6 address names an interface of one machine"))
    return str(ip)
