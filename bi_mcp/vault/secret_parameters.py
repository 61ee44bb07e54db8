"""Pure: recognition of a connector's parameters by their codes and names: those that hold a secret, and the few that may be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bi_mcp.vault.plain_values import Kind, is_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.base.secret import Secret

# In place of codes: show no value, whatever its code says.
NOTHING = "none"
# Anywhere in a code or name; Russian portals name their parameters in Russian.
_SECRET_PARTS = re.compile(
    r"passw|passphrase|passcode|pwd|token|secret|credential|(api|access|private|auth)key|парол|токен|секрет",
    re.IGNORECASE,
)
# Only as whole words: neither `monkey` and `author` nor `подключение` are secrets.
_SECRET_WORDS = frozenset(
    {"key", "keys", "pass", "pin", "auth", "pw", "private", "bearer", "jwt", "cookie", "dsn"}
    | {"ключ", "ключа", "ключи", "пин"}
)
# Word -> the kind of value that it announces. A password may hide behind any word that is not listed, in any language.
_ANNOUNCING: Mapping[str, Kind] = {
    **dict.fromkeys(["login", "user", "username", "логин", "пользователь", "пользователя"], Kind.LOGIN),
    **dict.fromkeys(["port", "порт"], Kind.PORT),
    **dict.fromkeys(["host", "hostname", "server", "servername", "сервер", "сервера", "хост"], Kind.HOST),
    **dict.fromkeys(["timezone"], Kind.ZONE),
    **dict.fromkeys(
        ["database", "db", "dbname", "schema", "source", "region", "language", "charset"], Kind.NAME
    ),
    **dict.fromkeys(["база", "базы", "бд", "схема", "схемы", "регион"], Kind.NAME),
}
# Words beside them that change nothing.
_NEUTRAL = frozenset(
    {"name", "address", "number", "of", "the", "for", "sql", "mysql", "mssql", "postgres", "postgresql"}
    | {"clickhouse", "имя", "название", "адрес", "номер", "данных", "для"}
)
# `Database user` announces a login, `server port` a port.
_MOST_TELLING_FIRST = (Kind.LOGIN, Kind.PORT, Kind.HOST, Kind.ZONE, Kind.NAME)
_OF_A_DATABASE = re.compile(r"^(?:db|database)(?=.)")
_CAMEL = re.compile(r"(?<=[^\W\d_A-ZА-Я])(?=[A-ZА-Я])|(?<=[A-ZА-Я])(?=[A-ZА-Я][^\W\d_A-ZА-Я])")


def looks_secret(*names: str) -> bool:
    """Check whether a parameter's code or name suggests a secret."""
    words = [word for name in names for word in _words(name)]
    return any(_SECRET_PARTS.search(name) for name in names) or not _SECRET_WORDS.isdisjoint(words)


def is_harmless(*names: str) -> bool:
    """Check whether a parameter's code and name allow its value to be shown: each word of both is known to be harmless."""
    return bool(_announced(names))


def is_shown(code: str, name: str, shown: frozenset[str]) -> bool:
    """Check whether values of a parameter may be seen: the user named its code in `shown`, or it is harmless and `shown` is not `none`."""
    return code in shown or (NOTHING not in shown and is_harmless(code, name))


def may_show(code: str, name: str, value: Secret, shown: frozenset[str]) -> bool:
    """Check whether a value may be seen, written into a file and carried to another portal, if it is not a known secret.

    The user named its code in `shown`; or its code and name are harmless and it has the form of what they announce. Where the
    portal does not tell the name, the code alone proves nothing.
    """
    if code in shown:
        return True
    if NOTHING in shown or not name.strip() or not value:
        return False
    kinds = _announced((code, name))
    return bool(kinds) and all(is_plain(value, kind) for kind in kinds)


def _announced(names: tuple[str, ...]) -> frozenset[Kind]:
    """The kinds that the code and the name announce. Empty if either has a word that is not known to be harmless."""
    if looks_secret(*names):
        return frozenset()
    kinds = set[Kind]()
    for name in names:
        words = [word if word in _ANNOUNCING else _OF_A_DATABASE.sub("", word) for word in _words(name)]
        if any(word not in _ANNOUNCING and word not in _NEUTRAL for word in words):
            return frozenset()
        found = {_ANNOUNCING[word] for word in words if word in _ANNOUNCING}
        kinds.update([kind for kind in _MOST_TELLING_FIRST if kind in found][:1])
    return frozenset(kinds)


def _words(name: str) -> list[str]:
    """`"APIKey2"` -> `["api", "key"]`."""
    return re.findall(r"[^\W\d_]+", _CAMEL.sub(" ", name).lower())
