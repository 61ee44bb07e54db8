from __future__ import annotations

from collections.abc import Callable

import pytest

from bi_mcp.connector.question.brackets import MOST_PARAMETERS, MOST_STEPS, parse_form, parse_named
from bi_mcp.connector.refusal import RefusalError


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"", {}),
        (b"table=flights&limit=", {"table": "flights", "limit": ""}),
        (b"connection[login]=u&connection[password]=p", {"connection": {"login": "u", "password": "p"}}),
        (b"select[]=a&select[]=b", {"select": {"0": "a", "1": "b"}}),
        (b"select[1]=a&select[]=b", {"select": {"1": "a", "2": "b"}}),
        (b"filter%5B%3E%3Ddelay%5D=30", {"filter": {">=delay": "30"}}),
        (b"filter[0][a]=1&filter[0][b]=2", {"filter": {"0": {"a": "1", "b": "2"}}}),
        (b"filter[@a][]=1&filter[@a][]=2", {"filter": {"@a": {"0": "1", "1": "2"}}}),
        ("filter[город]=Москва+и".encode(), {"filter": {"город": "Москва и"}}),
        (b"mapFields[price [EUR]]=PRICE", {"mapFields": {"price [EUR]": "PRICE"}}),
        (b"mapFields[a][][[b]]=1", {"mapFields": {"a": {"0": {"[b]": "1"}}}}),
        (b"a[7]=x&a[]=y&a[2]=z&a[]=w", {"a": {"7": "x", "8": "y", "2": "z", "9": "w"}}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=1&a[b]=2", {"a": {"b": "2"}}),
        (b"a[b]=2&a=1", {"a": "1"}),
        (b"a=%FF", {"a": "�"}),
    ],
)
def test_brackets_become_nested_maps(body: bytes, form: dict[str, object]) -> None:
    assert parse_form(body) == form


@pytest.mark.parametrize("body", [b"a[b=1", b"a]b=1", b"[a]=1", b"a[b]c=1", b"a[[b]=1", b"a[b]]=1", b"=1"])
def test_brackets_that_do_not_match_are_refused(body: bytes) -> None:
    with pytest.raises(RefusalError, match="do not match"):
        parse_form(body)


def test_a_list_of_ten_thousand_values_is_read() -> None:
    body = "&".join(f"filter[0][@ID][]={number}" for number in range(10_000)).encode()
    form = parse_form(body)
    assert len(form["filter"]["0"]["@ID"]) == 10_000  # type: ignore[index]


@pytest.mark.parametrize("parse", [parse_form, lambda body: parse_named(body, "connection")])
def test_too_many_parameters_are_refused_before_anything_becomes_of_them(
    parse: Callable[[bytes], object],
) -> None:
    body = b"connection[key]=x" + b"&a" * MOST_PARAMETERS
    with pytest.raises(RefusalError, match=f"{MOST_PARAMETERS} parameters at most") as refused:
        parse(body)
    assert refused.value.status == 413


def test_brackets_have_a_bound_together() -> None:
    body = "&".join(f"{number:x}{'[]' * 19}=" for number in range(10_000)).encode()
    with pytest.raises(RefusalError, match=f"{MOST_STEPS} brackets at most") as refused:
        parse_form(body)
    assert refused.value.status == 413


def test_a_parameter_has_a_bound() -> None:
    assert parse_form(b"a=" + b"x" * 200_000)
    with pytest.raises(RefusalError, match="262144 bytes at most") as refused:
        parse_form(b"b=1&a=" + b"%41" * 100_000)
    assert refused.value.status == 413


def test_the_parameters_of_one_name_are_read_alone() -> None:
    body = b"a[b=1&connection[key]=k&connection%5Blogin%5D=l&connections[x]=y&table=t"
    assert parse_named(body, "connection") == {"connection": {"key": "k", "login": "l"}}
    with pytest.raises(RefusalError, match="65536 bytes at most"):
        parse_named(b"connection[key]=" + b"k" * 70_000, "connection")
