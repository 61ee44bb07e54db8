"""Metrics and health of a server that people sign in to: read over HTTP, and by nobody else."""

from __future__ import annotations

from typing import Any, cast

import httpx2
import pytest
from mcp.server.auth.provider import AccessToken
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.auth.person import Person
from bi_mcp.base.secret import Secret
from bi_mcp.server.http.metrics import CountingVerifier, build_metrics, portal_health
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

TOKEN = "a-token-for-the-operators-prometheus"
ANNA = Person(portal="https://acme.example", user_id=7, name="Anna Canary")
PORTALS = ("acme.example", "other.example")


class PersonsToken(AccessToken):
    person: Person


class OneToken:
    """A verifier that knows one token, of Anna."""

    async def verify_token(self, token: str) -> AccessToken | None:
        return PersonsToken(token="", client_id="c", scopes=[], person=ANNA) if token == "good" else None


def sign_ins() -> SignIns:
    portals = {
        host: SignInPortal(url=f"https://{host}", client_id="app", client_secret=Secret("canary of the card"))
        for host in PORTALS
    }
    nothing = cast("Any", None)
    return SignIns(portals=portals, documents=nothing, clients=nothing, logins=nothing)


async def read(app: Starlette, headers: dict[str, str]) -> httpx2.Response:
    async with served(app) as address, httpx2.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://{address}/metrics", headers=headers)


async def test_metrics_count_by_portal_and_name_nobody() -> None:
    people = sign_ins()
    acme = people.counts.of("acme.example")
    acme.sign_in("signed in")
    acme.sign_in("refused")
    acme.renewal("failed")
    acme.traffic.count("ok")
    acme.traffic.count("limit")
    acme.waits.seconds, acme.waits.waiting = 12.5, 3
    verifier = CountingVerifier(OneToken(), people.counts)
    assert await verifier.verify_token("good")
    assert await verifier.verify_token("bad") is None
    answer = await read(
        Starlette(routes=build_metrics(people, Secret(TOKEN))), {"Authorization": f"Bearer {TOKEN}"}
    )
    samples = {
        (sample.name, sample.labels.get("portal"), sample.labels.get("outcome")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples == {
        ("bi_mcp_sign_ins_total", "acme.example", "signed in"): 1,
        ("bi_mcp_sign_ins_total", "acme.example", "refused"): 1,
        ("bi_mcp_portal_login_renewals_total", "acme.example", "failed"): 1,
        ("bi_mcp_portal_requests_total", "acme.example", "ok"): 1,
        ("bi_mcp_portal_requests_total", "acme.example", "limit"): 1,
        ("bi_mcp_portal_wait_seconds_total", "acme.example", None): 12.5,
        ("bi_mcp_portal_wait_seconds_total", "other.example", None): 0,
        ("bi_mcp_portal_waiting_requests", "acme.example", None): 3,
        ("bi_mcp_portal_waiting_requests", "other.example", None): 0,
        ("bi_mcp_callers", "acme.example", None): 1,
        ("bi_mcp_callers", "other.example", None): 0,
        ("bi_mcp_refused_tokens_total", None, None): 1,
    }
    assert "Canary" not in answer.text
    assert ANNA.mark not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Host": "localhost"},
    ],
)
async def test_metrics_are_for_those_who_bring_their_token(headers: dict[str, str]) -> None:
    answer = await read(Starlette(routes=build_metrics(sign_ins(), Secret(TOKEN))), headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "bi_mcp" not in answer.text


async def test_without_a_token_there_are_no_metrics() -> None:
    app = Starlette(routes=build_metrics(sign_ins(), None))
    assert (await read(app, {"Authorization": "Bearer None"})).status_code == 404


def test_health_tells_of_each_portal_whether_its_last_answer_came() -> None:
    people = sign_ins()
    assert portal_health(people) == dict.fromkeys(PORTALS, "not asked yet")
    people.counts.of("acme.example").traffic.count("refused")
    people.counts.of("other.example").traffic.count("unexpected")
    assert portal_health(people) == {"acme.example": "ok", "other.example": "unreachable"}
