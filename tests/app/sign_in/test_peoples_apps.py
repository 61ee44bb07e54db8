"""Each person who signed in has an app: what it holds is nobody else's, and what it shares is nobody's."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from bi_mcp.app.replicas.budget import SharedBudget
from bi_mcp.app.replicas.shared import Shared
from bi_mcp.app.seal import Act
from bi_mcp.app.sign_in import shared_portal
from bi_mcp.app.sign_in.peoples_apps import AWAITED_S, IDLE_S, PeoplesApps
from bi_mcp.app.sign_in.peoples_secrets import PeoplesSecrets
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person
from bi_mcp.auth.token import Grant
from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.errors import (
    AuthenticationError,
    AuthorisationError,
    ConfirmationError,
    InvalidRequestError,
    SecretReferenceError,
)
from bi_mcp.practice.portal.oauth import Lifetimes
from bi_mcp.vault.setting_values import EnvReference, FileReference, SecretReference
from tests.app.sign_in.people import PeoplesPortal, app_of, sign_in, sign_ins_to
from tests.rest.calling import connector_fields

pytestmark = pytest.mark.anyio

ANNA, BORIS = 7, 8


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def access_token(sign_ins: SignIns, person: Person) -> str:
    grant = await sign_ins.logins.load(person.mark)
    assert isinstance(grant, Grant)
    return grant.token.access_token.reveal()


async def test_nobody_works_without_having_signed_in(apps: PeoplesApps, portal: PeoplesPortal) -> None:
    with pytest.raises(AuthorisationError, match="Nobody is signed in") as refused:
        apps.current()
    assert refused.value.code == "NOT_SIGNED_IN"
    elsewhere = replace(portal.person(ANNA), portal="https://other.bitrix24.com")
    with pytest.raises(AuthorisationError, match=r"work with the portal other\.bitrix24\.com") as refused:
        app_of(apps, elsewhere)
    assert refused.value.code == "NOT_ALLOWED"


async def test_only_those_whom_the_operator_lets_in_are_served(portal: PeoplesPortal) -> None:
    sign_ins = sign_ins_to(portal)
    only_anna = {host: replace(each, users=frozenset({ANNA})) for host, each in sign_ins.portals.items()}
    apps = PeoplesApps(Settings(), replace(sign_ins, portals=only_anna))
    assert app_of(apps, portal.person(ANNA)).default == "portal"
    with pytest.raises(AuthorisationError, match="no longer lets you work"):
        app_of(apps, portal.person(BORIS))


async def test_each_person_has_one_app_whatever_the_portal_calls_them(
    apps: PeoplesApps, portal: PeoplesPortal
) -> None:
    anna, boris = portal.person(ANNA), portal.person(BORIS)
    assert app_of(apps, anna) is app_of(apps, replace(anna, name="Renamed", administrator=True))
    assert app_of(apps, anna) is not app_of(apps, boris)


async def test_a_confirmation_of_one_person_is_nothing_to_another_on_any_replica(
    sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    redis: Any = None
    replicas = [
        PeoplesApps(Settings(), sign_ins, Shared(redis, SharedBudget(redis), "the key of all replicas"))
        for _ in range(2)
    ]
    of_anna, of_anna_elsewhere = (app_of(apps, portal.person(ANNA)).seal for apps in replicas)
    of_boris = app_of(replicas[1], portal.person(BORIS)).seal
    assert of_anna is not None
    assert of_anna_elsewhere is not None
    assert of_boris is not None
    act = Act("connector_delete", "the portal", {"id": 1})
    token = of_anna.issue(act, of_anna.digest("state"))
    of_anna_elsewhere.check(token, act, of_anna_elsewhere.digest("state"))
    with pytest.raises(ConfirmationError, match="not the token of a preview"):
        of_boris.check(token, act, of_boris.digest("state"))


async def test_an_app_is_dropped_when_it_is_idle_and_not_before(
    sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    clock = Clock()
    apps = PeoplesApps(Settings(), sign_ins, clock=clock)
    anna, boris = Caller(person=portal.person(ANNA)), Caller(person=portal.person(BORIS))

    def call_of_boris() -> None:
        with called_by(boris), apps.held():
            apps.current()

    with called_by(anna), apps.held():
        first = apps.current()
        clock.now += 10 * IDLE_S
        call_of_boris()
        assert apps.current() is first
        clock.now += 10 * IDLE_S
    # The end of a call counts as its use.
    clock.now += IDLE_S
    call_of_boris()
    assert app_of(apps, portal.person(ANNA)) is first
    first.plans["shown"] = cast("Any", None)
    clock.now += AWAITED_S
    call_of_boris()
    assert app_of(apps, portal.person(ANNA)) is first
    first.plans.clear()
    clock.now += IDLE_S + 1
    call_of_boris()
    assert len(apps) == 1
    assert app_of(apps, portal.person(ANNA)) is not first


async def test_the_secrets_of_the_server_and_of_others_are_out_of_reach(
    sign_ins: SignIns, portal: PeoplesPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "the operator's")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "sample").write_text("the operator's")
    settings = Settings(
        configuration_folder=tmp_path, secrets_folder=tmp_path / "secrets", workspace_folder=tmp_path
    )
    own = PeoplesSecrets(folder=tmp_path, documents=sign_ins.documents, origin="https://bi.example")
    apps = PeoplesApps(settings, replace(sign_ins, secrets=own))
    anna, boris = (app_of(apps, portal.person(user)) for user in (ANNA, BORIS))
    for app in (anna, boris):
        assert app.workspace_folder is None
        for reference in (EnvReference(env="BI_MCP_SECRET_SAMPLE"), FileReference(file="sample")):
            with pytest.raises(SecretReferenceError):
                app.setting_values.refer("password", reference, ["https://api.example"])
        assert list(app.setting_values.variables("BI_MCP_SECRET_")) == []
    assert anna.setting_values.named is not None
    anna.setting_values.named.store("sample", Secret("Anna's"), ["api.example"])
    stored = SecretReference(secret="sample")
    found = anna.setting_values.refer("password", stored, ["https://api.example"])
    assert found == Secret("Anna's")
    with pytest.raises(SecretReferenceError):
        boris.setting_values.refer("password", stored, ["https://api.example"])


async def test_a_plan_and_an_export_are_known_to_the_person_alone(
    apps: PeoplesApps, portal: PeoplesPortal
) -> None:
    anna, boris = (app_of(apps, portal.person(user)) for user in (ANNA, BORIS))
    anna.remember("token", cast("Any", None))
    anna.remember_export(cast("Any", None))
    assert (boris.plans, boris.exports) == ({}, {})


async def test_people_share_connections_and_nothing_else(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_portal, "POOLS", 1)
    people = [await sign_in(sign_ins, portal, user) for user in range(ANNA, ANNA + 5)]
    for person in people:
        await app_of(apps, person).bi.connectors.list_page()
        # An app that goes leaves the connections to the others.
        await app_of(apps, person).aclose()
    assert portal.tokens == {await access_token(sign_ins, person) for person in people}
    assert portal.cookies == []
    assert len(portal.connections) == 1


async def test_reads_that_people_issue_together_are_not_gathered_across_them(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    people = [await sign_in(sign_ins, portal, user) for user in (ANNA, BORIS)]
    asked: dict[str, Any] = {}

    async def ask(person: Person) -> None:
        asked[person.mark] = await app_of(apps, person).bi.connectors.list_page()

    async with anyio.create_task_group() as group:
        for person in people * 10:
            group.start_soon(ask, person)
    assert asked.keys() == {person.mark for person in people}
    assert portal.tokens == {await access_token(sign_ins, person) for person in people}


async def test_a_login_is_renewed_with_the_secret_that_the_operator_configured_last(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    anna = portal.person(ANNA)
    old = portal.grant(ANNA, now=time.time() - 7200)
    outdated = replace(old.application, client_secret=Secret("from before it was changed"))
    await sign_ins.logins.keep(anna, replace(old, application=outdated))
    await app_of(apps, anna).bi.connectors.list_page()
    assert portal.tokens == {await access_token(sign_ins, anna)} != {old.token.access_token.reveal()}


async def test_a_login_that_the_portal_refuses_for_good_disconnects_the_person(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    old = portal.grant(ANNA, now=time.time() - 7200)
    withdrawn = replace(old, token=replace(old.token, refresh_token=Secret("withdrawn")))
    anna = await sign_in(sign_ins, portal, ANNA, withdrawn)
    boris = await sign_in(sign_ins, portal, BORIS)
    with pytest.raises(AuthorisationError, match=r"Sign in to the server again") as refused:
        await app_of(apps, anna).bi.connectors.list_page()
    assert refused.value.code == "invalid_grant"
    assert [len(await sign_ins.clients.of(person)) for person in (anna, boris)] == [0, 1]
    with pytest.raises(AuthorisationError, match="no login of the portal for this person"):
        await app_of(apps, anna).bi.connectors.list_page()
    await app_of(apps, boris).bi.connectors.list_page()
    # Who signs in again goes on.
    await sign_in(sign_ins, portal, ANNA)
    await app_of(apps, anna).bi.connectors.list_page()


async def test_who_signs_in_again_is_served_though_their_app_has_the_former_login(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    anna = await sign_in(sign_ins, portal, ANNA)
    bi = app_of(apps, anna).bi
    await bi.connectors.list_page()
    # The application was removed from the portal, and installed again.
    portal.app.state.tokens.forget_tokens()
    with pytest.raises(AuthenticationError, match="invalid_token"):
        await bi.connectors.list_page()
    await sign_in(sign_ins, portal, ANNA)
    await bi.connectors.list_page()


async def test_what_runs_for_a_person_who_is_signed_out_stops(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.auth.session.LOOK_AGAIN_S", 0.0)
    anna, boris = [await sign_in(sign_ins, portal, user) for user in (ANNA, BORIS)]
    # A call that goes on for long, such as the application of a setup.
    running, other = app_of(apps, anna).bi, app_of(apps, boris).bi
    for bi in (running, other):
        await bi.connectors.list_page()
    await sign_ins.sign_out(anna)
    for _ in range(2):
        with pytest.raises(AuthorisationError, match="no login of the portal for this person"):
            await running.connectors.list_page()
    await other.connectors.list_page()
    await sign_in(sign_ins, portal, ANNA)
    await running.connectors.list_page()


async def test_a_clock_that_is_set_back_costs_no_login(
    apps: PeoplesApps, sign_ins: SignIns, portal: PeoplesPortal
) -> None:
    tokens = portal.app.state.tokens
    tokens.lifetimes = Lifetimes(access=-1)
    # Our clock was ahead: the portal calls the token expired while we think it lives.
    ahead = portal.grant(ANNA, now=time.time() + 7200)
    tokens.lifetimes = Lifetimes()
    anna = await sign_in(sign_ins, portal, ANNA, ahead)
    await app_of(apps, anna).bi.connectors.list_page()
    renewed = await sign_ins.logins.load(anna.mark)
    assert isinstance(renewed, Grant)
    assert renewed.token.refresh_token != ahead.token.refresh_token
    assert renewed.token.expires_at < ahead.token.expires_at


async def test_people_of_one_portal_keep_off_each_others_addresses(
    apps: PeoplesApps, portal: PeoplesPortal
) -> None:
    anna, boris = (app_of(apps, portal.person(user)) for user in (ANNA, BORIS))
    async with anna.portal.addresses_settled:
        assert boris.portal.one_at_a_time.locked()


async def test_a_history_is_kept_of_the_portal_and_says_who(
    sign_ins: SignIns, portal: PeoplesPortal, tmp_path: Path
) -> None:
    apps = PeoplesApps(Settings(configuration_folder=tmp_path), sign_ins)
    with pytest.raises(InvalidRequestError, match="No history is kept"):
        _ = app_of(PeoplesApps(Settings(), sign_ins), portal.person(ANNA)).history
    for user in (ANNA, BORIS):
        person = await sign_in(sign_ins, portal, user)
        with called_by(Caller(person=person)):
            bi = apps.current().bi
            await bi.connectors.add(connector_fields())
    entries = app_of(apps, portal.person(ANNA)).history.entries()
    assert [entry.user for entry in entries] == [ANNA, BORIS]
    await apps.aclose()
