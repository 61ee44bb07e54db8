"""Tricks to make a server call an address that it must not call."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from bi_mcp.base.ip_addresses import why_not_public
from bi_mcp.endpoints.guard import Resolver, find_destination, parse_address
from bi_mcp.errors import EndpointError
from tests.security.addresses import BROKEN, NAMES, PRIVATE, PUBLIC

pytestmark = pytest.mark.anyio


async def resolver(host: str, _: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError("no such host")
    return NAMES[host]


async def refusal(url: str, resolver: Resolver = resolver) -> str | None:
    try:
        await find_destination(parse_address(url), allow_private=False, resolver=resolver)
    except EndpointError as error:
        return error.reason
    return None


@pytest.mark.parametrize("url", PRIVATE)
async def test_an_address_inside_is_refused_however_it_is_spelt(url: str) -> None:
    assert await refusal(url) == "refused_address"


@pytest.mark.parametrize("url", BROKEN)
async def test_an_address_that_readers_could_understand_differently_is_refused(url: str) -> None:
    assert await refusal(url) == "bad_address"


@pytest.mark.parametrize(("url", "origin"), PUBLIC.items())
async def test_a_public_address_may_be_called(url: str, origin: str) -> None:
    address = parse_address(url)
    destination = await find_destination(address, allow_private=False, resolver=resolver)

    assert address.origin == origin
    assert destination.ips
    assert destination.not_public is None


async def test_a_name_is_resolved_once_and_ipv4_comes_first() -> None:
    asked = []

    async def counting(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return NAMES[host]

    destination = await find_destination(
        parse_address("https://two.example:444/x"), allow_private=False, resolver=counting
    )

    assert asked == [("two.example", 444)]
    assert [str(ip) for ip in destination.ips] == ["93.184.216.34", "2606:2800:220:1::1"]


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_profile_that_allows_them_is_told_what_they_are(url: str) -> None:
    destination = await find_destination(parse_address(url), allow_private=True, resolver=resolver)

    assert destination.not_public


async def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    assert await refusal("https://nowhere.example/") == "unresolved"


async def test_a_resolver_that_answers_nonsense_reaches_nothing() -> None:
    async def nonsense(_host: str, _port: int) -> Sequence[str]:
        return ["not an address"]

    assert await refusal("https://shop.example/", nonsense) == "unresolved"


async def test_a_refusal_names_the_kind_of_address_and_the_way_out() -> None:
    with pytest.raises(EndpointError, match=r"metadata service of a cloud.*allow private"):
        await find_destination(parse_address("http://169.254.169.254/"), allow_private=False)


async def test_the_refusal_of_a_broken_address_does_not_repeat_it() -> None:
    with pytest.raises(EndpointError) as caught:
        parse_address("https://user:hunter2@shop.example/")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2a00:1450:4001:81b::200e", "2002:808:808::1"])
def test_the_public_internet_is_public(text: str) -> None:
    assert why_not_public(ip_address(text)) is None
