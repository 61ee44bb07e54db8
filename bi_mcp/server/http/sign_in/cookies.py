"""The cookies of this server's pages."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_MARK = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, kw_only=True)
class Cookie:
    """A cookie that only this server reads. `secure`: the browser reaches it over https.

    With https the name begins with `__Host-`: browsers then take it from this very host only, so that no neighbour can plant one.
    """

    name: str
    lifetime_s: int
    secure: bool

    @property
    def full_name(self) -> str:
        """The name that is sent."""
        return f"__Host-{self.name}" if self.secure else self.name

    def read(self, request: Request) -> str | None:
        """Return the value, None where it is missing or not one of ours."""
        value = request.cookies.get(self.full_name, "")
        return value if _MARK.fullmatch(value) else None

    def set(self, response: Response, value: str) -> None:
        """Let the browser keep a value."""
        response.set_cookie(
            self.full_name,
            value,
            max_age=self.lifetime_s,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response) -> None:
        """Let the browser forget the value."""
        response.delete_cookie(self.full_name, path="/", secure=self.secure, httponly=True, samesite="lax")


def new_mark() -> str:
    """Make a value that nobody can guess."""
    return secrets.token_urlsafe(32)
