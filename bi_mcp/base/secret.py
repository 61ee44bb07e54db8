"""The one type for secret values: passwords, tokens, webhook secrets, and every value of a source's settings."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NoReturn

from bi_mcp.base.spelling import SHORTEST, find_spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

MASK = "•••"
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

    # Secrets must not be distinguished, or grouped, by a hash that someone prints.
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
    """Mask the login before the host of an address. bi-mcp refuses such addresses, but others may have stored them."""
    return _LOGIN.sub(MASK, text)


def redact(text: str, secrets: Iterable[Secret], *, cut: bool = True) -> str:
    """Mask the given secrets in a text that comes from outside. One- and two-letter values would only garble it.

    `cut`: the text may end in the middle of a secret. Set it only if the text was cut: otherwise an author who chooses the
    end of a text would learn from the mask how a secret begins. Never mask text that the caller wrote.
    """
    values = {form for secret in secrets for form in _forms(secret.reveal())}
    found = sorted(find_spelled(text, values, cut=cut))
    parts, end = list[str](), 0
    for begins, ends in found:
        if begins >= end:
            parts += [text[end:begins], MASK]
        end = max(end, ends)
    return "".join([*parts, text[end:]])


def _forms(value: str) -> set[str]:
    """Return the forms of a value: as a whole and line by line, trimmed, and encoded as a whole."""
    lines = {value, *value.splitlines()}
    parts = {part for line in lines for part in (line, line.strip()) if len(part) >= SHORTEST}
    return {form for part in parts for form in (part, *_encode(part.encode(errors="surrogatepass")))}


def _encode(value: bytes) -> Iterator[str]:
    yield value.hex()
    for alphabet in (b"+/", b"-_"):
        padded = b64encode(value, alphabet).decode()
        yield padded
        # Others may leave the padding out.
        yield padded.rstrip("=")
