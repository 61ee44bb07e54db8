"""Parametrised sources: a request carries host, port, database, login and password, as the settings of a source give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from urllib.parse import quote, urlencode

from bi_mcp.base.ip_addresses import IPAddress
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.access import Served, Setting
from bi_mcp.connector.access.allowed_hosts import AllowedHosts
from bi_mcp.connector.access.attempts import MOST_AT_SERVER, Attempts
from bi_mcp.connector.access.keys import AccessKey, find_keys, hash_key
from bi_mcp.connector.access.opened import OpenedSources
from bi_mcp.connector.opening import open_source
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.query import parse_text
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import Source
from bi_mcp.errors import ConfigError

_PORT = re.compile(r"[0-9]{1,5}")
# No address of a database can hold them, however it is written.
_NEVER_IN_A_NAME = re.compile(r"[\x00-\x1f?#@]")
# No file can be below a device, on any system.
_NO_FILE = "/dev/null/none"


@dataclass(frozen=True)
class DatabaseKind:
    """A kind of databases that are reached over a network: its port, and the parameter that takes the IP address.

    Where there is such a parameter the name of the host stays in the address, and a certificate can be compared with it.
    `parameters` keep the driver from logging in with what this machine holds.
    """

    port: int
    ip_parameter: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


# Not SQLite, nor any other that opens files of this machine; nor ClickHouse and Trino, whose servers send a driver on to
# any address that they like.
KINDS: Mapping[str, DatabaseKind] = {
    "postgresql": DatabaseKind(
        5432,
        "hostaddr",
        # What is not said here libpq takes from variables, from a service's file, or from the home of its user.
        {
            "passfile": _NO_FILE,
            "sslcert": _NO_FILE,
            "sslkey": _NO_FILE,
            "gssencmode": "disable",
            # For a service that no Kerberos knows there is no ticket.
            "krbsrvname": "none",
        },
    ),
    "mysql": DatabaseKind(3306),
    "mariadb": DatabaseKind(3306),
    "mssql": DatabaseKind(1433),
    "oracle": DatabaseKind(1521),
}


@dataclass(frozen=True)
class _Login:
    host: str
    port: int
    database: str
    login: str


class ParametrisedAccess:
    """Access to databases of one kind on allowed hosts. With keys, a request needs one of them as well."""

    def __init__(
        self,
        kind: str,
        hosts: AllowedHosts,
        *,
        keys: Sequence[AccessKey] = (),
        options: SourceOptions | None = None,
        rows: int | None = None,
        open_source: Callable[[Secret, SourceOptions], Source] = open_source,
    ) -> None:
        if kind not in KINDS:
            raise ConfigError(
                say(
                    "--parametrised {kind!r} is not a kind of database that the settings of sources may name. Choose one of {known}.",
                    kind=kind[:40],
                    known=", ".join(KINDS),
                )
            )
        self._kind = kind
        self._hosts = hosts
        self._keys = tuple(keys)
        self._options = options or SourceOptions()
        self._rows = rows
        self._open_source = open_source
        self._opened = OpenedSources()
        self._attempts = Attempts()
        self._attempts_at_server = Attempts(MOST_AT_SERVER)
        # A driver that is missing is noticed when the connector starts.
        open_source(Secret(f"{kind}://127.0.0.1/none"), self._options).close()

    @property
    def settings(self) -> Sequence[Setting]:
        key = (Setting("key", "Access key"),) if self._keys else ()
        return (
            Setting("host", "Host"),
            Setting("port", "Port"),
            Setting("database", "Database"),
            Setting("login", "Login"),
            Setting("password", "Password"),
            *key,
        )

    def identify(self, connection: Form) -> Served:
        """Find the database, or connect to it. Raises RefusalError; SourceError if the database refuses."""
        key = Secret(parse_text(connection, "key").strip())
        if self._keys and not find_keys(self._keys, key):
            raise RefusalError(401, "The key is wrong or missing.")
        login, password = self._parse_login(connection), self._parse_password(connection)
        name, ip = self._hosts.find_address(login.host, login.port)
        login = replace(login, host=name)
        opened_with = (login, ip, hash_key(password))
        source = self._opened.find(opened_with)
        if source is None:
            source = self._opened.add(opened_with, self._open(login, ip, password))
        return Served(
            self._kind,
            source,
            self._options.culture,
            self._rows,
            self._options.connections,
            place=name,
            release=lambda: self._opened.release(opened_with),
        )

    def close(self) -> None:
        self._opened.close()

    def _parse_login(self, connection: Form) -> _Login:
        given = {name: parse_text(connection, name).strip() for name in ("host", "port", "database", "login")}
        for name in ("host", "database", "login"):
            if not given[name]:
                raise RefusalError(401, f"The request gives no connection[{name}].")
        if _NEVER_IN_A_NAME.search(given["database"]):
            raise RefusalError(400, "The setting database is not the name of a database.")
        port = given["port"] or str(KINDS[self._kind].port)
        if not (_PORT.fullmatch(port) and 0 < int(port) < 65536):
            raise RefusalError(400, "The setting port is not a number of a port.")
        return _Login(given["host"], int(port), given["database"], given["login"])

    def _parse_password(self, connection: Form) -> Secret:
        password = parse_text(connection, "password")
        if not password:
            # Drivers look for one on this machine then: the operator's own.
            raise RefusalError(401, "The request gives no connection[password].")
        return Secret(password)

    def _open(self, login: _Login, ip: IPAddress, password: Secret) -> Source:
        # Neither another database nor another name of the host makes it another login.
        server = (ip, login.port)
        attempt = (server, login.login)
        self._attempts.check(attempt)
        self._attempts_at_server.check(server)
        address = self._write_address(login, ip, password)
        try:
            source = self._open_source(address, self._options)
        except ConfigError:
            raise RefusalError(400, "The settings are not those of a database.") from None
        try:
            source.check()
        except SourceError:
            self._attempts.note_failure(attempt)
            self._attempts_at_server.note_failure(server)
            source.close()
            raise
        return source

    def _write_address(self, login: _Login, ip: IPAddress, password: Secret) -> Secret:
        kind = KINDS[self._kind]
        parameter = kind.ip_parameter
        literal = f"[{ip}]" if isinstance(ip, IPv6Address) else str(ip)
        host = login.host if parameter and ":" not in login.host else literal
        parameters = {**({parameter: str(ip)} if parameter else {}), **kind.parameters}
        query = f"?{urlencode(parameters, safe=':/')}" if parameters else ""
        user = f"{quote(login.login, safe='')}:{quote(password.reveal(), safe='')}"
        return Secret(f"{self._kind}://{user}@{host}:{login.port}/{quote(login.database, safe='/')}{query}")
