"""The doctor: identity of the portal, rights of the credential, and obstacles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import anyio
from pydantic import BaseModel

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings import status_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding, Level, worst
from bi_mcp.diagnostics.findings.folding import fold_repeated
from bi_mcp.diagnostics.portal.known_fields import check_fields
from bi_mcp.errors import (
    AccessDeniedError,
    AuthenticationError,
    BiMcpError,
    InvalidRequestError,
    PortalError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import FieldDescription
    from bi_mcp.rest.rate_limit import Limiter

Answer = TypeVar("Answer")

SCOPE = "biconnector"
# Expiry times and dates of a portal are compared with our clock.
TOLERATED_SKEW_S = 60.0


class LimitsLeft(BaseModel):
    """The remaining limits of the portal, as far as this process knows: requests at once, and run time used per method (of 480 s)."""

    requests_left: int
    requests_per_s: float
    run_time_used_s: dict[str, float]


class PortalStatus(BaseModel):
    """The facts about a portal and the credential. A fact that could not be read is None and has a finding."""

    verdict: Level
    portal: str
    user: str | None = None
    admin: bool | None = None
    application: str | None = None
    scopes: list[str] | None = None
    generation: str | None = None
    clock_skew_s: float | None = None
    limits: LimitsLeft | None = None
    findings: list[Finding]


async def read_portal_status(
    bi: BIConnector,
    portal: str,
    clock: Callable[[], float] = time.time,
    limiter: Limiter | None = None,
    limits_clock: Callable[[], float] = time.monotonic,
) -> PortalStatus:
    """Ask the portal everything that distinguishes the possible causes. `portal` is its name for people; `clock` gives
    unix seconds. `limiter` is the limiter of the client's transport, if it has one, and `limits_clock` its clock.

    Never raises an error of the portal: each becomes a finding.
    """
    doctor = _Doctor(bi, clock)
    await doctor.examine()
    # One refusal may answer several questions.
    findings = fold_repeated(doctor.findings)
    found: dict[str, object] = {
        "verdict": worst(findings),
        "portal": portal,
        "findings": findings,
    }
    if limiter is not None:
        found["limits"] = limits_left(limiter, limits_clock())
    return PortalStatus.model_validate(found | doctor.known)


def limits_left(limiter: Limiter, now: float) -> LimitsLeft:
    """Read a limiter; `now` is of the clock that it runs by."""
    bucket = limiter.bucket
    return LimitsLeft(
        requests_left=max(0, int(bucket.capacity - bucket.level(now))),
        requests_per_s=bucket.drain_per_s,
        run_time_used_s={method: round(used, 1) for method, used in limiter.operating.used.items()},
    )


class _Doctor:
    def __init__(self, bi: BIConnector, clock: Callable[[], float]) -> None:
        self._bi = bi
        self._clock = clock
        self.known: dict[str, object] = {}
        self.findings: list[Finding] = []
        self._unreachable = False

    async def examine(self) -> None:
        """Begin with what needs the least; go on while the portal answers."""
        fields = await self._ask("connector.fields", self._bi.connectors.fields, explain_fields_refusal)
        if fields is None and (self._unreachable or self.findings[-1].where == "credential"):
            # Every other question would wait as long and say the same.
            return
        # Distinguished below: these three are readable without any right in the module.
        async with anyio.create_task_group() as group:
            for ask in (self._who, self._application, self._scopes, self._time):
                group.start_soon(ask)
        if fields is None:
            return
        await self._fields(fields)
        generation = await self._ask("table.fields", self._bi.datasets.generation, explain_failure)
        if generation is not None:
            self.known["generation"] = generation
        page = await self._ask("connector.list", self._bi.connectors.list_page, explain_list_refusal)
        if page is not None:
            self.findings.append(rules.ACCESS.finding("access"))

    async def _who(self) -> None:
        user = await self._ask("profile", self._bi.portal.user, explain_failure)
        if user is not None:
            self.known["user"] = " ".join(part for part in (user.name, user.last_name) if part) or say(
                "user {id}", id=user.id
            )
            self.known["admin"] = user.admin

    async def _application(self) -> None:
        application = await self._ask("app.info", self._bi.portal.application, explain_no_application)
        if application is None:
            return
        self.known["application"] = application.code
        if application.payment_expired:
            self.findings.append(rules.PAYMENT_ENDED.finding("application"))
        if not application.installed:
            self.findings.append(rules.NOT_INSTALLED.finding("application"))

    async def _scopes(self) -> None:
        scopes = await self._ask("scope", self._bi.portal.scopes, explain_failure)
        if scopes is None:
            return
        self.known["scopes"] = scopes
        if SCOPE not in scopes:
            self.findings.append(rules.SCOPE_MISSING.finding("scope", scope=SCOPE))

    async def _time(self) -> None:
        before = self._clock()
        portal_time = await self._ask("server.time", self._bi.portal.time, explain_failure)
        if portal_time is None:
            return
        skew = portal_time.timestamp() - (before + self._clock()) / 2
        self.known["clock_skew_s"] = round(skew, 1)
        if abs(skew) > TOLERATED_SKEW_S:
            kind = rules.CLOCK_BEHIND if skew > 0 else rules.CLOCK_AHEAD
            self.findings.append(kind.finding("clock", seconds=abs(skew)))

    async def _fields(self, connector_fields: list[FieldDescription]) -> None:
        self.findings += check_fields("connector", connector_fields)
        for group, ask in (("source", self._bi.sources.fields), ("dataset", self._bi.datasets.fields)):
            described = await self._ask(f"{group}.fields", ask, explain_failure)
            if described is not None:
                self.findings += check_fields(group, described)

    async def _ask(
        self, where: str, ask: Callable[[], Awaitable[Answer]], explain: Callable[[str, BiMcpError], Finding]
    ) -> Answer | None:
        try:
            return await ask()
        except BiMcpError as error:
            self._unreachable = isinstance(error, UnreachableError)
            self.findings.append(explain_credential(error) or explain(where, error))
            return None


def explain_credential(error: BiMcpError) -> Finding | None:
    """A credential that the portal does not take at all: nothing else can be asked."""
    if not isinstance(error, AuthenticationError):
        return None
    return rules.CREDENTIAL_REFUSED.finding("credential", code=error.code, advice=error.hint)


def explain_failure(where: str, error: BiMcpError) -> Finding:
    """A question that could not be answered, without a reason of its own."""
    return rules.QUESTION_FAILED.finding(where, said=str(error))


def explain_no_application(where: str, error: BiMcpError) -> Finding:
    """Explain why `app.info` was refused: the credential does not belong to an application."""
    if isinstance(error, InvalidRequestError | AccessDeniedError):
        return rules.NO_APPLICATION.finding("application")
    return explain_failure(where, error)


def explain_fields_refusal(where: str, error: BiMcpError) -> Finding:
    """`*.fields` needs nothing but the user's rights, so a refusal inside the module means that they are missing."""
    if not isinstance(error, AccessDeniedError):
        return rules.METHODS_FAILED.finding(where, said=str(error))
    if _is_of_the_system(error):
        return _plan_or_scope(error)
    return rules.RIGHTS_MISSING.finding("rights")


def explain_list_refusal(where: str, error: BiMcpError) -> Finding:
    """Explain why a list was refused. If `*.fields` works and `list` does not, the credential does not belong to an application."""
    if isinstance(error, AccessDeniedError) and _is_of_the_system(error):
        return _plan_or_scope(error)
    if isinstance(error, InvalidRequestError | AccessDeniedError):
        return rules.LISTS_REFUSED.finding("access")
    return rules.METHODS_FAILED.finding(where, said=str(error))


def _is_of_the_system(error: PortalError) -> bool:
    return error.status == 403


def _plan_or_scope(error: PortalError) -> Finding:
    if error.code == "ACCESS_DENIED":
        return rules.PLAN_WITHOUT_REST.finding("plan")
    message = error.message or say("refused")
    return rules.REFUSED_BY_SYSTEM.finding("scope", code=error.code, message=message, advice=error.hint)
