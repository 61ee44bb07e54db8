"""Where parametrised sources may connect to."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from bi_mcp.connector.access.allowed_hosts import AllowedHosts
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.errors import ConfigError

PUBLIC = "93.184.216.34"


def found(
    entries: Sequence[str], host: str, *addresses: str, port: int = 5432, resolved: list[str] | None = None
) -> str:
    """The address that a host leads to where its name stands for these addresses; its status if it is refused."""

    def resolve(name: str, _: int) -> Sequence[str]:
        (resolved if resolved is not None else []).append(name)
        return addresses

    try:
        return str(AllowedHosts(entries, resolve).find_address(host, port)[1])
    except RefusalError as error:
        return str(error.status)


@pytest.mark.parametrize(
    ("entries", "host", "address", "answer"),
    [
        (["db.example"], "db.example", PUBLIC, PUBLIC),
        (["db.example"], "DB.example.", PUBLIC, PUBLIC),
        (["db.example"], "other.example", PUBLIC, "403"),
        (["db.example"], "sub.db.example", PUBLIC, "403"),
        (["*.db.example"], "sub.db.example", PUBLIC, PUBLIC),
        (["*.db.example"], "db.example", PUBLIC, "403"),
        (["*.db.example"], "evildb.example", PUBLIC, "403"),
        (["db.example:5432"], "db.example", PUBLIC, PUBLIC),
        (["db.example:5433"], "db.example", PUBLIC, "403"),
        # A name that is written out may be in a private network, a whole domain may not.
        (["db.internal"], "db.internal", "10.0.0.7", "10.0.0.7"),
        (["db.internal"], "db.internal", "127.0.0.1", "127.0.0.1"),
        (["*.internal"], "db.internal", "10.0.0.7", "403"),
        (["*.internal"], "db.internal", "127.0.0.1", "403"),
        (["*.internal", "10.0.0.0/16"], "db.internal", "10.0.3.7", "10.0.3.7"),
        (["*.internal", "10.0.0.0/16"], "db.internal", "10.1.3.7", "403"),
        # Nobody means these by a name.
        (["db.internal"], "db.internal", "169.254.169.254", "403"),
        (["db.internal"], "db.internal", "fe80::1", "403"),
        (["db.internal"], "db.internal", "::ffff:169.254.169.254", "403"),
        (["db.internal"], "db.internal", "0.0.0.0", "403"),
        (["*.example"], "db.example", "100.100.100.200", "403"),
        # Literal addresses.
        (["10.0.0.7"], "10.0.0.7", "", "10.0.0.7"),
        (["10.0.0.7"], "10.0.0.8", "", "403"),
        (["10.0.0.7:5432"], "10.0.0.7", "", "10.0.0.7"),
        (["10.0.0.0/24"], "10.0.0.8", "", "10.0.0.8"),
        (["[fd00::7]:5432"], "fd00::7", "", "fd00::7"),
        (["fd00::7"], "fd00:0::7", "", "fd00::7"),
        (["127.0.0.1"], "0x7f000001", "", "127.0.0.1"),
        (["127.0.0.1"], "2130706433", "", "127.0.0.1"),
        (["db.internal"], "127.1", "", "403"),
        (["db.internal"], "127.0.0.1", "", "403"),
        ([], "db.internal", PUBLIC, "403"),
        (["db.internal"], "a,db.internal", PUBLIC, "400"),
        (["db.internal"], "db.internal/x", PUBLIC, "400"),
        (["db.internal"], "/var/run/postgresql", PUBLIC, "400"),
        (["fe80::1"], "fe80::1%eth0", "", "400"),
    ],
)
def test_a_host_is_reached_only_where_the_list_and_its_address_allow_it(
    entries: Sequence[str], host: str, address: str, answer: str
) -> None:
    assert found(entries, host, address) == answer


def test_every_address_of_a_name_must_be_allowed() -> None:
    assert found(["*.example"], "db.example", PUBLIC, "10.0.0.1") == "403"


def test_a_name_is_resolved_once_and_its_judged_address_returned() -> None:
    resolved = list[str]()
    assert found(["*.example"], "db.example", "2606:2800:220:1::1", PUBLIC, resolved=resolved) == PUBLIC
    assert resolved == ["db.example"]


def test_what_is_not_on_the_list_is_not_even_resolved() -> None:
    resolved = list[str]()
    assert found(["db.example"], "secret-of-the-network.internal", PUBLIC, resolved=resolved) == "403"
    assert resolved == []


def test_a_name_without_an_address_is_told() -> None:
    assert found(["db.example"], "db.example") == "503"


@pytest.mark.parametrize(
    "entry", ["", "https://db.example", "db.example:x", "db.*", "*", "10.0.0.0/99", "a b"]
)
def test_an_entry_that_is_no_host_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(ConfigError, match="--allow-host"):
        AllowedHosts([entry])


def test_the_address_is_one() -> None:
    name, ip = AllowedHosts(["localhost"]).find_address("LOCALHOST", 1)
    assert (name, ip.is_loopback) == ("localhost", True)
    assert ip_address(str(ip)) == ip
