"""Pure: recognition of a connector's parameters that hold a secret, by their codes and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bi_mcp.base.secret import hide_logins

if TYPE_CHECKING:
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
# Only parameters with one of these codes or names may be shown. A password may hide behind any other code.
_HARMLESS = re.compile(
    r"(db_?|database_?|server_?)?(host(name)?|port|server(_?name)?|login|user(_?name)?|database|db|dbname|schema|source|region|language|timezone|charset)"
    r"|сервер|хост|порт|логин|пользователь|база|схема|регион",
    re.IGNORECASE,
)
# Longer than the longest name of a host.
_LONGEST_HARMLESS = 253
# A login before a host, a part of a connection string, several lines, a long run of letters with digits, a UUID.
_SECRET_VALUE = re.compile(
    r":[^@/\s]+@|(passw\w*|pwd|token|secret|key)\s*[=:]|[\r\n]|-----BEGIN"
    r"|(?=[a-z+/=]*[0-9])(?=[0-9+/=]*[a-z])[a-z0-9+/=]{16,}|[0-9a-f]{8}-[0-9a-f]{4}-",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[^\W\d_A-ZА-Я])(?=[A-ZА-Я])|(?<=[A-ZА-Я])(?=[A-ZА-Я][^\W\d_A-ZА-Я])")


def looks_secret(*names: str) -> bool:
    """Check whether a parameter's code or name suggests a secret."""
    # `"APIKey2"` has the words "api" and "key".
    words = re.findall(r"[^\W\d_]+", " ".join(_CAMEL.sub(" ", name).lower() for name in names))
    return any(_SECRET_PARTS.search(name) for name in names) or not _SECRET_WORDS.isdisjoint(words)


def is_harmless(*names: str) -> bool:
    """Check whether a parameter's code or name allows its value to be shown. A hint at a secret in either weighs more."""
    return any(_HARMLESS.fullmatch(name.strip()) for name in names) and not looks_secret(*names)


def is_shown(code: str, name: str, shown: frozenset[str]) -> bool:
    """Check whether values of a parameter may be seen: the user named its code in `shown`, or it is harmless and `shown` is not `none`."""
    return code in shown or (NOTHING not in shown and is_harmless(code, name))


def reads_like_secret(value: Secret) -> bool:
    """Check whether a value suggests a secret, whatever its parameter is called: an address with a login, a key or a token."""
    text = value.reveal()
    return len(text) > _LONGEST_HARMLESS or hide_logins(text) != text or bool(_SECRET_VALUE.search(text))
