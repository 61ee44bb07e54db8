"""A login: the address to open, the browser's return, and the storage of the result."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from bi_mcp.auth.profiles import change_profiles
from bi_mcp.auth.store import Stored, open_store
from bi_mcp.auth.token import Grant
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.base.web_address import LOOPBACK
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from pathlib import Path

    from bi_mcp.auth.profiles import Profile, Profiles

SCOPE = "biconnector"
# The only hosts that an application's secret is ever sent to. The first one is the present name, the other an older one.
OAUTH_HOSTS = ("oauth.bitrix24.tech", "oauth.bitrix.info")
_RETURNED = ("code", "state", "server_domain")


@dataclass(frozen=True)
class Returned:
    """Data that the browser brought back: a code that lives 30 seconds, and the server that takes it."""

    code: Secret
    oauth_server: str


@dataclass(frozen=True)
class Authorisation:
    """One attempt to log in. `state` ties the answer to it, and is known only here."""

    portal_url: str
    client_id: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def address(self) -> str:
        """The page where the user agrees. It does not hold the application's secret."""
        query = urlencode({"client_id": self.client_id, "state": self.state})
        return f"{self.portal_url}/oauth/authorize/?{query}"

    def read_return(self, address: str) -> Returned:
        """Read the address that the browser ended on.

        Raises `AuthorisationError`: `NO_CODE` for another address, `WRONG_STATE` for another login's, `FOREIGN_SERVER` for
        one that would send the application's secret elsewhere.
        """
        returned = _parameters(address)
        if not returned.get("code"):
            raise AuthorisationError(
                say(
                    "This address has no code. Copy the whole address of the page on which the browser ended: it contains code=… and state=…"
                ),
                code="NO_CODE",
            )
        state = returned.get("state", "").encode(errors="replace")
        if not hmac.compare_digest(state, self.state.encode()):
            raise AuthorisationError(
                say(
                    "This address belongs to another login. Use the one that this login's page led to, or start again."
                ),
                code="WRONG_STATE",
            )
        return Returned(
            code=Secret(returned["code"]),
            oauth_server=oauth_server_of(self.portal_url, returned.get("server_domain", "")),
        )


def oauth_server_of(portal_url: str, named: str = "") -> str:
    """Find the server that exchanges a portal's codes and refresh tokens; `named` is the host in the return address.

    The return address comes from outside, and the application's secret goes to the server found here: a host is accepted
    only if it is in the fixed list, or is the portal itself on this machine.
    """
    portal = urlsplit(portal_url)
    local = portal.hostname in LOOPBACK
    host = named.lower()
    if not host and not local:
        return f"https://{OAUTH_HOSTS[0]}"
    if host in OAUTH_HOSTS:
        return f"https://{host}"
    if local and host in {"", portal.netloc.lower()}:
        return f"{portal.scheme}://{portal.netloc}"
    raise AuthorisationError(
        say(
            "The address names an OAuth server that is not Bitrix24's. Nothing was sent to it. Start the login again, and only from the portal's own pages."
        ),
        code="FOREIGN_SERVER",
    )


def handler_address(port: int) -> str:
    """Return the handler address to enter on the application's card."""
    return f"http://127.0.0.1:{port}/"


async def keep(folder: Path, profile: Profile, stored: Stored) -> Profiles:
    """Keep a login under its profile, and return all profiles. Raises `ConfigError` if another portal has the name.

    The profile's former login stays in use until the new one is stored, so a process killed in between does no harm.
    """
    if isinstance(stored, Grant):
        profile = replace(profile, member_id=stored.token.member_id)
    store = open_store(profile.keeper, folder)
    # Before its name is taken.
    await store.reach()
    before = change_profiles(folder, lambda profiles: _with_name_taken(profiles, profile))
    async with store.lock(profile.name):
        await store.save(profile.name, stored)
    former = before.by_name[profile.name].keeper
    after = change_profiles(folder, lambda profiles: profiles.with_profile(profile))
    if former != profile.keeper:
        former_store = open_store(former, folder)
        async with former_store.lock(profile.name):
            await former_store.delete(profile.name)
    return after


async def forget(folder: Path, profile: Profile) -> Profiles:
    """Forget a login and its profile, and return the others. The secrets go first."""
    store = open_store(profile.keeper, folder)
    async with store.lock(profile.name):
        await store.delete(profile.name)
    return change_profiles(folder, lambda profiles: profiles.without(profile.name))


def _with_name_taken(profiles: Profiles, profile: Profile) -> Profiles:
    profiles.check_free(profile.name, profile.portal_url)
    return profiles if profile.name in profiles.by_name else profiles.with_profile(profile)


def _parameters(address: str) -> dict[str, str]:
    """Read the parameters of a login. A repeated one is dropped, since two readers could each take a different value."""
    try:
        found = parse_qs(urlsplit(address.strip()).query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return {}
    if any(len(found.get(name, [])) > 1 for name in _RETURNED):
        return {}
    return {name: found[name][0] for name in _RETURNED if name in found}
