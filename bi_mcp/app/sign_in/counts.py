"""What a server that people sign in to counts, by portal and without their names. Data; how it is shown is the server's matter."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bi_mcp.rest.rate_limit import Waits
from bi_mcp.rest.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.auth.counted_renewals import RenewalOutcome
    from bi_mcp.auth.person import Person

RECENT_S = 15 * 60

# `cancelled`: by the person, on a page of this server or of the portal; `refused`: the person, or what the portal answered,
# was not accepted; `failed`: the portal or the store gave no answer.
SignInOutcome = Literal["signed in", "cancelled", "refused", "failed"]


@dataclass
class PortalCounts:
    """Counts of one portal since the start of this process.

    `traffic` and `waits` are what its transports and its limiter count in.
    """

    sign_ins: Counter[SignInOutcome] = field(default_factory=Counter)
    renewals: Counter[RenewalOutcome] = field(default_factory=Counter)
    traffic: Traffic = field(default_factory=Traffic)
    waits: Waits = field(default_factory=Waits)
    _called_at: dict[str, float] = field(default_factory=dict)

    def sign_in(self, outcome: SignInOutcome) -> None:
        """Count a sign-in that is over."""
        self.sign_ins[outcome] += 1

    def renewal(self, outcome: RenewalOutcome) -> None:
        """Count a renewal of a portal login."""
        self.renewals[outcome] += 1

    def call(self, person: Person, now: float) -> None:
        """Note that a person called. `now` only ever counts on."""
        # The last one who called comes last, so that nobody is kept for longer than they are counted.
        self._called_at.pop(person.mark, None)
        self._called_at[person.mark] = now
        self._forget_callers(now)

    def callers(self, now: float) -> int:
        """Return how many people called in the last quarter of an hour."""
        self._forget_callers(now)
        return len(self._called_at)

    def _forget_callers(self, now: float) -> None:
        while self._called_at:
            mark, at = next(iter(self._called_at.items()))
            if now - at < RECENT_S:
                return
            del self._called_at[mark]


@dataclass
class Counts:
    """Counts by portal. `refused_tokens` are access tokens that were unknown, expired or withdrawn, or of another server."""

    refused_tokens: int = 0
    clock: Callable[[], float] = time.monotonic
    _by_host: dict[str, PortalCounts] = field(default_factory=dict)

    def of(self, host: str) -> PortalCounts:
        """Return the counts of the portal of that host."""
        return self._by_host.setdefault(host, PortalCounts())

    def call(self, person: Person) -> None:
        """Note that a person called now."""
        self.of(urlsplit(person.portal).netloc).call(person, self.clock())
