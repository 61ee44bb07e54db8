"""OAuth 2.0 of the practice portal: applications, authorisation codes and tokens."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bi_mcp.practice.portal.answers import SystemFault
from bi_mcp.practice.portal.database import Database
from bi_mcp.practice.portal.identity import SCOPE, Caller

# Secrets and tokens are stored in plain text. That suits an imitation whose whole content is made up, and nothing else:
# anyone who may read the file may also call the portal.
SCHEMA = """
CREATE TABLE IF NOT EXISTS oauth_portal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    member_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth_applications (
    client_id TEXT PRIMARY KEY,
    client_secret TEXT NOT NULL,
    title TEXT NOT NULL,
    handler TEXT NOT NULL,
    scope TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth_codes (
    code TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES oauth_applications (client_id),
    user_id INTEGER NOT NULL,
    expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth_tokens (
    access_token TEXT PRIMARY KEY,
    refresh_token TEXT UNIQUE,
    client_id TEXT NOT NULL REFERENCES oauth_applications (client_id),
    user_id INTEGER NOT NULL,
    expires REAL NOT NULL,
    refresh_expires REAL NOT NULL
)
"""

_INVALID_CLIENT = (400, "invalid_client", "The client is unknown or its secret is wrong")
_INVALID_GRANT = (400, "invalid_grant", "The grant is unknown, used, expired or another client's")
_INVALID_SCOPE = (403, "invalid_scope", "The application was not granted this scope")
_PAYMENT_REQUIRED = (401, "PAYMENT_REQUIRED", "Payment required")


@dataclass(frozen=True)
class Lifetimes:
    """Lifetimes of issued codes and tokens, in seconds."""

    code: float = 30
    access: float = 3600
    refresh: float = 180 * 24 * 3600


@dataclass(frozen=True)
class RegisteredApplication:
    """A local application as its card in the portal shows it. `handler` is the browser's return address."""

    client_id: str
    client_secret: str = field(repr=False)
    title: str
    handler: str
    scope: str


class IssuedTokenStore:
    """Applications and the codes and tokens issued to them. Safe with several servers on one database.

    `payment_required` makes every exchange fail as on a portal whose plan has run out.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float], lifetimes: Lifetimes | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self.lifetimes = lifetimes or Lifetimes()
        self.payment_required = False
        database.create(SCHEMA)
        with database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO oauth_portal VALUES (1, ?)", (secrets.token_hex(16),))
            self.member_id = str(connection.execute("SELECT member_id FROM oauth_portal").fetchone()[0])

    def register(
        self,
        title: str,
        handler: str,
        *,
        scope: str = SCOPE,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> RegisteredApplication:
        """Register a local application, or change the card of the one that `client_id` names."""
        application = RegisteredApplication(
            client_id=client_id or f"local.{secrets.token_hex(7)}.{secrets.randbelow(10**8):08}",
            client_secret=client_secret or secrets.token_hex(25),
            title=title,
            handler=handler,
            scope=scope,
        )
        row = (application.client_id, application.client_secret, title, handler, scope)
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO oauth_applications VALUES (?, ?, ?, ?, ?) ON CONFLICT (client_id) DO UPDATE SET"
                " client_secret = excluded.client_secret, title = excluded.title,"
                " handler = excluded.handler, scope = excluded.scope",
                row,
            )
        return application

    def applications(self) -> list[RegisteredApplication]:
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM oauth_applications ORDER BY title, client_id")
            return [RegisteredApplication(**row) for row in rows]

    def application(self, client_id: str) -> RegisteredApplication | None:
        with self._database.transaction() as connection:
            return _application(connection, client_id)

    def authorise(self, application: RegisteredApplication, user_id: int) -> str:
        """Return a new authorisation code for a user who agreed."""
        code = secrets.token_hex(35)
        expires = self._clock() + self.lifetimes.code
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM oauth_codes WHERE expires <= ?", (self._clock(),))
            connection.execute(
                "INSERT INTO oauth_codes VALUES (?, ?, ?, ?)", (code, application.client_id, user_id, expires)
            )
        return code

    def issue(self, application: RegisteredApplication, user_id: int) -> dict[str, object]:
        """Issue tokens without a login, as an installation does; the result is like that of `exchange`."""
        with self._database.transaction() as connection:
            return self._issue(connection, application, user_id)

    def forget_tokens(self) -> None:
        """Forget all tokens, as when the application is removed from the portal."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM oauth_tokens")

    def exchange(self, parameters: Mapping[str, str]) -> dict[str, object]:
        """Turn a code or a refresh token into tokens; `parameters` are those of `/oauth/token/`.

        Returns the answer without the addresses. Raises `SystemFault` with the codes of OAuth. Of two exchanges of
        one grant exactly one succeeds, also between processes.
        """
        take = _GRANTS.get(parameters.get("grant_type", ""))
        if take is None:
            raise SystemFault(
                400, "invalid_request", "grant_type must be authorization_code or refresh_token"
            )
        grant_name, take_grant = take
        for name in ("client_id", "client_secret", grant_name):
            if not parameters.get(name):
                raise SystemFault(400, "invalid_request", f"{name} is missing")
        with self._database.transaction() as connection:
            application = self._authenticate(connection, parameters)
            user_id = take_grant(connection, application.client_id, parameters[grant_name], self._clock())
            if user_id is None:
                raise SystemFault(*_INVALID_GRANT)
            return self._issue(connection, application, user_id)

    def caller_of(self, access_token: str) -> Caller:
        """Return the caller of an access token. Raises `SystemFault` 401 `expired_token` or `invalid_token`."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT user_id, expires, client_id, scope FROM oauth_tokens"
                " JOIN oauth_applications USING (client_id) WHERE access_token = ?",
                (access_token,),
            ).fetchone()
        if row is None:
            raise SystemFault(401, "invalid_token", "Unable to get application by token")
        if row["expires"] <= self._clock():
            raise SystemFault(401, "expired_token", "The access token provided has expired.")
        return Caller(
            row["client_id"], row["user_id"], webhook=False, scopes=frozenset(_scopes(row["scope"]))
        )

    def _authenticate(
        self, connection: sqlite3.Connection, parameters: Mapping[str, str]
    ) -> RegisteredApplication:
        application = _application(connection, parameters["client_id"])
        given = parameters["client_secret"].encode()
        if application is None or not hmac.compare_digest(application.client_secret.encode(), given):
            raise SystemFault(*_INVALID_CLIENT)
        if self.payment_required:
            raise SystemFault(*_PAYMENT_REQUIRED)
        if not _scopes(parameters.get("scope", "")) <= _scopes(application.scope):
            raise SystemFault(*_INVALID_SCOPE)
        return application

    def _issue(
        self, connection: sqlite3.Connection, application: RegisteredApplication, user_id: int
    ) -> dict[str, object]:
        now = self._clock()
        access_token, refresh_token = secrets.token_hex(35), secrets.token_hex(35)
        expires = now + self.lifetimes.access
        connection.execute("DELETE FROM oauth_tokens WHERE refresh_expires <= ?", (now,))
        connection.execute(
            "INSERT INTO oauth_tokens VALUES (?, ?, ?, ?, ?, ?)",
            (
                access_token,
                refresh_token,
                application.client_id,
                user_id,
                expires,
                now + self.lifetimes.refresh,
            ),
        )
        return {
            "access_token": access_token,
            "refresh_token": refresh_token,
            "expires": int(expires),
            "expires_in": int(self.lifetimes.access),
            "member_id": self.member_id,
            "scope": application.scope,
            "status": "L",
            "user_id": user_id,
        }


def _application(connection: sqlite3.Connection, client_id: str) -> RegisteredApplication | None:
    row = connection.execute("SELECT * FROM oauth_applications WHERE client_id = ?", (client_id,)).fetchone()
    return None if row is None else RegisteredApplication(**row)


def _take_code(connection: sqlite3.Connection, client_id: str, code: str, now: float) -> int | None:
    row = connection.execute(
        "DELETE FROM oauth_codes WHERE code = ? AND client_id = ? AND expires > ? RETURNING user_id",
        (code, client_id, now),
    ).fetchone()
    return None if row is None else int(row["user_id"])


def _take_refresh_token(
    connection: sqlite3.Connection, client_id: str, refresh_token: str, now: float
) -> int | None:
    """Use up a refresh token. The access token that came with it stays valid until it expires."""
    row = connection.execute(
        "UPDATE oauth_tokens SET refresh_token = NULL"
        " WHERE refresh_token = ? AND client_id = ? AND refresh_expires > ? RETURNING user_id",
        (refresh_token, client_id, now),
    ).fetchone()
    return None if row is None else int(row["user_id"])


_GRANTS = {
    "authorization_code": ("code", _take_code),
    "refresh_token": ("refresh_token", _take_refresh_token),
}


def _scopes(text: str) -> set[str]:
    return set(text.replace(",", " ").split())
