"""Tricks to make a server call an address that it must not call."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from bi_mcp.endpoints.guard import Resolver, find_destination, parse_address, why_not_public
from bi_mcp.errors import EndpointError

pytestmark = pytest.mark.anyio

NAMES = {
    "shop.example": ["93.184.216.34"],
    "two.example": ["2606:2800:220:1::1", "93.184.216.34"],
    "inside.example": ["10.0.0.5"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mixed6.example": ["93.184.216.34", "::1"],
    "localhost": ["127.0.0.1", "::1"],
    "app.localhost": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "zoned.example": ["fe80::1%eth0"],
    "rebind.example": ["0.0.0.0"],
    "xn--mgbh0fb.example": ["192.168.1.1"],
    "xn--e1aybc.xn--p1ai": ["93.184.216.34"],
}


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


PRIVATE = [
    "http://127.0.0.1/",
    "http://127.8.9.10:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7F000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://127.0.0.\ufeff1/",
    "http://0x7f.\ufeff1/",
    "http://0\u200b177.1/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://0xC0A80001/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://192.0.0.1/",
    "http://192.0.0.8/",
    "http://192.0.0.9/",
    "http://192.0.0.10/",
    "http://192.0.0.255/",
    "http://[::ffff:192.0.0.9]/",
    "http://[64:ff9b::192.0.0.10]/",
    "http://[3fff::1]/",
    "http://[3fff:fff:ffff::1]/",
    "http://[2001:1::1]/",
    "http://[2001:1::2]/",
    "http://[2001:20::1]/",
    "http://[5f00::1]/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://203.0.113.9/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]:80/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::8.8.8.8]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:c0a8:1::1]/",
    "http://[2001:0:1234::f5ff:fffe]/",
    "http://[2001:db8::1]/",
    "http://[2606:2800::5efe:10.0.0.1]/",
    "http://[fe80::5efe:8.8.8.8]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://app.localhost/",
    "https://inside.example/",
    "https://mixed.example/",
    "https://mixed6.example/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://zoned.example/",
    "https://rebind.example/",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_an_address_inside_is_refused_however_it_is_spelt(url: str) -> None:
    assert await refusal(url) == "refused_address"


BROKEN = [
    "",
    "shop.example/check",
    "//shop.example/check",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_SET",
    "javascript:alert(1)",
    "http://",
    "http:///check",
    "http://.",
    "http://..",
    "http://shop..example/",
    "http://shop.example../",
    "http://user@shop.example/",
    "http://user:password@shop.example/",
    "http://shop.example@127.0.0.1/",
    "http://127.0.0.1\\@shop.example/",
    "http://shop.example\\.evil/",
    "http://@shop.example/",
    "http://shop.example:0/",
    "http://shop.example:65536/",
    "http://shop.example:port/",
    "http://shop.example:-1/",
    "http://127.0.0.1%2f@x/",
    "http://%31%32%37.0.0.1/",
    "http://shop.example%00.evil/",
    "http://shop.example\t/",
    "http://shop.example\r\nHost: evil/",
    " http://shop.example/",
    "http://shop example/",
    "http://\u200bshop.example\ud800/",
    "http://shop.example\uff0f@evil/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://08.0.0.1/",
    "http://4294967296/",
    "http://0x/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[v1.x]/",
    "http://[127.0.0.1]/",
    "http://[]/",
    "http://[::1]:80:80/",
    "http://a]b/",
    "http://shop.example:１/",
    "http://<shop>/",
    "http://" + "a" * 64 + ".example/",
]


@pytest.mark.parametrize("url", BROKEN)
async def test_an_address_that_readers_could_understand_differently_is_refused(url: str) -> None:
    assert await refusal(url) == "bad_address"


# Written differently by different Pythons.
MAPPED = f"http://[{ip_address('::ffff:8.8.8.8')}]"
PUBLIC = {
    "https://shop.example/check": "https://shop.example",
    "HTTPS://SHOP.EXAMPLE.:443/x?y=1": "https://shop.example",
    "http://shop.example:8080/": "http://shop.example:8080",
    "https://two.example/": "https://two.example",
    "http://93.184.216.34/": "http://93.184.216.34",
    "http://134744072/": "http://8.8.8.8",
    "http://0x8.8.8.8/": "http://8.8.8.8",
    "http://[2606:2800:220:1::1]:81/": "http://[2606:2800:220:1::1]:81",
    "http://[::ffff:8.8.8.8]/": MAPPED,
    "http://[64:ff9b::8.8.8.8]/": "http://[64:ff9b::808:808]",
    "https://тест.рф/": "https://xn--e1aybc.xn--p1ai",
}


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
