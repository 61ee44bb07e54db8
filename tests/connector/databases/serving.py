"""Database servers of the system, each in a folder of its own, on a free port, as a user without privileges."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from bi_mcp.base.secret import Secret
from tests.conftest import find_program

LIMIT_S = 60
USER = "bi"
# What an address must write in another way, and what a shell would not leave alone.
PASSWORD = "p@ss/w:rd%41$"


class DatabaseServer(ABC):
    """A running server. Databases that are made in it are found by their address."""

    dialect: ClassVar[str]

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"bi-mcp-{self.dialect}-"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # Both servers refuse to run as root.
            self._as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self._folder, "nobody", "nogroup")
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._install()
        self.start()

    def address(self, database: str) -> Secret:
        login = f"{USER}:{quote(PASSWORD, safe='')}"
        return Secret(f"{self.dialect}://{login}@127.0.0.1:{self.port}/{quote(database)}")

    def new_database(self, *statements: str) -> str:
        """Make a database with a name of its own, and run statements in it."""
        name = f"db_{secrets.token_hex(4)}"
        self.execute("", f"CREATE DATABASE {name}")
        self.execute(name, *statements)
        return name

    def start(self) -> None:
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603  a program of the system
                self._command(), cwd=self._folder, stdout=log, stderr=log, **self._as_user
            )
        for _ in range(LIMIT_S * 20):
            with suppress(Exception):
                self.execute("", "SELECT 1")
                return
            if self._process.poll() is not None:
                break
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        self.kill()
        raise AssertionError((self._folder / "log").read_text(errors="replace"))

    def kill(self) -> None:
        """End the server as a crash does. `start` brings it back with all that was committed."""
        if self._process is not None:
            self._process.send_signal(self._killing_signal)
            self._process.wait(LIMIT_S)
            self._process = None

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Do without the server for a while."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @abstractmethod
    def execute(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements outside of the connector; the rows of the last one."""

    _killing_signal: ClassVar[signal.Signals]

    @abstractmethod
    def _install(self) -> None: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    def _run(self, *command: str) -> None:
        finished = subprocess.run(  # noqa: S603  a program of the system
            command, cwd=self._folder, capture_output=True, timeout=LIMIT_S, check=False, **self._as_user
        )
        assert finished.returncode == 0, finished.stderr.decode(errors="replace")


class PostgresqlServer(DatabaseServer):
    dialect = "postgresql"
    # Immediate shutdown: no client is waited for, nothing is written, and the workers end too.
    _killing_signal = signal.SIGQUIT

    def execute(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname=database or "postgres",
            autocommit=True,
            connect_timeout=LIMIT_S,
        ) as connection:
            cursor = None
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor and cursor.description else []

    def _install(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        self._run(
            find_program("initdb") or "initdb",
            f"--pgdata={self._folder / 'data'}",
            f"--username={USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "100",
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        return [find_program("postgres") or "postgres", "-D", str(self._folder / "data"), *options]


class MariadbServer(DatabaseServer):
    dialect = "mariadb"
    _killing_signal = signal.SIGKILL

    def execute(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        import pymysql

        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            database=database or None,
            autocommit=True,
            charset="utf8mb4",
        )
        with closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def _install(self) -> None:
        self._run(
            find_program("mariadb-install-db") or "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self._folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        (self._folder / "users.sql").write_text(
            f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
        )

    def _command(self) -> list[str]:
        settings = {
            "datadir": str(self._folder / "data"),
            "bind-address": "127.0.0.1",
            "port": str(self.port),
            "socket": str(self._folder / "socket"),
            "pid-file": str(self._folder / "pid"),
            "init-file": str(self._folder / "users.sql"),
            "innodb-flush-log-at-trx-commit": "0",
            "innodb-buffer-pool-size": "32M",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [find_program("mariadbd") or "mariadbd", "--no-defaults", "--skip-name-resolve", *options]


SERVERS: dict[str, type[DatabaseServer]] = {"postgres": PostgresqlServer, "mariadbd": MariadbServer}


@contextmanager
def serving(program: str) -> Iterator[DatabaseServer]:
    """Run a server."""
    server = SERVERS[program]()
    try:
        yield server
    finally:
        server.remove()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
