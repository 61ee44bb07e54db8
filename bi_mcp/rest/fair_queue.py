"""Pure: the order in which waiting requests of several owners go. An owner is a person who shares a portal's limits with others.

Requests of one owner go in order. Owners take turns: the first waiting request of each goes before the second of any, and
among the first ones that owner is served whose last request went the longest ago. So somebody who comes back, or is new,
is served before those who have just been served; and between two requests of an owner who goes on waiting, each other owner
gets at most one.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter

_NUMBER = attrgetter("number")


@dataclass(eq=False)
class Ticket:
    """A place in the queue; once its request has gone, when that was and how full the bucket was with it.

    `number` counts the tickets of a queue in the order in which they joined.
    """

    owner: str = ""
    number: int = 0
    gone_at: float = 0.0
    level: float = 0.0


class FairQueue:
    """Waiting tickets. With a single owner it is a plain queue."""

    def __init__(self) -> None:
        self._joined = 0
        self._served = 0
        self._waiting: dict[str, list[Ticket]] = {}
        # When an owner was served last, counted in served tickets. Forgotten when nobody waits.
        self._served_at: dict[str, int] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, owner: str) -> Ticket:
        """Queue behind the other tickets of this owner."""
        self._joined += 1
        ticket = Ticket(owner, self._joined)
        self._waiting.setdefault(owner, []).append(ticket)
        self._length += 1
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give the place up."""
        own = self._waiting[ticket.owner]
        del own[bisect_left(own, ticket.number, key=_NUMBER)]
        self._length -= 1
        if not own:
            del self._waiting[ticket.owner]
        if not self._waiting:
            self._served_at.clear()

    def serve(self, ticket: Ticket) -> None:
        """Take the ticket out; from now on its owner comes after all others who wait."""
        self.leave(ticket)
        self._served += 1
        self._served_at[ticket.owner] = self._served

    def ahead(self, ticket: Ticket) -> int:
        """Return how many tickets go before this one if nobody joins or leaves. It takes a step for each owner who waits."""
        own = self._waiting[ticket.owner]
        place = bisect_left(own, ticket.number, key=_NUMBER)
        if len(self._waiting) == 1:
            return place
        turn = self._turn(ticket.owner)
        others = (
            min(len(tickets), place + (self._turn(owner) < turn))
            for owner, tickets in self._waiting.items()
            if owner != ticket.owner
        )
        return place + sum(others)

    def _turn(self, owner: str) -> tuple[int, int]:
        """The owner's place among the owners: who was never served comes first, in the order of joining."""
        return self._served_at.get(owner, 0), self._waiting[owner][0].number
