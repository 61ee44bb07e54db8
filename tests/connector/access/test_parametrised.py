"""Databases that the settings of a source name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.allowed_hosts import AllowedHosts
from bi_mcp.connector.access.attempts import MOST, MOST_AT_SERVER, Attempts
from bi_mcp.connector.access.keys import key_from
from bi_mcp.connector.access.opened import UNUSED_S, OpenedSources
from bi_mcp.connector.access.parametrised import ParametrisedAccess
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import Source
from bi_mcp.errors import ConfigError
from tests.connector.service.memory import MemorySource

SETTINGS = {"host": "db.example", "database": "shop", "login": "bi", "password": "canary p@ss/word"}

OWN = (
    "passfile=/dev/null/none&sslcert=/dev/null/none&sslkey=/dev/null/none&gssencmode=disable&krbsrvname=none"
)


class Server:
    """Databases in memory; one password is right."""

    def __init__(self) -> None:
        self.addresses = list[str]()
        self.sources = list[MemorySource]()

    def open(self, address: Secret, _: SourceOptions) -> Source:
        source = MemorySource({})
        if "canary" not in address.reveal():
            source.fault = SourceError(503, "The database refuses the login.", "no such password")
        self.addresses.append(address.reveal())
        self.sources.append(source)
        return source


def access_of(server: Server, *, kind: str = "postgresql", keys: Sequence[Secret] = ()) -> ParametrisedAccess:
    hosts = AllowedHosts(["db.example", "[2606:2800:220:1::1]"], lambda *_: ["93.184.216.34"])
    access = ParametrisedAccess(
        kind, hosts, keys=[key_from(key, "") for key in keys], open_source=server.open
    )
    server.addresses.clear()
    server.sources.clear()
    return access


def test_the_settings_become_an_address_with_the_judged_ip() -> None:
    server = Server()
    access_of(server).identify({**SETTINGS})
    access_of(server, kind="mysql").identify({**SETTINGS, "port": "3307"})
    assert server.addresses == ["mysql://bi:canary%20p%40ss%2Fword@93.184.216.34:3307/shop"]


def test_a_driver_that_takes_the_ip_beside_the_name_keeps_the_name_for_the_certificate() -> None:
    server = Server()
    access = access_of(server)
    access.identify({**SETTINGS})
    access.identify({**SETTINGS, "host": "2606:2800:220:1:0::1"})
    login = "postgresql://bi:canary%20p%40ss%2Fword"
    assert server.addresses == [
        f"{login}@db.example:5432/shop?hostaddr=93.184.216.34&{OWN}",
        f"{login}@[2606:2800:220:1::1]:5432/shop?hostaddr=2606:2800:220:1::1&{OWN}",
    ]


def test_the_same_settings_share_a_source_and_others_do_not() -> None:
    server = Server()
    access = access_of(server)
    first, second = access.identify({**SETTINGS}), access.identify({**SETTINGS})
    third = access.identify({**SETTINGS, "database": "crm"})
    assert first.source is second.source is not third.source
    access.close()
    assert all(source.closed for source in server.sources)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"host": ""}, 401),
        ({"login": ""}, 401),
        ({"database": ""}, 401),
        ({"password": ""}, 401),
        ({"host": "other.example"}, 403),
        ({"host": "127.0.0.1"}, 403),
        ({"port": "x"}, 400),
        ({"port": "70000"}, 400),
        ({"database": "shop?hostaddr=127.0.0.1"}, 400),
        ({"database": "shop#x"}, 400),
        ({"password": "wrong"}, 503),
    ],
)
def test_what_is_not_right_is_refused(changed: dict[str, str], status: int) -> None:
    server = Server()
    with pytest.raises(RefusalError) as refused:
        access_of(server).identify({**SETTINGS, **changed})
    assert refused.value.status == status
    assert all(source.closed for source in server.sources)


def test_a_driver_takes_no_credential_from_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    psycopg = pytest.importorskip("psycopg")
    passwords = tmp_path / "passwords"
    passwords.write_text("*:*:*:*:canary-of-the-operator\n", encoding="utf-8")
    for name in ("PGPASSFILE", "PGSSLCERT", "PGSSLKEY"):
        monkeypatch.setenv(name, str(passwords))
    monkeypatch.setenv("PGKRBSRVNAME", "postgres")
    server = Server()
    access_of(server).identify({**SETTINGS})
    [address] = server.addresses
    said = {
        option.keyword.decode(): option.val
        for option in psycopg.pq.Conninfo.parse(address.encode())
        if option.val is not None
    }
    taken = {name for name in ("passfile", "sslcert", "sslkey") if said[name] != b"/dev/null/none"}
    assert (taken, said["krbsrvname"], said["gssencmode"]) == (set(), b"none", b"disable")


def test_settings_cannot_add_parameters_to_the_address() -> None:
    server = Server()
    access_of(server).identify(
        {**SETTINGS, "login": "bi@127.0.0.1/x?hostaddr=127.0.0.1#", "password": "canary@h/?"}
    )
    assert server.addresses == [
        f"postgresql://bi%40127.0.0.1%2Fx%3Fhostaddr%3D127.0.0.1%23:canary%40h%2F%3F@db.example:5432/shop?hostaddr=93.184.216.34&{OWN}"
    ]


def test_a_login_that_failed_often_is_not_tried_again() -> None:
    server = Server()
    access = access_of(server)
    statuses = []
    for _ in range(MOST + 2):
        with pytest.raises(RefusalError) as refused:
            access.identify({**SETTINGS, "password": "wrong"})
        statuses.append(refused.value.status)
    assert statuses == [503] * MOST + [429] * 2
    assert len(server.sources) == MOST
    access.identify({**SETTINGS, "login": "other"})


@pytest.mark.parametrize(
    "change",
    [lambda at: {"database": f"x{at}"}, lambda at: {"host": "db.example" if at % 2 else "DB.Example."}],
)
def test_a_login_stays_the_same_at_another_database_or_spelling_of_the_host(
    change: Callable[[int], dict[str, str]],
) -> None:
    access = access_of(Server())
    statuses = []
    for at in range(MOST + 2):
        with pytest.raises(RefusalError) as refused:
            access.identify({**SETTINGS, "password": "wrong", **change(at)})
        statuses.append(refused.value.status)
    assert statuses == [503] * MOST + [429] * 2


def test_a_server_has_a_limit_for_all_logins() -> None:
    access = access_of(Server())
    statuses = []
    for at in range(MOST_AT_SERVER + 2):
        with pytest.raises(RefusalError) as refused:
            access.identify({**SETTINGS, "password": "wrong", "login": f"bi{at}"})
        statuses.append(refused.value.status)
    assert statuses == [503] * MOST_AT_SERVER + [429] * 2


def test_of_too_many_attempts_the_oldest_are_forgotten() -> None:
    attempts = Attempts(most=1, kept=2)
    for login in "abc":
        attempts.note_failure(login)
    attempts.check("a")
    for login in "bc":
        with pytest.raises(RefusalError):
            attempts.check(login)


def test_one_host_in_two_spellings_is_one_source() -> None:
    access = access_of(Server())
    first, second = access.identify({**SETTINGS}), access.identify({**SETTINGS, "host": "DB.example"})
    assert first.source is second.source


def test_failed_attempts_are_forgotten_after_a_minute() -> None:
    now = 0.0
    attempts = Attempts(clock=lambda: now)
    for _ in range(MOST):
        attempts.note_failure("bi")
    with pytest.raises(RefusalError):
        attempts.check("bi")
    now = 61.0
    attempts.check("bi")


def test_with_keys_a_request_needs_one_before_anything_is_resolved() -> None:
    server = Server()
    access = access_of(server, keys=[Secret("key-of-the-connector")])
    assert [setting.code for setting in access.settings][-1] == "key"
    with pytest.raises(RefusalError) as refused:
        access.identify({**SETTINGS, "host": "other.example"})
    assert refused.value.status == 401
    assert access.identify({**SETTINGS, "key": "key-of-the-connector"}).place == "db.example"


@pytest.mark.parametrize(
    "kind", ["sqlite", "duckdb", "file", "postgresql+psycopg", "", "clickhouse", "trino"]
)
def test_what_opens_files_of_this_machine_or_leaves_the_judged_address_is_no_kind(kind: str) -> None:
    with pytest.raises(ConfigError, match="--parametrised"):
        access_of(Server(), kind=kind)


def test_sources_that_nobody_uses_are_closed_and_used_ones_are_not() -> None:
    now = 0.0
    opened = OpenedSources(most_unused=1, clock=lambda: now)
    sources = [MemorySource({}) for _ in range(3)]
    for key, source in enumerate(sources):
        opened.add(key, source)
    opened.release(0)
    opened.release(1)
    assert [source.closed for source in sources] == [True, False, False]
    now = UNUSED_S + 1
    opened.find(2)
    opened.release(2)
    assert [source.closed for source in sources] == [True, True, False]


def test_of_two_that_are_opened_at_once_one_is_kept() -> None:
    opened = OpenedSources()
    first, second = MemorySource({}), MemorySource({})
    assert opened.add("key", first) is first
    assert opened.add("key", second) is first
    assert (first.closed, second.closed) == (False, True)
