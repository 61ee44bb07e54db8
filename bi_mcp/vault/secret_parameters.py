"""Pure: recognition of a connector's parameters that hold a secret, by their codes and names."""

from __future__ import annotations

import re

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
    r"(db_?|database_?|server_?)?(host(name)?|port|login|user(_?name)?|database|db|dbname|schema|source|region|language|timezone|charset)"
    r"|сервер|хост|порт|логин|пользователь|база|схема|регион",
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
