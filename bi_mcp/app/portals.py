"""The part of the composition root that decides which portals the server works with, and how each is reached."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.app.app import PortalAccess, build_caller
from bi_mcp.auth.portal_identity import PortalIdentity, identify_portal, portal_address
from bi_mcp.auth.profiles import Profile, Profiles, load_profiles, move_profile
from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.history.audit import Audit
from bi_mcp.history.entries import Stamp, move_history, open_history
from bi_mcp.history.journal import Journal
from bi_mcp.history.recording import Recorder
from bi_mcp.rest.credential import AccessToken, parse_webhook
from bi_mcp.rest.rate_limit import ENTERPRISE, STANDARD, UNLIMITED, LeakyBucket, Limiter, RatePlan, Waits
from bi_mcp.rest.request import Layer, build_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.auth.session import Session
    from bi_mcp.base.secret import Secret
    from bi_mcp.config import Culture, Limits, Settings
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.credential import Credential, CredentialSource
    from bi_mcp.rest.network import Connections
    from bi_mcp.rest.traffic import Traffic

EMBEDDED = "embedded"
EMBEDDED_NOTICE = "This is the practice portal, not the user's Bitrix24."
ABOUT_EMBEDDED = (
    "the practice portal, NOT the user's Bitrix24: say so. Sample connector: http://sample.localhost/check, /tables, /table, "
    "/data (login demo, password demo-password). Real ones: `bi-mcp login PORTAL`."
)
ABOUT_WEBHOOK = "by an incoming webhook: only the *_fields tools and the fields resources work."


def build_portals(settings: Settings, shared: Shared | None = None) -> tuple[dict[str, PortalAccess], str]:
    """Return the portals by name, and the name of the default one.

    Variables that name a portal win; then come the profiles that were logged in to; with neither it is the embedded
    portal. `shared` is what this server has in common with its replicas. Raises `ConfigError` for a profile that does not
    exist.
    """
    if settings.webhook_url is not None:
        return {
            "portal": _by_webhook(settings.webhook_url, settings, build_limiter(settings, shared))
        }, "portal"
    if settings.portal_url is not None:
        portals = {"portal": _by_token(settings.portal_url, settings, build_limiter(settings, shared))}
        default = "portal"
    else:
        portals, default = _by_profiles(settings, shared)
    for name, portal in portals.items():
        portal.recorder = build_recorder(settings, name, portal.identity, portal.user)
        portal.locks = settings.configuration_folder
    return portals, default


def build_recorder(
    settings: Settings, name: str, identity: PortalIdentity, user: Callable[[], int | None] = lambda: None
) -> Recorder | None:
    """Build the recorder of the writes to a portal, None where neither a history nor an audit is kept. `user` is the id of the user who logged in to it."""
    folder = settings.configuration_folder if settings.history else None
    if folder is None and settings.audit_file is None:
        return None
    return Recorder(
        Stamp(name, identity),
        None if folder is None else open_history(folder, identity),
        None if settings.audit_file is None else Audit(Journal(settings.audit_file)),
        user,
    )


def _by_profiles(settings: Settings, shared: Shared | None) -> tuple[dict[str, PortalAccess], str]:
    folder = settings.configuration_folder
    profiles = Profiles() if folder is None else load_profiles(folder)
    chosen = settings.profiles or tuple(profiles.by_name) or (EMBEDDED,)
    several = len(chosen) > 1
    portals = {
        name: _build_embedded(settings)
        if name == EMBEDDED
        else _by_profile(profiles.choose(name), profiles, settings, shared, several=several)
        for name in chosen
    }
    default = profiles.default if profiles.default in portals else next(iter(portals))
    return portals, default


def _by_profile(
    profile: Profile, profiles: Profiles, settings: Settings, shared: Shared | None, *, several: bool
) -> PortalAccess:
    title = f"{profile.name} ({_host(profile.portal_url)})"
    about = f"the user's Bitrix24 {title}, "
    about += (
        ABOUT_WEBHOOK
        if profile.kind == "webhook"
        else "locked read-only."
        if profile.read_only
        else _changes(settings)
    )
    limiter = build_limiter(settings, shared)
    session = cache(
        lambda: _open_session(profile, settings, shared, partial(follow_portal, portal, profile, settings))
    )
    portal = PortalAccess(
        title=title,
        about=about,
        connect=lambda: connect_portal(profile.portal_url, session(), limiter),
        user=lambda: session().user_id,
        limiter=limiter,
        notice=f"Portal: {title}." if several else None,
        read_only=profile.read_only,
        call_endpoints=partial(
            build_caller,
            settings.embedded.culture,
            allow_private=profile.allow_private_addresses,
            portal=profile.portal_url,
        ),
        identity=identify_portal(profile.portal_url, profiles),
    )
    return portal


def follow_portal(portal: PortalAccess, profile: Profile, settings: Settings, portal_url: str) -> None:
    """Go on with a portal under the address that it was renamed to, and with its history."""
    folder = settings.configuration_folder
    assert folder is not None  # noqa: S101  profiles come from there
    move_profile(folder, profile.name, portal_url)
    former = portal.identity
    portal.identity = replace(former, address=portal_address(portal_url))
    if portal.recorder is None or portal.recorder.history is None:
        return
    try:
        move_history(folder, former, portal.identity.address)
    except OSError as error:
        logging.getLogger(__name__).warning(
            "The history was not moved to %s: %s", portal.identity.file_name, error
        )
        return
    portal.recorder.stamp = Stamp(profile.name, portal.identity)
    portal.recorder.history = open_history(folder, portal.identity)


def _by_token(portal_url: str, settings: Settings, limiter: Limiter) -> PortalAccess:
    host = _host(portal_url)
    return PortalAccess(
        title=host,
        about=f"the user's Bitrix24 at {host}, {_changes(settings)}",
        connect=partial(_connect_token, settings, limiter),
        limiter=limiter,
        call_endpoints=partial(build_caller, settings.embedded.culture, portal=portal_url),
        identity=identify_portal(portal_url, _profiles(settings)),
    )


def _profiles(settings: Settings) -> Profiles:
    if settings.configuration_folder is None:
        return Profiles()
    try:
        return load_profiles(settings.configuration_folder)
    except ConfigError:
        # The variables need none of them.
        return Profiles()


def _changes(settings: Settings) -> str:
    return "read only." if settings.read_only else "changes are real."


def _by_webhook(address: Secret, settings: Settings, limiter: Limiter) -> PortalAccess:
    return PortalAccess(
        title="the portal of the webhook",
        about=f"the user's Bitrix24, {ABOUT_WEBHOOK}",
        connect=lambda: connect_portal(*parse_webhook(address.reveal()), limiter),
        limiter=limiter,
        call_endpoints=partial(build_caller, settings.embedded.culture),
    )


def _build_embedded(settings: Settings) -> PortalAccess:
    return PortalAccess(
        title="the practice portal",
        about=ABOUT_EMBEDDED,
        connect=partial(_connect_embedded, settings),
        notice=EMBEDDED_NOTICE,
        call_endpoints=partial(_call_embedded_endpoints, settings.embedded.culture),
    )


def _connect_embedded(settings: Settings) -> BIConnector:
    from bi_mcp.app.embedded import connect_embedded

    return connect_embedded(settings.embedded)


def _call_embedded_endpoints(culture: Culture) -> EndpointCaller:
    from bi_mcp.app.embedded import call_embedded_endpoints

    return call_embedded_endpoints(culture)


PLANS: Mapping[Limits, RatePlan] = {"standard": STANDARD, "enterprise": ENTERPRISE, "off": UNLIMITED}


def build_limiter(settings: Settings, shared: Shared | None, waits: Waits | None = None) -> Limiter:
    """Build the limiter for all clients of a portal in this process; replicas divide what the portal allows among them. `waits` are where it counts them."""
    limiter = Limiter(LeakyBucket(PLANS[settings.limits]), waits=waits or Waits())
    if shared is not None:
        shared.budget.follow(limiter.bucket.take_part)
    return limiter


def _open_session(
    profile: Profile, settings: Settings, shared: Shared | None, moved: Callable[[str], object]
) -> Session:
    from bi_mcp.auth.session import open_session

    assert settings.configuration_folder is not None  # noqa: S101  profiles come from there
    share = None if shared is None else shared.tokens
    return open_session(profile, settings.configuration_folder, share=share, moved=moved)


def _connect_token(settings: Settings, limiter: Limiter) -> BIConnector:
    if settings.portal_url is None or settings.access_token is None:
        raise ConfigError(say("BI_MCP_PORTAL_URL and BI_MCP_ACCESS_TOKEN belong together. Set both."))
    return connect_portal(settings.portal_url, AccessToken(settings.access_token), limiter)


def connect_portal(
    portal_url: str,
    credential: Credential | CredentialSource,
    limiter: Limiter,
    connections: Connections | None = None,
    traffic: Traffic | None = None,
) -> BIConnector:
    """Build the client: each request is one POST, requests wait their turn, and reads issued together become one request.

    `connections` are shared with other clients of the portal, and are not the client's to close. `traffic` is where its
    requests are counted.
    """
    # Imported here: httpx is not needed until the first call.
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.gather import gather_patiently
    from bi_mcp.rest.traffic import CountingTransport
    from bi_mcp.rest.transport import HttpTransport

    counting = [] if traffic is None else [partial(CountingTransport, traffic=traffic)]
    layers: list[Layer] = [*counting, partial(gather_patiently, limiter=limiter)]
    return BIConnector(build_stack(HttpTransport(portal_url, credential, connections=connections), layers))


def _host(portal_url: str) -> str:
    try:
        host = urlsplit(portal_url if "://" in portal_url else f"//{portal_url}").hostname
    except ValueError:
        host = None
    if not host:
        raise ConfigError(
            say("The portal's address must look like https://portal.example. Check BI_MCP_PORTAL_URL.")
        )
    return host
