"""Caller and portal: the few methods outside the module that every portal answers to every application."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.rest.envelope import unexpected_answer
from bi_mcp.rest.kind_methods import parse_model
from bi_mcp.rest.methods import SYSTEM_METHODS
from bi_mcp.rest.models.portal import PortalApplication, PortalColleague, PortalUser
from bi_mcp.rest.request import Command

if TYPE_CHECKING:
    from bi_mcp.rest.request import Transport

_PROFILE, _SCOPE, _APPLICATION, _TIME, _CURRENT = SYSTEM_METHODS


class PortalInfo:
    """Information from a portal about itself and about the caller. Every call raises the errors of `bi_mcp.errors`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def user(self) -> PortalUser:
        """Return the user for whom the credential acts."""
        return parse_model(_PROFILE, PortalUser, (await self._transport.send(Command(_PROFILE, {}))).result)

    async def colleague(self) -> PortalColleague:
        """Return the same user with their departments. Needs one of the scopes `user_brief`, `user_basic` and `user`."""
        reply = (await self._transport.send(Command(_CURRENT, {}))).result
        return parse_model(_CURRENT, PortalColleague, reply)

    async def scopes(self) -> list[str]:
        """Return the scopes of the credential."""
        reply = (await self._transport.send(Command(_SCOPE, {}))).result
        if not isinstance(reply, list):
            raise unexpected_answer(_SCOPE, 200, say("not an array of scopes"))
        return [str(scope) for scope in reply]

    async def application(self) -> PortalApplication:
        """Return the calling application. A webhook has none and is refused."""
        return parse_model(
            _APPLICATION, PortalApplication, (await self._transport.send(Command(_APPLICATION, {}))).result
        )

    async def time(self) -> datetime:
        """Return the portal's time, with its offset."""
        reply = (await self._transport.send(Command(_TIME, {}))).result
        try:
            moment = datetime.fromisoformat(str(reply))
        except ValueError:
            raise unexpected_answer(_TIME, 200, say("not a date and time in ISO format")) from None
        if moment.tzinfo is None:
            raise unexpected_answer(_TIME, 200, say("a date and time without an offset"))
        return moment
