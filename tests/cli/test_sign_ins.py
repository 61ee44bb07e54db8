"""`bi-mcp sign-ins`: the operator sees who connected what, never a token, and withdraws it at once."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from bi_mcp.app.replicas import open_shared
from bi_mcp.app.sign_in.portal_entry import Entered
from bi_mcp.app.sign_in.sign_ins import SignIns, open_sign_ins
from bi_mcp.auth.person import Person
from bi_mcp.cli import main
from bi_mcp.config import http_settings
from tests.app.replicas.conftest import redis, redis_server
from tests.app.sign_in.people import ANNA, BORIS, asked, grant

__all__ = ["redis", "redis_server"]

ELSEWHERE = Person(portal="https://beta.bitrix24.example", user_id=7, name="\x1b[31mAnna")


@pytest.fixture(params=["folder", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder, and with Redis an empty store beside it."""
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path))
    if request.param == "redis":
        monkeypatch.setenv("BI_MCP_SHARED_STORE", request.getfixturevalue("redis"))
        monkeypatch.setenv("BI_MCP_SHARED_KEY", "a-shared-key-of-the-two-replicas")
    return tmp_path


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sign-ins", *arguments], terminal_width=300)


def connected(config: Path, *people: Person) -> list[str]:
    """Let people in, each with a client; return the access tokens."""

    async def connect() -> list[str]:
        async with open_shared(http_settings()) as shared:
            sign_ins = open_sign_ins([], config, shared)
            return [await access_of(sign_ins, person) for person in people]

    return anyio.run(connect)


async def access_of(sign_ins: SignIns, person: Person) -> str:
    entered = Entered(person=person, grant=grant(1_800_000_000))
    code = await sign_ins.let_in(entered, asked("Claude"), ("read",))
    issued = await sign_ins.clients.redeem(code.reveal())
    assert issued is not None
    return issued.access.reveal()


def opens(config: Path, token: str) -> bool:
    async def look() -> bool:
        async with open_shared(http_settings()) as shared:
            return await open_sign_ins([], config, shared).clients.find_access(token) is not None

    return anyio.run(look)


def test_the_list_says_who_connected_what_and_shows_no_token(config: Path) -> None:
    assert ran("list").output == "Nobody has connected a client.\n"
    tokens = connected(config, ANNA, BORIS, ELSEWHERE)
    shown = ran("list").output
    for text in ("acme.bitrix24.example", "beta.bitrix24.example", "Anna Ivanova", "Boris Petrov", "Claude"):
        assert text in shown
    assert "\x1b" not in shown
    known = json.loads(ran("list", "--portal", "acme.bitrix24.example", "--json").output)["clients"]
    assert [(each["portal"], each["user"], each["rights"]) for each in known] == [
        (BORIS.portal, 8, ["read"]),
        (ANNA.portal, 7, ["read"]),
    ]
    assert not any(secret in shown for token in tokens for secret in (token, token[-43:]))
    assert "refresh-1" not in shown


def test_a_user_a_client_or_everybody_is_revoked_at_once(config: Path) -> None:
    anna, boris, elsewhere = connected(config, ANNA, BORIS, ELSEWHERE)
    done = ran("revoke", "--user", "acme.bitrix24.example:7", "--yes")
    assert "Anna Ivanova" in done.output
    assert done.output.endswith("Revoked 1 client. Its tokens open nothing any more.\n")
    assert [opens(config, token) for token in (anna, boris, elsewhere)] == [False, True, True]
    (client,) = [
        each["id"] for each in json.loads(ran("list", "--json").output)["clients"] if each["user"] == 8
    ]
    assert ran("revoke", "--client", client, "--yes").exit_code == 0
    assert [opens(config, token) for token in (boris, elsewhere)] == [False, True]
    assert ran("revoke", "--all", "--yes").exit_code == 0
    assert not opens(config, elsewhere)
    assert ran("list").output == "Nobody has connected a client.\n"


def test_nothing_is_revoked_that_nobody_confirms_or_that_is_not_there(config: Path) -> None:
    (anna,) = connected(config, ANNA)
    asked_nobody = ran("revoke", "--all")
    assert asked_nobody.exit_code == 1
    assert "Add --yes" in asked_nobody.output
    for arguments in (("--user", "acme.bitrix24.example:8"), ("--user", "7"), ("--client", "9c41")):
        refused = ran("revoke", *arguments, "--yes")
        assert refused.exit_code == 1
        assert "bi-mcp sign-ins list" in refused.output
    assert ran("revoke", "--yes").exit_code == 2
    assert ran("revoke", "--all", "--client", "9c41", "--yes").exit_code == 2
    assert opens(config, anna)


def test_a_store_without_its_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("BI_MCP_SHARED_STORE", "redis://:hunter2@127.0.0.1:1/0")
    refused = ran("list")
    assert "BI_MCP_SHARED_KEY" in refused.output
    assert "hunter2" not in refused.output
