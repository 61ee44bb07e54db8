"""Access by a login and a password, as many services have it whose connector is to be practised."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.access import Served, Setting
from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.question.query import parse_text
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.connector.source import Source


class LoginAccess:
    """Access to one source, which is opened by each request that gives the login and the password."""

    settings: Sequence[Setting] = (Setting("login", "Login"), Setting("password", "Password"))

    def __init__(
        self, open_source: Callable[[], Source], login: str, password: Secret, culture: Culture | None
    ) -> None:
        self._open_source = open_source
        self._login = login
        self._password = password
        self._culture = culture

    def identify(self, connection: Form) -> Served:
        if not connection:
            raise RefusalError(401, "The request gives no connection[login] and connection[password].")
        login, password = parse_text(connection, "login"), Secret(parse_text(connection, "password"))
        if login != self._login or password != self._password:
            raise RefusalError(401, "The login or the password is wrong.")
        return Served("sample", self._open_source(), culture=self._culture)

    def close(self) -> None:
        """Leave the source open: the process has one, whatever number of connectors serve it."""
