"""Secrets of one person are nothing to another, and neither are the tickets of the pages that ask for them."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from bi_mcp.app.sign_in import peoples_secrets
from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.app.sign_in.peoples_secrets import MOST_TICKETS, TICKET_LIFETIME_S, PeoplesSecrets
from bi_mcp.base.secret import Secret
from bi_mcp.vault.asking import WantedSecret
from bi_mcp.vault.known_values import known_values
from bi_mcp.vault.setting_values import SettingValues
from bi_mcp.vault.stored_values import stored_values
from bi_mcp.vault.travel import check_values
from tests.app.sign_in.people import ANNA, BORIS
from tests.app.sign_in.stores import Clock
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio

WANTED = WantedSecret("shop", ("shop.example",), "acme", "Shop")
VALUE = Secret("value-canary")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(tmp_path: Path, clock: Clock) -> PeoplesSecrets:
    return replica(tmp_path, clock)


def replica(folder: Path, clock: Clock) -> PeoplesSecrets:
    documents = DocumentFolder(folder / "sign-in", clock=clock)
    return PeoplesSecrets(folder=folder, documents=documents, origin="https://bi.example", clock=clock)


async def test_a_ticket_is_its_persons_and_any_replica_honours_it(
    secrets: PeoplesSecrets, tmp_path: Path, clock: Clock
) -> None:
    page = await secrets.pages(ANNA).open(WANTED)
    ticket = page.url.rpartition("/")[2]
    assert page.url == f"https://bi.example/secrets/{ticket}"
    assert ticket not in repr(page)
    other = replica(tmp_path, clock)
    assert await other.find(ANNA, ticket) == WANTED
    assert await other.find(BORIS, ticket) is None
    assert await other.find(ANNA, ticket[:-1]) is None
    assert await other.find(ANNA, "ü") is None
    assert (await other.pages(ANNA).open(WANTED)).url == page.url
    await other.close(BORIS, ticket)
    assert await secrets.find(ANNA, ticket) == WANTED


async def test_a_ticket_ends_after_ten_minutes_each_by_itself(secrets: PeoplesSecrets, clock: Clock) -> None:
    first = await secrets.open(ANNA, WANTED)
    clock.now += TICKET_LIFETIME_S - 1
    second = await secrets.open(ANNA, WantedSecret("other", ("a.example",), "acme", "A"))
    assert await secrets.find(ANNA, first) == WANTED
    clock.now += 1
    assert await secrets.find(ANNA, first) is None
    assert await secrets.find(ANNA, second) is not None


async def test_many_questions_are_not_many_tickets(secrets: PeoplesSecrets) -> None:
    boris = await secrets.open(BORIS, WANTED)
    async with anyio.create_task_group() as group:
        for number in range(2 * MOST_TICKETS):
            wanted = WantedSecret(f"shop{number}", ("shop.example",), "acme", "Shop")
            group.start_soon(secrets.open, ANNA, wanted)
    assert len(await secrets._tickets(ANNA)) == MOST_TICKETS
    assert await secrets.find(BORIS, boris) == WANTED


async def test_a_call_that_waits_hears_of_a_value_that_another_replica_took(
    secrets: PeoplesSecrets, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peoples_secrets, "_LOOK_EVERY_S", 0.001)
    page = await secrets.pages(ANNA).open(WANTED)
    other = await replica(tmp_path, clock).pages(ANNA).open(WANTED)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(page.wait)
            await other.close()


def test_a_persons_secret_concerns_nobody_else_and_needs_no_keyring(
    secrets: PeoplesSecrets, tmp_path: Path
) -> None:
    keyring = Keyring()
    with system_keyring(keyring):
        secrets.of(ANNA).store("shop", VALUE, ["shop.example"])
        secrets.of(ANNA).store("shop", Secret("next-canary"), ["shop.example"])
        secrets.of(BORIS).store("shop", Secret("boris-canary"), ["b.example"])
    assert not keyring.entries
    hers, his = secrets.of(ANNA), secrets.of(BORIS)
    assert his.value(his.known()["shop"]) == Secret("boris-canary")
    # Present values, former ones by their fingerprints, and with other keys.
    assert [secret.name for secret in stored_values(hers).owners(VALUE)] == ["shop"]
    assert stored_values(his).owners(VALUE) == []
    assert stored_values(his).owners(Secret("next-canary")) == []
    assert hers.key("file") != his.key("file")
    assert known_values(SettingValues.of_person(hers)).may_hold(VALUE)
    assert not known_values(SettingValues.of_person(his)).may_hold(VALUE)
    check_values(his, {"password": VALUE}, ["https://elsewhere.example"])
    kept = [path for path in (tmp_path / "people").rglob("*") if path.is_file()]
    assert {path.parent.name for path in kept} == {ANNA.mark, BORIS.mark}
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "people").iterdir())


def test_two_replicas_on_one_volume_keep_what_both_stored(
    secrets: PeoplesSecrets, tmp_path: Path, clock: Clock
) -> None:
    other = replica(tmp_path, clock)
    secrets.of(ANNA).store("first", VALUE, ["a.example"])
    other.of(ANNA).store("second", Secret("second-canary"), ["a.example"])
    first = other.of(ANNA).known()["first"]
    assert other.of(ANNA).value(first) == VALUE
    other.of(ANNA).remove("first")
    assert list(secrets.of(ANNA).known()) == ["second"]
    assert [secret.name for secret in stored_values(secrets.of(ANNA)).owners(VALUE)] == ["first"]
