"""The hosts that parametrised sources may connect to, and the address that a name of theirs stands for.

A name is resolved once, every address of it is judged, and the caller connects to one of these and to no other.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from bi_mcp.base.ip_addresses import IPAddress, is_metadata_or_link, parse_host, parse_ipv6, why_not_public
from bi_mcp.base.language import say
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.errors import ConfigError

Resolver: TypeAlias = Callable[[str, int], Iterable[str]]

_ENTRY = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?")
_REFUSED = "The connector may not connect to this host."


def resolve_host(host: str, port: int) -> list[str]:
    """Ask the system's resolver. Raises OSError when the host does not exist."""
    return [str(found[0]) for *_, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class _Entry:
    """What `--allow-host` says: a name, a suffix that begins with a dot, or a network; None stands for any port."""

    name: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def names(self, host: str) -> bool:
        return bool(self.name) and (
            host.endswith(self.name) if self.name.startswith(".") else host == self.name
        )

    def holds(self, ip: IPAddress) -> bool:
        return self.network is not None and ip in self.network

    def vouches_for(self, host: str, ip: IPAddress) -> bool:
        """Check whether the entry means this very address: names it, or names a host that may be in a private network."""
        if self.holds(ip):
            return True
        exact = self.names(host) and not self.name.startswith(".")
        return exact and not is_metadata_or_link(ip)


class AllowedHosts:
    """The list of `--allow-host`."""

    def __init__(self, entries: Sequence[str], resolver: Resolver = resolve_host) -> None:
        self._entries = tuple(map(_parse_entry, entries))
        self._resolver = resolver

    def find_address(self, host: str, port: int) -> tuple[str, IPAddress]:
        """Return a host's name in its usual spelling, and an address to connect to. Raises RefusalError."""
        try:
            name = parse_ipv6(host) if ":" in host else parse_host(host)
        except ValueError:
            raise RefusalError(400, "The setting host is not the name of a host.") from None
        literal = _as_ip(name)
        entries = [
            entry
            for entry in self._entries
            if entry.port in {None, port} and (entry.names(name) or (literal and entry.holds(literal)))
        ]
        if not entries:
            raise RefusalError(403, _REFUSED)
        found = [literal] if literal else self._resolve(name, port)
        # Networks of the list vouch for the addresses of its names, too.
        vouching = [entry for entry in self._entries if entry.port in {None, port}]
        for ip in found:
            if why_not_public(ip) and not any(entry.vouches_for(name, ip) for entry in vouching):
                raise RefusalError(403, _REFUSED)
        # IPv4 first: many machines have IPv6 addresses and no way out with them.
        return name, min(found, key=lambda ip: ip.version)

    def _resolve(self, name: str, port: int) -> list[IPAddress]:
        try:
            found = [ip_address(text) for text in self._resolver(name, port)]
        except (OSError, ValueError):
            found = []
        if not found:
            raise RefusalError(503, "The host has no address: its name cannot be resolved.")
        return found


def _parse_entry(text: str) -> _Entry:
    try:
        if "/" in text:
            return _Entry(network=ip_network(text))
        return _parse_host_entry(text)
    except ValueError:
        raise ConfigError(
            say(
                "--allow-host {host!r} is not a host. Write a name, a name and a port, *.domain, an IP address or a network, such as db.internal:5432, *.db.example or 10.1.0.0/16.",
                host=text,
            )
        ) from None


def _parse_host_entry(text: str) -> _Entry:
    literal = _as_ip(text)
    written = _ENTRY.fullmatch(text)
    if literal or written is None:
        return _Entry(network=ip_network(literal or text))
    port = int(written["port"]) if written["port"] else None
    if written["ipv6"]:
        return _Entry(network=ip_network(parse_ipv6(written["ipv6"])), port=port)
    suffix = written["name"].startswith("*.")
    name = parse_host(written["name"].removeprefix("*."))
    if suffix:
        return _Entry(name=f".{name}", port=port)
    found = _as_ip(name)
    return _Entry(network=ip_network(found), port=port) if found else _Entry(name=name, port=port)


def _as_ip(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
