"""The way out of this machine: the proxy and the certificates that the environment names.

They are read here and not by the libraries that make the calls, which end with a stack trace at a faulty variable.
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from bi_mcp.base.language import say, text
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Earlier ones overrule later ones.
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_SCHEMES = ("http", "https", "socks5", "socks5h")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)
# An IPv6 address without brackets has colons, and cannot have a port.
_ENTRY = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
# Codes of OpenSSL: another name, another address; no longer and not yet valid.
_OTHER_NAME = frozenset({62, 64})
_OTHER_TIME = frozenset({9, 10})


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """Route to a host. `proxy` is an address that may hold a login; `variable` named it.

    `certificates` are the authorities of the environment, None where it names none.
    """

    proxy: str | None = field(default=None, repr=False)
    variable: str = ""
    certificates: ssl.SSLContext | None = None


def find_way_out(address: str, environment: Mapping[str, str] = os.environ) -> WayOut:
    """Find the route to an address. Raises `ConfigError`, which names the variable that cannot be used.

    Plain http is allowed on loopback only: a proxy would carry requests off the machine, and no certificate is asked for.
    """
    parts = urlsplit(address)
    if parts.scheme != "https":
        return WayOut(certificates=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    require_key_log(environment)
    certificates = _certificates(environment)
    variable, proxy = _named_proxy(environment)
    host, port = (parts.hostname or "").lower(), parts.port or 443
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not proxy or any(_means(entry, host, port) for entry in re.split(r"[,\s]+", listed.lower())):
        return WayOut(certificates=certificates)
    return WayOut(proxy=_usable_proxy(variable, proxy), variable=variable, certificates=certificates)


def open_client(
    address: str, timeout: httpx.Timeout, inside: httpx.AsyncBaseTransport | None = None
) -> tuple[httpx.AsyncClient, str]:
    """Open a client that takes the route to an address; return it with the variable that names its proxy.

    `inside` leads to a server in the same process: the environment is not asked then. Raises `ConfigError` as `find_way_out` does.
    """
    # A bare context reads neither certificates nor the environment.
    way = (
        find_way_out(address)
        if inside is None
        else WayOut(certificates=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    )
    certificates = way.certificates or _usual_certificates()
    proxy = None
    if way.proxy is not None:
        # A proxy without TLS takes no certificates.
        trusted = certificates if way.proxy.startswith("https:") else None
        proxy = httpx.Proxy(way.proxy, ssl_context=trusted)
    client = httpx.AsyncClient(
        transport=inside,
        proxy=proxy,
        verify=certificates,
        timeout=timeout,
        headers={"Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
        # Several people may share the client, and a portal's cookie would join their sessions.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
    )
    return client, way.variable


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Return the authorities that httpx brings. They weigh a megabyte, and clients may share them."""
    return httpx.create_ssl_context(trust_env=False)


class Connections:
    """The connections to a portal under each of its addresses. Several transports may share them, each with its own credential:
    a client and its certificates weigh more than all else that a caller has.

    `inside` leads to a portal in the same process.
    """

    def __init__(self, timeout: httpx.Timeout, inside: httpx.AsyncBaseTransport | None = None) -> None:
        self._timeout = timeout
        self._inside = inside
        # A portal that was renamed may be reached another way, while calls to its former name are on theirs.
        self._clients: dict[str, tuple[httpx.AsyncClient, str]] = {}

    def to(self, address: str) -> tuple[httpx.AsyncClient, str]:
        """Return the client for an address with the variable that names its proxy, opened at the first call. Raises `ConfigError` as `find_way_out` does."""
        if address not in self._clients:
            self._clients[address] = open_client(address, self._timeout, self._inside)
        return self._clients[address]

    async def aclose(self) -> None:
        """Close the connections that were kept open; a later call opens new ones."""
        clients, self._clients = self._clients, {}
        for client, _ in clients.values():
            await client.aclose()


def require_key_log(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` where Python could not write the keys of connections to the file that `SSLKEYLOGFILE` names."""
    path = environment.get("SSLKEYLOGFILE")
    if not path:
        return
    try:
        with open(path, "ab"):  # noqa: PTH123  a path of bytes may not be text
            pass
    except (OSError, ValueError) as error:
        raise ConfigError(
            say(
                "SSLKEYLOGFILE names a file that cannot be written ({reason}). Name another, or remove the variable.",
                reason=_reason(error),
            )
        ) from None


def certificate_trouble(error: BaseException, host: str) -> str | None:
    """Describe the fault of the certificate of `host` if it made a connection fail; None if the reason was another."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return None
    if cause.verify_code in _OTHER_NAME:
        return say("the certificate of {host} is for another name", host=host)
    if cause.verify_code in _OTHER_TIME:
        return say("the certificate of {host} has expired or is not valid yet", host=host)
    return say(
        "the certificate of {host} is not trusted ({reason})",
        host=host,
        reason=cause.verify_message.rstrip("."),
    )


def _certificates(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    file, folder = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        if folder and not os.path.isdir(folder):  # noqa: PTH112  takes what no path can be for no folder
            raise NotADirectoryError(20, os.strerror(20))
        return ssl.create_default_context(capath=folder) if folder else None
    except (OSError, ValueError) as error:
        raise ConfigError(
            say(
                "{variable} names certificates that cannot be read ({reason}). It must be a file of certificates in PEM form or, for SSL_CERT_DIR, a folder of them. Correct it, or remove the variable.",
                variable="SSL_CERT_FILE" if file else "SSL_CERT_DIR",
                reason=_reason(error),
            )
        ) from None


def _reason(error: Exception) -> str:
    """Return the system's words for an error; those of other errors may repeat the value."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _named_proxy(environment: Mapping[str, str]) -> tuple[str, str]:
    for variable in PROXY_VARIABLES:
        if value := environment.get(variable, "").strip():
            return variable, value
    # Imported here: it is slow to load, and needed only where no variable is set.
    from urllib.request import getproxies

    # macOS and Windows have proxies in their settings.
    system = getproxies() if environment is os.environ else {}
    return say("the system's setting"), system.get("https") or system.get("all") or ""


_NO_PROXY_ADDRESS = text(
    "{variable} does not name a proxy that can be used. It must look like http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before the host where the proxy asks for it. Correct it, or remove the variable."
)


def _usable_proxy(variable: str, value: str) -> str:
    address = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(address)
        usable = parts.port != 0 and bool(_HOST.fullmatch(parts.hostname or ""))
        if ":" in (parts.hostname or ""):
            ip_address(parts.hostname or "")
    except ValueError:
        raise ConfigError(say(_NO_PROXY_ADDRESS, variable=variable)) from None
    scheme = parts.scheme
    if not usable or scheme not in _SCHEMES or not value.isprintable() or parts.query or parts.fragment:
        raise ConfigError(say(_NO_PROXY_ADDRESS, variable=variable))
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigError(
            say(
                '{variable} names a SOCKS proxy, and the package for these is not installed. Run: pip install "bitrix24-bi-mcp[socks]"',
                variable=variable,
            )
        )
    return f"{scheme}://{parts.netloc}"


def _means(entry: str, host: str, port: int) -> bool:
    """Check whether an entry of NO_PROXY covers a host; an entry that cannot be read covers none."""
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2].rstrip("/")
    found = _ENTRY.fullmatch(entry)
    name = found["host"].strip("[]") if found else entry
    if found and found["port"] and int(found["port"]) != port:
        return False
    try:
        ip = ip_address(host)
    except ValueError:
        domain = name.removeprefix("*").strip(".")
        return bool(domain) and (host.rstrip(".") == domain or host.rstrip(".").endswith(f".{domain}"))
    try:
        return ip in ip_network(name, strict=False)
    except ValueError:
        return False
