from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.app.sign_in.registered_clients import UNUSED_LIFETIME_S, USED_LIFETIME_S, RegisteredClients
from tests.app.sign_in.stores import Clock, FolderStore

pytestmark = pytest.mark.anyio


async def test_a_client_lives_as_long_as_it_is_used(tmp_path: Path) -> None:
    clock = Clock()
    clients = RegisteredClients(FolderStore(tmp_path, clock).open(), clock=clock)
    assert await clients.register("unused-client", {"client_id": "unused-client"})
    assert await clients.register("used-client", {"client_id": "used-client"})
    await clients.mark_used("used-client")
    clock.now += UNUSED_LIFETIME_S
    assert await clients.find("unused-client") is None
    for _ in range(3):
        clock.now += USED_LIFETIME_S - UNUSED_LIFETIME_S - 1
        assert await clients.find("used-client") == {"client_id": "used-client"}
        await clients.mark_used("used-client")
    clock.now += USED_LIFETIME_S
    assert await clients.find("used-client") is None


async def test_a_used_client_takes_no_place_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.app.sign_in.registered_clients.MOST_UNUSED", 1)
    clock = Clock()
    clients = RegisteredClients(FolderStore(tmp_path, clock).open(), clock=clock)
    for number in range(3):
        assert await clients.register(f"client-number-{number}", {})
        await clients.mark_used(f"client-number-{number}")
    assert await clients.find("client-number-0") == {}


async def test_a_flood_keeps_new_clients_out_for_ten_minutes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.app.sign_in.registered_clients.MOST_UNUSED", 1)
    clock = Clock()
    clients = RegisteredClients(FolderStore(tmp_path, clock).open(), clock=clock)
    assert await clients.register("of-a-stranger", {})
    assert not await clients.register("of-a-person", {})
    clock.now += 600
    assert await clients.register("of-a-person", {"a": 1})
    assert await clients.find("of-a-stranger") is None
    assert await clients.find("of-a-person") == {"a": 1}
