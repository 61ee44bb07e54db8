"""Users of the practice portal, and what their rights let them do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bi_mcp.errors import ConfigError

_SPELLED = re.compile(
    r"(?P<id>[1-9]\d{0,8}):(?P<name>[^:]+)(?::(?P<rights>[a-z+ ]*))?(?::(?P<departments>[\d+ ]*))?"
)
_RIGHTS = frozenset({"admin", "read", "own"})
_COMPANY = 1


@dataclass(frozen=True, kw_only=True)
class PortalUser:
    """A user. `departments` are ids; `may_change` and `sees_all` are rights of BI Builder.

    Who does not see all sees only what they created. An administrator may do everything.
    """

    id: int
    name: str
    last_name: str = ""
    administrator: bool = False
    departments: tuple[int, ...] = (_COMPANY,)
    may_change: bool = True
    sees_all: bool = True

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.name} {self.last_name}".strip()


class PortalUsers:
    """The users of a portal. Without any, everybody is the local user, an administrator, whatever their id."""

    def __init__(self, users: Sequence[PortalUser] = ()) -> None:
        self._by_id = {user.id: user for user in users}

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def all(self) -> list[PortalUser]:
        """All users, the local one where there is no other."""
        return list(self._by_id.values()) or [_local(_FIRST)]

    @property
    def first(self) -> PortalUser:
        """The user for whom fixed access tokens act: the one with the id 1, or else the first."""
        return self.find(_FIRST) or self.all[0]

    def find(self, user_id: int) -> PortalUser | None:
        """Return a user, None if the portal has none with this id."""
        return self._by_id.get(user_id) if self._by_id else _local(user_id)

    def other_than(self, user_id: int) -> PortalUser:
        """Return somebody else."""
        others = [user for user in self._by_id.values() if user.id != user_id]
        return others[0] if others else _local(user_id + 1)


_FIRST = 1


def _local(user_id: int) -> PortalUser:
    return PortalUser(id=user_id, name="Local", last_name="User", administrator=True)


def parse_users(spelled: Sequence[str]) -> tuple[PortalUser, ...]:
    """Read users, each as `ID:NAME`, `ID:NAME:RIGHTS` or `ID:NAME:RIGHTS:DEPARTMENTS`.

    RIGHTS are `admin`, `read` (changes nothing) and `own` (sees only what they created), joined by `+`; so are the ids of
    departments. Raises `ConfigError`.
    """
    users = tuple(_parse_user(text.strip()) for text in spelled)
    if len({user.id for user in users}) < len(users):
        raise ConfigError("Two users of the practice portal have the same id. Give each one of their own.")
    return users


def _parse_user(text: str) -> PortalUser:
    match = _SPELLED.fullmatch(text)
    rights = set(_parts(match["rights"])) if match else set[str]()
    if match is None or not rights <= _RIGHTS:
        raise ConfigError(
            "A user of the practice portal is spelled ID:NAME:RIGHTS, such as 7:Anna Petrova:read, not "
            f"{text!r}. RIGHTS are admin, read and own, joined by +, or left out."
        )
    name, _, last_name = match["name"].strip().partition(" ")
    return PortalUser(
        id=int(match["id"]),
        name=name,
        last_name=last_name.strip(),
        administrator="admin" in rights,
        departments=tuple(int(part) for part in _parts(match["departments"])) or (_COMPANY,),
        may_change="read" not in rights,
        sees_all="own" not in rights,
    )


def _parts(joined: str | None) -> list[str]:
    return [part.strip() for part in (joined or "").split("+") if part.strip()]
