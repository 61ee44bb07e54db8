"""Options of the HTTP server. Data, and values derived from it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.config import HttpSettings

if TYPE_CHECKING:
    from pathlib import Path

    from bi_mcp.app.sign_in.portals import SignInPortal

PATH = "/mcp"
# Ten times what a dataset of a thousand columns takes.
MAX_REQUEST_BYTES = 1024 * 1024

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """Address, names and protection of a server over HTTP.

    `allowed_hosts` are the values of the Host header that are answered, with or without a port. `allowed_origins` are
    the web pages of others that may call. `behind_proxy` says that a proxy in front of the server ends TLS. `portals` are
    those that people sign in to, none where callers bring a token of somebody else's; `configuration_folder` then keeps
    what belongs to these people.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    max_request_bytes: int = MAX_REQUEST_BYTES
    settings: HttpSettings = field(default_factory=HttpSettings)
    portals: tuple[SignInPortal, ...] = ()
    configuration_folder: Path | None = None

    @property
    def binds_loopback(self) -> bool:
        """True if only this machine can connect."""
        return is_loopback(self.host)

    @property
    def serves_others(self) -> bool:
        """True if another machine may reach the server, also through a proxy on this one."""
        foreign_names = any(not is_loopback(without_port(host)) for host in self.allowed_hosts)
        return not self.binds_loopback or self.behind_proxy or foreign_names

    @property
    def uses_tls(self) -> bool:
        """True if the server itself speaks https."""
        return self.tls_certificate is not None

    @property
    def host_names(self) -> list[str]:
        """The values of the Host header that are answered, in lower case; those without a port with any."""
        own = [*_LOOPBACK_HOSTS, _add_brackets(self.host).lower()] if self.binds_loopback else []
        return [*own, *(host.lower() for host in self.allowed_hosts)]

    @property
    def address(self) -> str:
        """The address at which a client on this machine finds the server."""
        scheme = "https" if self.uses_tls else "http"
        return f"{scheme}://{_add_brackets(self.host)}:{self.port}{PATH}"

    @property
    def origin(self) -> str:
        """The server without a path: with sign-in the issuer of its tokens."""
        return self.resource.removesuffix(PATH)

    @property
    def resource(self) -> str:
        """The server as OAuth names it: the audience where that is an address, or else the first allowed name."""
        audience = self.settings.audience or ""
        if audience.startswith(("https://", "http://")):
            return audience
        if not self.allowed_hosts:
            return self.address
        host = self.allowed_hosts[0]
        plain = is_loopback(without_port(host)) and not (self.uses_tls or self.behind_proxy)
        return f"{'http' if plain else 'https'}://{host}{PATH}"


def _add_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Return whether the name or address stays on this machine. A name is judged by its spelling and never resolved."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def without_port(host: str) -> str:
    """The host of `host:port`; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host
