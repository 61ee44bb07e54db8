"""An app for each person who signed in: with it a call sees the person's own portal token, plans, exports and secrets."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.app.app import App
from bi_mcp.app.seal import Seal
from bi_mcp.app.sign_in.shared_portal import SharedPortal
from bi_mcp.auth.caller import current_caller
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError
from bi_mcp.vault.setting_values import SettingValues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.abc import TaskGroup

    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.auth.person import Person
    from bi_mcp.config import Settings

# A person's app is made again in a millisecond.
IDLE_S = 30 * 60
# A plan that was shown, or a setup that was given out, may come back after a meeting.
AWAITED_S = 8 * 3600
_LOOK_EVERY_S = 60.0

PORTAL = "portal"


@dataclass
class _Kept:
    app: App
    used_at: float

    def is_idle(self, now: float) -> bool:
        awaited = self.app.plans or self.app.exports
        return now - self.used_at > (AWAITED_S if awaited else IDLE_S)


class PeoplesApps:
    """The apps of people, built at their first call and dropped when they are idle.

    Nothing is lost with an app but plans and exports. It shares the connections of its portal, so it need not be closed.
    `clock` only ever counts on.
    """

    def __init__(
        self,
        settings: Settings,
        sign_ins: SignIns,
        shared: Shared | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sign_ins = sign_ins
        self._portals = {
            portal.url: SharedPortal(portal, settings, sign_ins, shared)
            for portal in sign_ins.portals.values()
        }
        self._secrets = sign_ins.secrets
        self._key = secrets.token_bytes(32) if shared is None else shared.confirmation_key
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._calls: Counter[str] = Counter()
        self._looked_at = clock()
        self._background: TaskGroup | None = None

    @property
    def secrets_page(self) -> str | None:
        """The page where the caller stores secrets of their own."""
        return self._secrets.address if self._secrets else None

    def __len__(self) -> int:
        """Return how many people have an app."""
        return len(self._kept)

    def current(self) -> App:
        """Return the caller's app. Raises `AuthorisationError` `NOT_SIGNED_IN` without a person, `NOT_ALLOWED` where the operator no longer lets them in."""
        person = current_caller().person
        if person is None:
            raise AuthorisationError(
                say("Nobody is signed in. Nothing was sent."),
                advise(AdviceKind.CONNECT_AGAIN),
                code="NOT_SIGNED_IN",
            )
        kept = self._kept.get(person.mark)
        if kept is None:
            kept = self._kept[person.mark] = _Kept(self._build(person), 0.0)
        kept.used_at = self._clock()
        return kept.app

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the caller's app, if there is one, while this is open."""
        person = current_caller().person
        if person is None:
            yield
            return
        self._drop_idle()
        self._calls[person.mark] += 1
        try:
            yield
        finally:
            self._calls[person.mark] -= 1
            if not self._calls[person.mark]:
                del self._calls[person.mark]
            if kept := self._kept.get(person.mark):
                kept.used_at = self._clock()

    def begin(self, background: TaskGroup) -> None:
        """Let apps run tasks that outlive a call."""
        self._background = background

    async def aclose(self) -> None:
        """Close the connections to all portals."""
        self._kept.clear()
        for portal in self._portals.values():
            await portal.aclose()

    def _drop_idle(self) -> None:
        now = self._clock()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        self._kept = {
            mark: kept for mark, kept in self._kept.items() if mark in self._calls or not kept.is_idle(now)
        }

    def _build(self, person: Person) -> App:
        if self._sign_ins.find_portal(person) is None:
            raise AuthorisationError(
                say(
                    "This server no longer lets you work with the portal {host}. Nothing was sent. Ask whoever runs the server.",
                    host=urlsplit(person.portal).netloc,
                ),
                code="NOT_ALLOWED",
            )
        portal = self._portals[person.portal]
        settings, own = self._settings, self._secrets
        named = own.of(person) if own else None
        return App(
            portals={PORTAL: portal.access(person)},
            default=PORTAL,
            setting_values=SettingValues.of_person(named, settings.shown_settings),
            hosted_pages=own.pages(person) if own else None,
            shown_settings=settings.shown_settings,
            seal=None if settings.confirm == "off" else Seal(self._key_of(person)),
            asks=settings.confirm == "elicit",
            language=settings.language,
            background=self._background,
        )

    def _key_of(self, person: Person) -> bytes:
        """Derive the person's key, so that a confirmation of one is nothing to another, on every replica."""
        return hmac.digest(self._key, f"confirmations of {person.mark}".encode(), "sha256")
