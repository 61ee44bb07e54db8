"""A client as the authorization server and its pages see it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from mcp.shared.auth import InvalidScopeError, OAuthClientInformationFull

from bi_mcp.server.http.access import READ, SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_NAME = 60
# Letters that show nothing: the fillers of Hangul, and Braille without dots.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# No script needs more above and below one letter. A tower of them covers the lines around it.
_MOST_MARKS = 3


class Client(OAuthClientInformationFull):
    """A known client: registered here, or described by a document at the address that is its id."""

    @classmethod
    def of(cls, information: OAuthClientInformationFull) -> Self:
        """Take over what the SDK knows of a client."""
        return cls.model_validate(information.model_dump())

    @property
    def verified_host(self) -> str | None:
        """The host that vouches for the name: of the document. Anyone can register any name."""
        return urlsplit(self.client_id).netloc if self.client_id.startswith("https://") else None

    @property
    def shown_name(self) -> str:
        """The name on one line, shortened, without marks that turn text around; the id where it has none."""
        name = " ".join("".join(_visible(self.client_name or "")).split()) or self.client_id
        return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"

    @property
    def addresses(self) -> list[str]:
        """The registered redirect addresses."""
        return [str(address) for address in self.redirect_uris or []]

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        """Keep the scopes of this server; with none requested all of them.

        What a client named when it registered does not limit it: anybody may register with more. Raises `InvalidScopeError`.
        """
        if not (requested_scope or "").split():
            return list(SCOPES)
        known = [scope for scope in SCOPES if scope in (requested_scope or "").split()]
        if not known:
            raise InvalidScopeError(f"This server has the scopes {' and '.join(SCOPES)}.")
        # Nothing works without reading.
        return known if READ in known else [READ, *known]


def _visible(name: str) -> Iterator[str]:
    marks = 0
    for letter in name:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        if marks <= _MOST_MARKS:
            yield letter if letter.isprintable() and letter not in _BLANK else " "
