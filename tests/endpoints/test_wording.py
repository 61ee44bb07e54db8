"""Masks are for what comes from outside: nothing that the caller writes tells how a value of the connection begins."""

from __future__ import annotations

import json

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.endpoints.exchange import LARGEST_REFUSAL
from bi_mcp.endpoints.wording import name_address, name_answered_address, quote_refusal, safe_text
from bi_mcp.errors import MESSAGE_CHARACTERS, PortalError

VALUE = "canary-password"
CONNECTION = {"password": Secret(VALUE)}


@pytest.mark.parametrize("guess", [VALUE[:3], VALUE[:8], VALUE])
def test_the_connectors_own_address_is_not_compared_with_its_values(guess: str) -> None:
    assert name_address(f"https://shop.example/{guess}?q=1") == f"https://shop.example/{guess}"


def test_an_address_that_an_endpoint_answers_is_masked() -> None:
    told = name_answered_address(f"https://other.example/{VALUE}/x", CONNECTION)
    assert told == "https://other.example/•••/x"


@pytest.mark.parametrize("length", range(3, len(VALUE)))
def test_a_guess_that_an_endpoint_repeats_at_the_end_of_its_text_is_repeated(length: int) -> None:
    said = f"there is no table {VALUE[:length]}"
    assert safe_text(said, CONNECTION) == said
    assert quote_refusal(json.dumps({"message": said}).encode(), CONNECTION) == said


def test_the_end_of_a_refusal_is_compared_where_its_rest_was_not_read() -> None:
    long = {"password": Secret(VALUE * 400)}
    body = f"you sent {VALUE * 400}".encode()[:LARGEST_REFUSAL]
    assert quote_refusal(body, long, cut=True) == "you sent •••"


@pytest.mark.parametrize(("length", "masked"), [(MESSAGE_CHARACTERS - 1, False), (MESSAGE_CHARACTERS, True)])
def test_the_end_of_a_portals_message_is_compared_only_where_it_was_cut(length: int, *, masked: bool) -> None:
    message = "canary".rjust(length, ".")
    error = PortalError(method="m", code="C", message=message, hint="", status=400)
    assert error.without([Secret(VALUE)]).message.endswith("•••") is masked
