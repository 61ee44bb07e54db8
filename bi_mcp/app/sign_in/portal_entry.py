"""The entry through the portal: the code that it gave becomes a person, who is checked before they may come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.auth.login import Returned
    from bi_mcp.auth.person import Person
    from bi_mcp.auth.token import Grant


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A person who came in, and their login of the portal."""

    person: Person
    grant: Grant


async def enter(portal: SignInPortal, returned: Returned) -> Entered:
    """Exchange the code, ask the portal who that is, and check that they may come in.

    Raises `AuthorisationError`: `OTHER_PORTAL` where the token is of another portal, `OTHER_USER` where the portal's
    answers disagree about whose it is, `NOT_ALLOWED` where the operator lets only others in.
    """
    raise NotImplementedError
