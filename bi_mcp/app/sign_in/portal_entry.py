"""The entry through the portal: the code that it gave becomes a person, who is checked before they may come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bi_mcp.auth.person import Person
from bi_mcp.auth.portal_identity import portal_address
from bi_mcp.auth.token import Application, Grant
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import AccessDeniedError, AuthorisationError, MethodMissingError
from bi_mcp.rest.credential import AccessToken

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.portals import SignInPortal
    from bi_mcp.auth.login import Returned
    from bi_mcp.auth.token import Token
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models.portal import PortalUser

# A name comes from outside and is shown on pages, in logs and in a terminal.
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A person who came in, and their login of the portal."""

    person: Person
    grant: Grant


async def enter(portal: SignInPortal, returned: Returned) -> Entered:
    """Exchange the code, ask the portal who that is, and check that they may come in.

    Raises `AuthorisationError`: `OTHER_PORTAL` where the token is of another portal, `OTHER_USER` where the portal's
    answers disagree about whose it is, `NOT_ALLOWED` where the operator lets only others in, `SCOPE_MISSING` where the
    application may not see departments.
    """
    # Imported here: httpx is not needed until somebody signs in.
    from bi_mcp.auth.client import OAuthClient
    from bi_mcp.rest.client import BIConnector

    application = Application(portal.client_id, portal.client_secret, returned.oauth_server)
    client = OAuthClient(login=advise(AdviceKind.CONNECT_AGAIN))
    token = await client.exchange(application, returned.code)
    _check_portal(portal, token)
    async with BIConnector(portal.url, AccessToken(token.access_token)) as bi:
        user = await bi.portal.user()
        _check_user(portal, user.id, token.user_id)
        await _check_allowed(portal, user.id, bi)
    person = Person(portal=portal.url, user_id=user.id, name=_name_of(user), administrator=user.admin)
    return Entered(person=person, grant=Grant(application, replace(token, user_id=user.id)))


def _check_portal(portal: SignInPortal, token: Token) -> None:
    """The `domain` of an answer is the OAuth server's; only `client_endpoint` names the portal."""
    if token.client_endpoint and portal_address(token.client_endpoint) == portal_address(portal.url):
        return
    raise AuthorisationError(
        say(
            "The login that came back is not one of {host}. It was not used. If the portal was renamed, whoever runs this server must enter its new address.",
            host=portal.host,
        ),
        advise(AdviceKind.CONNECT_AGAIN),
        code="OTHER_PORTAL",
    )


def _check_user(portal: SignInPortal, user_id: int, *said: int | None) -> None:
    # An answer of the OAuth server need not name the user: the vendor's own example does not.
    if {user_id, *said} <= {user_id, None} and user_id > 0:
        return
    raise AuthorisationError(
        say(
            "{host} gave different answers about whose login this is. It was not used.",
            host=portal.host,
        ),
        advise(AdviceKind.CONNECT_AGAIN),
        code="OTHER_USER",
    )


async def _check_allowed(portal: SignInPortal, user_id: int, bi: BIConnector) -> None:
    if user_id in portal.users or not (portal.users or portal.departments):
        return
    if portal.departments and await _is_in_departments(portal, user_id, bi):
        return
    raise AuthorisationError(
        say(
            "Your account at {host} (user {user_id}) may not use this server. Ask whoever runs it to let you in.",
            host=portal.host,
            user_id=user_id,
        ),
        code="NOT_ALLOWED",
    )


async def _is_in_departments(portal: SignInPortal, user_id: int, bi: BIConnector) -> bool:
    try:
        colleague = await bi.portal.colleague()
    except (AccessDeniedError, MethodMissingError):
        raise AuthorisationError(
            say(
                "This server lets in departments of {host}, and its application there may not see them. Ask whoever runs the server to add the scope 'user_brief' on the application's card.",
                host=portal.host,
            ),
            code="SCOPE_MISSING",
        ) from None
    _check_user(portal, user_id, colleague.id)
    return not portal.departments.isdisjoint(colleague.departments)


def _name_of(user: PortalUser) -> str:
    name = " ".join(f"{user.name or ''} {user.last_name or ''}".split())
    return "".join(sign if sign.isprintable() else "�" for sign in name)[:_LONGEST_NAME]
