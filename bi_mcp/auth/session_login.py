"""The login that a session renews: a profile's, or that of a person who signed in to the server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.auth.profiles import Profile
    from bi_mcp.auth.token import Application, Token
    from bi_mcp.rest.credential import AccessToken


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login as its session knows it. `name` is its name in the store; `missing` makes the error where there is none.

    `moved` is called with the new address of a portal that was renamed, `identified` with the member_id of a portal that has
    none here yet. Both may wait for the disk.
    """

    name: str
    missing: Callable[[], AuthorisationError]
    member_id: str = ""
    moved: Callable[[str], object] = lambda _portal_url: None
    identified: Callable[[str], object] = lambda _member_id: None


@dataclass(frozen=True, kw_only=True)
class PersonalLogin(Login):
    """The login of a person: the token of another user or portal is not used. A new address of the portal is kept with the login.

    `application` brings what the login was made with up to date. `whose` asks the portal for the user for whom a token acts: an
    answer of the OAuth server need not name one, or may be wrong. `ended` is called once the login is worth nothing any more.
    """

    user_id: int
    application: Callable[[Application], Application]
    whose: Callable[[AccessToken], Awaitable[int]]
    ended: Callable[[], Awaitable[object]]

    async def confirm(self, token: AccessToken) -> None:
        """Ask the portal whose a token is. Raises `AuthorisationError` `OTHER_USER`, and the errors of the question."""
        if await self.whose(token) != self.user_id:
            raise _other_user()

    def check(self, token: Token, before: Token | None = None) -> None:
        """Raise `AuthorisationError` `OTHER_USER` or `OTHER_PORTAL` for a token that is not this person's."""
        if token.user_id not in {self.user_id, None}:
            raise _other_user()
        known = "" if before is None else before.member_id
        if known and token.member_id not in {known, ""}:
            raise AuthorisationError(
                say(
                    "The OAuth server answered with the login of another portal. It was not used, and nothing was sent."
                ),
                advise(AdviceKind.CONNECT_AGAIN),
                code="OTHER_PORTAL",
            )


def _other_user() -> AuthorisationError:
    return AuthorisationError(
        say("The portal answered with the login of another user. It was not used, and nothing was sent."),
        advise(AdviceKind.CONNECT_AGAIN),
        code="OTHER_USER",
    )


def login_of_profile(
    profile: Profile,
    *,
    moved: Callable[[str], object] = lambda _portal_url: None,
    identified: Callable[[str], object] = lambda _member_id: None,
) -> Login:
    """Return the login of a profile. The callbacks are those of `Login`."""
    return Login(
        name=profile.name,
        missing=partial(not_logged_in, profile),
        member_id=profile.member_id,
        moved=moved,
        identified=identified,
    )


def not_logged_in(profile: Profile) -> AuthorisationError:
    """Make the error of a profile without a login."""
    return AuthorisationError(
        say("Profile {name!r} is not logged in.", name=profile.name),
        profile.advise_login(),
        code="NOT_LOGGED_IN",
    )
