"""Pure: nested parameters -> a form body with bracketed names, as Bitrix24 writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import EndpointError


def encode_form(parameters: Mapping[str, object]) -> bytes:
    """`{"select": ["a"], "filter": {">=b": 5}}` -> `select[0]=a&filter[>=b]=5`, percent-encoded.

    As in PHP true is 1, false is 0, and nulls and empty arrays are left out. Secrets are revealed: this is where they leave.
    Raises EndpointError for values that cannot be written; its text does not hold them.
    """
    try:
        return urlencode(list(_pairs("", parameters))).encode()
    except (UnicodeEncodeError, RecursionError):
        # The text of the first holds the value.
        raise EndpointError(
            say(
                "The parameters cannot be written as a form: they contain half a Unicode character or are nested too deeply."
            ),
            reason="bad_request",
        ) from None


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _pairs(f"{name}[{key}]" if name else str(key), part)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _pairs(f"{name}[{number}]", part)
    elif isinstance(value, Secret):
        yield name, value.reveal()
    elif value is not None:
        yield name, str(int(value) if isinstance(value, bool) else value)
