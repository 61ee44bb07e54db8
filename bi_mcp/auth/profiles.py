"""Profiles: the portals that the user logged in to, by name. Secrets are kept elsewhere, by `bi_mcp.auth.store`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.vault.keyring import KEEPERS, Keeper
from bi_mcp.vault.private_file import VERSION, PrivateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bi_mcp.base.advice import Advice

Kind = Literal["oauth", "webhook"]

KINDS: tuple[Kind, ...] = ("oauth", "webhook")

# They are names of files, too, also where capitals make no difference.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One portal. `read_only` is the user's lock; `keeper` says where its secrets are; `portal_url` is `https://HOST`.

    `member_id` is the portal's identity, as the OAuth server said it; empty where none did.
    """

    name: str
    portal_url: str
    kind: Kind = "oauth"
    client_id: str = ""
    oauth_server: str = ""
    keeper: Keeper = "file"
    read_only: bool = False
    allow_private_addresses: bool = False
    member_id: str = ""

    def advise_login(self) -> Advice:
        """Advise the user to log in to it again."""
        webhook = " --webhook" if self.kind == "webhook" else ""
        return advise(AdviceKind.LOG_IN, arguments=f"{self.portal_url} --name {self.name}{webhook}")


@dataclass(frozen=True)
class Profiles:
    """All profiles and the name of the default one. A value: changes return another."""

    by_name: Mapping[str, Profile] = field(default_factory=dict)
    default: str | None = None

    def choose(self, name: str | None = None) -> Profile:
        """Return the named profile, or the default. Raises `ConfigError`, which lists the profiles."""
        chosen = name or self.default
        if chosen is None:
            raise ConfigError(
                say("There is no default profile. {there_are}", there_are=self._there_are()),
                advise(AdviceKind.CHOOSE_PROFILE),
            )
        if chosen not in self.by_name:
            raise ConfigError(
                say("No profile {chosen!r}. {there_are}", chosen=chosen, there_are=self._there_are())
            )
        return self.by_name[chosen]

    def with_profile(self, profile: Profile) -> Profiles:
        """Add a profile, or replace the one of its name and portal, whose lock it keeps. The first one is the default."""
        known = self.by_name.get(profile.name)
        if known is not None:
            self.check_free(profile.name, profile.portal_url)
            profile = replace(profile, read_only=profile.read_only or known.read_only)
        return Profiles({**self.by_name, profile.name: profile}, self.default or profile.name)

    def check_free(self, name: str, portal_url: str) -> None:
        """Raise `ConfigError` for a name that cannot be used or that another portal has."""
        check_profile_name(name)
        known = self.by_name.get(name)
        if known is not None and known.portal_url != portal_url:
            raise ConfigError(
                say("Profile {name!r} belongs to {portal_url}.", name=name, portal_url=known.portal_url),
                advise(AdviceKind.LOG_OUT_FIRST, name=name),
            )

    def without(self, name: str) -> Profiles:
        """Remove a profile. If only one is left, it becomes the default."""
        left = {known: profile for known, profile in self.by_name.items() if known != name}
        if self.default in left:
            return Profiles(left, self.default)
        return Profiles(left, next(iter(left)) if len(left) == 1 else None)

    def with_default(self, name: str) -> Profiles:
        """Make a profile the default."""
        return Profiles(self.by_name, self.choose(name).name)

    def with_lock(self, name: str, *, read_only: bool) -> Profiles:
        """Lock a profile read-only, or unlock it."""
        profile = replace(self.choose(name), read_only=read_only)
        return Profiles({**self.by_name, name: profile}, self.default)

    def with_portal(self, name: str, portal_url: str) -> Profiles:
        """Move a profile to the new address of its portal. One that is gone stays gone."""
        known = self.by_name.get(name)
        if known is None:
            return self
        return Profiles({**self.by_name, name: replace(known, portal_url=portal_url)}, self.default)

    def with_member(self, name: str, member_id: str) -> Profiles:
        """Learn the identity of a profile's portal. A profile that is gone stays gone."""
        known = self.by_name.get(name)
        if known is None:
            return self
        return Profiles({**self.by_name, name: replace(known, member_id=member_id)}, self.default)

    def with_renamed(self, old: str, new: str) -> Profiles:
        """Move all profiles of a portal to its new address. Raises `ConfigError` where there is none."""
        moved = {
            name: replace(profile, portal_url=new)
            for name, profile in self.by_name.items()
            if profile.portal_url == old
        }
        if not moved:
            raise ConfigError(
                say(
                    "No profile belongs to {portal_url}. {there_are}",
                    portal_url=old,
                    there_are=self._there_are(),
                )
            )
        return Profiles({**self.by_name, **moved}, self.default)

    def new_name(self, portal_url: str) -> str:
        """Suggest a name for a portal: the one it has, the first part of its host, or the whole host."""
        for profile in self.by_name.values():
            if profile.portal_url == portal_url:
                return profile.name
        parts = urlsplit(portal_url)
        host = parts.hostname or ""
        short = "local" if re.fullmatch(r"localhost|[\d.]+|.*:.*", host) else host.split(".")[0]
        whole = re.sub(r"[^a-z0-9]+", "-", parts.netloc.lower()).strip("-")
        name = whole if short in self.by_name else short
        return re.sub(r"[^a-z0-9_-]", "", name.lower())[:63].lstrip("-_") or "portal"

    def _there_are(self) -> str:
        if not self.by_name:
            return say(
                "There are no profiles yet. {login}", login=advise(AdviceKind.LOG_IN, arguments="PORTAL")
            )
        return say("Profiles: {names}.", names=", ".join(sorted(self.by_name)))


def check_profile_name(name: str) -> None:
    """Raise `ConfigError` for text that cannot be a profile's name."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            say(
                "A profile's name begins with a small letter or a digit and holds only a-z, 0-9, - and _ (at most 63)."
            )
        )


def load_profiles(folder: Path) -> Profiles:
    """Read `profiles.json` in the configuration folder. Raises `ConfigError` for one that cannot be read."""
    return _file(folder).load(_parse)


def change_profiles(folder: Path, change: Callable[[Profiles], Profiles]) -> Profiles:
    """Read, change and replace the profiles while no other process can, and return the new ones."""
    file = _file(folder)
    try:
        with file.lock():
            profiles = change(load_profiles(folder))
            file.write(_to_json(profiles))
    except OSError as error:
        raise ConfigError(
            say(
                "The profiles cannot be saved in {folder} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder.",
                folder=folder,
                strerror=error.strerror,
            )
        ) from None
    return profiles


def move_profile(folder: Path, name: str, portal_url: str) -> Profiles:
    """Keep the new address of a portal that was renamed."""
    return change_profiles(folder, lambda known: known.with_portal(name, portal_url))


def keep_member(folder: Path, name: str, member_id: str) -> Profiles:
    """Keep the identity of a portal that an older version logged in to."""
    return change_profiles(folder, lambda known: known.with_member(name, member_id))


def _file(folder: Path) -> PrivateFile:
    return PrivateFile(folder / "profiles.json")


def _to_json(profiles: Profiles) -> dict[str, object]:
    return {
        "version": VERSION,
        "default": profiles.default,
        "profiles": {
            name: {
                "portal": profile.portal_url,
                "kind": profile.kind,
                "client_id": profile.client_id,
                "oauth_server": profile.oauth_server,
                "kept_in": profile.keeper,
                "read_only": profile.read_only,
                "allow_private_addresses": profile.allow_private_addresses,
                "member_id": profile.member_id,
            }
            for name, profile in profiles.by_name.items()
        },
    }


def _parse(document: Mapping[str, Any]) -> Profiles:
    kept = document.get("profiles", {})
    by_name = {str(name): _parse_profile(str(name), profile) for name, profile in kept.items()}
    default = document.get("default")
    return Profiles(by_name, default if default in by_name else None)


def _parse_profile(name: str, kept: Mapping[str, Any]) -> Profile:
    check_profile_name(name)
    return Profile(
        name=name,
        portal_url=str(kept["portal"]),
        kind=KINDS[KINDS.index(kept["kind"])],
        client_id=str(kept.get("client_id", "")),
        oauth_server=str(kept.get("oauth_server", "")),
        keeper=KEEPERS[KEEPERS.index(kept.get("kept_in", "file"))],
        # Anything but a plain false counts as a lock: a damaged lock must not open.
        read_only=kept.get("read_only", False) is not False,
        allow_private_addresses=kept.get("allow_private_addresses", False) is True,
        member_id=str(kept.get("member_id", "")),
    )
