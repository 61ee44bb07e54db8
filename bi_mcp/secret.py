"""The one type for secret values: passwords, tokens, webhook secrets, and every value of a source's settings."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

MASK = "•••"
# How pages and PHP's JSON_HEX_* write what has a meaning in HTML.
_APOSTROPHES = ("&#x27;", "&#039;", "&#39;", "&apos;")
_UNICODE_IN_JSON = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'"}
_LOGIN = re.compile(r"(?<=://)[^/?#\s]*(?=@)")


class Secret:
    """A string that shows itself only to `reveal()`.

    Printing, formatting and logging give a mask of constant length; copying, pickling and JSON fail.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the value itself; call it only where the value leaves for its one destination."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Half a Unicode character would be an exception that holds the value.
        ours, theirs = (value.encode(errors="surrogatepass") for value in (self.__value, other.__value))
        return hmac.compare_digest(ours, theirs)

    # Equal secrets must not be told apart, or grouped, by a hash that someone prints.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither copied nor pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Imported here: the type is used without pydantic too, and pydantic_core is slow to load.
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._parse,
            # Python dumps keep the Secret itself, for the transport to reveal; JSON dumps show the mask.
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK, when_used="json"),
        )

    @classmethod
    def _parse(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if value is None:
            return cls("")
        # Portals answer numbers for INT parameters; inside the connection everything is text.
        return cls(value if isinstance(value, str) else str(value))


def secrets_in(value: object) -> Iterator[Secret]:
    """Find the secrets in nested maps and arrays."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from secrets_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from secrets_in(part)


def hide_logins(text: str) -> str:
    """Mask what stands before the host of an address. bi-mcp lets nobody write a login there, but others may have."""
    return _LOGIN.sub(MASK, text)


def redact(text: str, secrets: Iterable[Secret], *, cut: bool = True) -> str:
    """Mask the given secrets in a text that comes from outside. One- and two-letter values would only garble it.

    `cut`: the text may end in the middle of a secret. Say so only where it was cut: whoever can choose the end of a text that
    was not would learn from the mask how a secret begins. Never mask what the caller wrote.
    """
    forms = {form for secret in secrets for form in _forms(secret.reveal()) if len(form) > 2}
    longest_first = sorted(forms, key=len, reverse=True)
    for form in longest_first:
        if len(form) <= len(text):
            text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    if cut:
        for form in longest_first:
            text = _mask_cut_end(text, form)
    return text


def _forms(value: str) -> set[str]:
    """How a value looks line by line, trimmed, in JSON, in an address and in a page. Upper and lower case do not count."""
    # Imported here: needed only when a portal refuses something.
    import html
    import json
    from urllib.parse import quote, quote_plus

    forms = set[str]()
    for part in {value, value.strip(), *value.splitlines(), *map(str.strip, value.splitlines())}:
        page = html.escape(part, quote=False)
        forms |= {
            part,
            quote(part, errors="replace"),
            quote(part, safe="", errors="replace"),
            quote_plus(part, errors="replace"),
            page,
            page.replace('"', "&quot;"),
            *(page.replace('"', "&quot;").replace("'", mark) for mark in _APOSTROPHES),
        }
        for text in (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
            careful = text.translate(_UNICODE_IN_JSON)
            forms |= {text, text.replace("/", "\\/"), careful, careful.replace("/", "\\/")}
    return forms


def _mask_cut_end(text: str, form: str) -> str:
    """A long text may have been cut in the middle of a secret."""
    for length in range(min(len(form), len(text)), 2, -1):
        if text[-length:].lower() == form[:length].lower():
            return text[:-length] + MASK
    return text
