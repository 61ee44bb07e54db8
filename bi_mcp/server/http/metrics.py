"""Metrics for Prometheus and the health of portals, of a server that people sign in to. By portal, without anybody's name.

`/metrics` exists only where the operator set a token for it. A server that people sign in to stands behind a proxy or in a
container, where every caller seems to be near: neither the address of the peer nor a forwarding header, which not every
proxy adds, tells the operator's Prometheus from a stranger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bi_mcp.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcp.server.auth.provider import AccessToken, TokenVerifier
    from prometheus_client.core import Metric
    from starlette.requests import Request

    from bi_mcp.app.sign_in.counts import Counts, PortalCounts
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.rest.traffic import Reachability

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Outcome = TypeVar("Outcome", bound=str)
_NOT_KEPT = {"Cache-Control": "no-store"}


class CountingVerifier:
    """A verifier of tokens that counts those that another one refuses, and notes who called."""

    def __init__(self, inner: TokenVerifier, counts: Counts) -> None:
        self._inner = inner
        self._counts = counts

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the other verifier returns."""
        access = await self._inner.verify_token(token)
        if access is None:
            self._counts.refused_tokens += 1
            return None
        person = getattr(access, "person", None)
        if person is not None:
            self._counts.call(person)
        return access


def build_metrics(sign_ins: SignIns, token: Secret | None) -> list[Route]:
    """Build the route `/metrics` for callers who bring this bearer token; none without a token."""
    if token is None:
        return []
    expected = Secret(f"Bearer {token.reveal()}")
    registry = CollectorRegistry()
    registry.register(_SignInCollector(sign_ins))

    async def answer(request: Request) -> Response:
        if Secret(request.headers.get("authorization", "")) != expected:
            return PlainTextResponse(
                "The metrics need the bearer token that the operator set.",
                401,
                headers={"WWW-Authenticate": "Bearer", **_NOT_KEPT},
            )
        return Response(generate_latest(registry), media_type=CONTENT_TYPE, headers=_NOT_KEPT)

    return [Route("/metrics", answer)]


def portal_health(sign_ins: SignIns) -> dict[str, Reachability]:
    """Return by portal host whether its last answer came. No portal is asked."""
    return {host: sign_ins.counts.of(host).traffic.reachability() for host in sign_ins.portals}


class _SignInCollector(Collector):
    """Reads the counts when Prometheus asks."""

    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins

    def collect(self) -> Iterable[Metric]:
        counts = self._sign_ins.counts
        portals = {host: counts.of(host) for host in self._sign_ins.portals}
        yield _by_outcome(
            "bi_mcp_sign_ins",
            "Sign-ins that are over.",
            {host: portal.sign_ins for host, portal in portals.items()},
        )
        yield _by_outcome(
            "bi_mcp_portal_requests",
            "Requests to the portal; a batch is one.",
            {host: portal.traffic.requests for host, portal in portals.items()},
        )
        yield _by_outcome(
            "bi_mcp_portal_login_renewals",
            "Renewals of people's portal logins.",
            {host: portal.renewals for host, portal in portals.items()},
        )
        yield from _measure_waits(portals)
        callers = GaugeMetricFamily(
            "bi_mcp_callers", "People who called this replica in the last 15 minutes.", labels=["portal"]
        )
        for host, portal in portals.items():
            callers.add_metric([host], portal.callers(counts.clock()))
        yield callers
        refused = CounterMetricFamily(
            "bi_mcp_refused_tokens",
            "Access tokens that were unknown, expired, withdrawn or of another server.",
        )
        refused.add_metric([], counts.refused_tokens)
        yield refused


def _by_outcome(name: str, text: str, numbers: Mapping[str, Mapping[Outcome, int]]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["portal", "outcome"])
    for host, outcomes in numbers.items():
        for outcome, number in outcomes.items():
            family.add_metric([host, outcome], number)
    return family


def _measure_waits(portals: Mapping[str, PortalCounts]) -> Iterable[Metric]:
    waited = CounterMetricFamily(
        "bi_mcp_portal_wait_seconds",
        "Seconds that requests waited for the portal's limit, all together.",
        labels=["portal"],
    )
    waiting = GaugeMetricFamily(
        "bi_mcp_portal_waiting_requests", "Requests that wait for the portal's limit.", labels=["portal"]
    )
    for host, portal in portals.items():
        waited.add_metric([host], portal.waits.seconds)
        waiting.add_metric([host], portal.waits.waiting)
    yield waited
    yield waiting
