"""The portal itself, without HTTP: the rights of callers, and the cost of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bi_mcp.practice.portal.answers import AnswerTiming, ModuleFault, SystemFault
from bi_mcp.practice.portal.batch import run_batch
from bi_mcp.practice.portal.context import Call, Context
from bi_mcp.practice.portal.identity import Caller
from bi_mcp.practice.portal.limits import Limits
from bi_mcp.practice.portal.methods import PortalMethod, build_methods
from bi_mcp.practice.portal.users import PortalUsers


@dataclass(frozen=True)
class Outcome:
    """The result of a call, or its error of the module, and its time."""

    result: object
    timing: AnswerTiming


class Portal:
    """Portal that runs methods. Raises `SystemFault` for everything that the REST service itself refuses."""

    def __init__(
        self, context: Context, limits: Limits, clock: Callable[[], float], users: PortalUsers
    ) -> None:
        self.methods: Mapping[str, PortalMethod] = build_methods(context)
        self.limits = limits
        self._generation = context.generation
        self._clock = clock
        self._users = users

    async def call(self, method: str, parameters: Mapping[str, object], caller: Caller) -> object:
        """Return the `result` of a method. Raises `ModuleFault` for the module's own errors."""
        outcome = await self.run(method, parameters, caller)
        if isinstance(outcome.result, ModuleFault):
            raise outcome.result
        return outcome.result

    async def run(self, method: str, parameters: Mapping[str, object], caller: Caller) -> Outcome:
        """Run a method and count its run time, also when it ends with an error of the module."""
        start = self._clock()
        self.limits.before(method, start)
        try:
            result = await self._dispatch(method, parameters, caller)
        except ModuleFault as fault:
            result = fault
        finish = self._clock()
        return Outcome(
            result, AnswerTiming(start, finish, *self.limits.after(method, finish - start, finish))
        )

    async def _dispatch(self, name: str, parameters: Mapping[str, object], caller: Caller) -> object:
        if name == "batch":
            call = partial(self.call, caller=caller)
            return await run_batch(parameters, call, self._clock, self._generation)
        method = self.methods.get(name)
        if method is None:
            raise SystemFault(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        user = self._users.find(caller.user_id)
        if user is None:
            raise SystemFault(403, "user_access_error", "The user does not have access to the application.")
        if method.scopes and not method.scopes & caller.scopes:
            raise SystemFault(
                403,
                "insufficient_scope",
                "The request requires higher privileges than provided by the access token",
            )
        if not method.webhook and (caller.webhook or caller.application is None):
            raise ModuleFault("ACCESS_DENIED", "Access denied.")
        if method.changes and not (user.may_change or user.administrator):
            raise ModuleFault("ACCESS_DENIED", "Access denied.")
        return await method.handler(Call(name, parameters, caller.application or "", user, caller.scopes))
