"""Pure: the forms of values that may be seen. What has another form is treated as a secret, whatever its parameter is called."""

from __future__ import annotations

import re
from enum import Enum, auto
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bi_mcp.base.secret import Secret


class Kind(Enum):
    """What a harmless parameter holds."""

    HOST = auto()
    PORT = auto()
    LOGIN = auto()
    # A database, a schema, a region, a language.
    NAME = auto()
    ZONE = auto()


_HIGHEST_PORT = 65535
_LONGEST_HOST = 253
_LONGEST_LOGIN = 32
_LONGEST_NAME = 63
# More words than these in a login or in a host without a dot are rather a passphrase or a key in groups.
_MOST_WORDS = 3
# Beginnings by which services mark their keys.
_TOKEN = re.compile(
    r"[srp]k[-_]|xox[a-z]-|xapp-|gh[a-z]_|github_|gl(pat|rt|dt|sa)[-_]|hf_|npm_|pypi-|dop_|shp(at|ss|ca|pa)_|whsec_|lin_api|key-|figd_"
    r"|dapi\d|dckr_|sbp_|pat-[a-z]+\d|nrak-|bot\d|eyJ|A[KS]IA[A-Z0-9]{8}|AIza|EAA[A-Z]|GOCSPX|ATATT|SG\.|ya29|y[0-9]_|t1\.9|AQVN|AQAA|AgAA",
)
_SECRET_WORD = re.compile(
    r"pass|pwd|secret|token|credential|bearer|api_?key|парол|секрет|токен|ключ", re.IGNORECASE
)
# Letters with digits among them, or letters without an end.
_MIXED_RUN = re.compile(r"(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]{16,}")
_LONG_RUN = re.compile(r"[^\W_]{16,}")
_GROUPS = re.compile(r"[^\W_]{4}(?:[-_.][^\W_]{4}){3,}")
_DIGITS_INSIDE = re.compile(r"(?<=[^\W\d_])\d+(?=[^\W\d_])")

_LABEL = r"[^\W_](?:[^\W_]|-(?=[^\W_-]))*"
_DOTTED = re.compile(rf"(?:{_LABEL}\.)+[^\W\d_]{{2,}}\.?")
_SINGLE = re.compile(r"[^\W\d_]\w*(?:-\w+)*")
_PORTED = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@]+)(?::(\d{1,5}))?")
_ADDRESS = re.compile(r"https?://([^/]+)((?:/[^/]*)*)")
# A word, with a number behind it at most: what has letters and digits in another order may open something.
_STEP = re.compile(r"[A-Z]?[a-z]{1,15}(?:[-_.][a-z]{1,15}){0,2}\d{0,2}|v\d{1,2}|1c")
# Addresses that are a key as a whole.
_HOOK = re.compile(r"hook|/rest/\d|/bot", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?:[A-Z][A-Z-]{0,14}\\)?\w[\w.-]*")
_MAIL = re.compile(rf"([\w.+-]+)@((?:{_LABEL}\.)+[^\W\d_]{{2,}})")
_IDENTIFIER = re.compile(r"[^\W\d]\w*(?:[-.]\w+){0,2}")
_TIME_ZONE = re.compile(
    r"(?:Europe|Asia|America|Africa|Australia|Atlantic|Pacific|Indian|Antarctica|Arctic)(?:/[A-Z][a-z]+(?:_[A-Z][a-z]+){0,2}){1,2}"
    r"|(?:UTC|GMT)(?:[+-]\d{1,2}(?::\d\d)?)?"
)


def is_plain(value: Secret, kind: Kind) -> bool:
    """Check whether a value has the form of its kind: `db.example:5432`, `5432`, `ann`, `sales`. Nothing else may be seen."""
    text = value.reveal()
    return _FORMS[kind](text) and not _TOKEN.match(text) and not _SECRET_WORD.search(text)


def _is_host(text: str) -> bool:
    """A host, with a port or not, or an address that has a short path and nothing else."""
    address = _ADDRESS.fullmatch(text)
    if address is None:
        return _is_host_with_port(text) or _is_ip(text)
    steps = [step for step in address[2].split("/") if step]
    return (
        not _HOOK.search(text)
        and _is_host_with_port(address[1])
        and all(_STEP.fullmatch(step) and not _TOKEN.match(step) for step in steps)
    )


def _is_host_with_port(text: str) -> bool:
    ported = _PORTED.fullmatch(text)
    if ported is None or len(text) > _LONGEST_HOST or (ported[2] and not _is_port(ported[2])):
        return False
    host = ported[1]
    if _is_ip(host.strip("[]")):
        return True
    if _DOTTED.fullmatch(host):
        return not _MIXED_RUN.search(host) and not any(map(_is_shuffled, host.split(".")))
    return _is_single(host)


def _is_single(host: str) -> bool:
    """A host without a dot could be a word that opens something."""
    return (
        _SINGLE.fullmatch(host) is not None
        and len(host) <= _LONGEST_NAME
        and not _is_opaque(host, _MOST_WORDS)
    )


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and int(text) <= _HIGHEST_PORT


def _is_login(text: str) -> bool:
    """An account, with a domain of Windows or not, or an address of e-mail."""
    mail = _MAIL.fullmatch(text)
    if mail:
        return (
            len(text) <= _LONGEST_NAME
            and not _is_opaque(mail[1], _MOST_WORDS)
            and _is_host_with_port(mail[2])
        )
    return (
        _ACCOUNT.fullmatch(text) is not None
        and len(text) <= _LONGEST_LOGIN
        and not _is_opaque(text.rpartition("\\")[2], _MOST_WORDS)
    )


def _is_name(text: str) -> bool:
    return (
        _IDENTIFIER.fullmatch(text) is not None
        and len(text) <= _LONGEST_NAME
        and not _is_opaque(text, _LONGEST_NAME)
    )


def _is_zone(text: str) -> bool:
    return _TIME_ZONE.fullmatch(text) is not None


def _is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text)) and "%" not in text
    except ValueError:
        return False


def _is_opaque(text: str, most_words: int) -> bool:
    """Check for what nobody says aloud: long runs, groups of four, many words, letters and digits in turns."""
    words = re.split(r"[-_.+]", text)
    return (
        len(words) > most_words
        or bool(_LONG_RUN.search(text))
        or bool(_GROUPS.fullmatch(text))
        or sum(len(_DIGITS_INSIDE.findall(word)) for word in words) > 1
        or any(map(_is_shuffled, words))
    )


def _is_shuffled(word: str) -> bool:
    """`xZ2pL9`: small and capital letters in turns, with digits."""
    turned = re.search(r"[^\W\d_][A-ZА-ЯЁ]", word) and re.search(r"[a-zа-яё]", word)
    return bool(turned) and any(sign.isdigit() for sign in word)


_FORMS: Mapping[Kind, Callable[[str], bool]] = {
    Kind.HOST: _is_host,
    Kind.PORT: _is_port,
    Kind.LOGIN: _is_login,
    Kind.NAME: _is_name,
    Kind.ZONE: _is_zone,
}
