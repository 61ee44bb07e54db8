"""A token confirms one act on one state for ten minutes, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bi_mcp.app.seal import VALID_FOR_S, Act, Seal
from bi_mcp.errors import ConfirmationError

ACT = Act("connector_delete", "prod (prod.example)", {"id": 5})
STATE = ["connector", 5, "Sales"]


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_confirms_what_it_was_issued_for() -> None:
    seal = Seal()
    seal.check(seal.issue(ACT, seal.digest(STATE)), ACT, seal.digest(STATE))


@pytest.mark.parametrize(
    "other",
    [
        replace(ACT, tool="source_delete"),
        replace(ACT, portal="test (test.example)"),
        replace(ACT, arguments={"id": 6}),
        replace(ACT, arguments={"id": 5, "fields": {}}),
    ],
)
def test_a_token_confirms_no_other_act(other: Act) -> None:
    seal = Seal()
    token = seal.issue(ACT, seal.digest(STATE))
    with pytest.raises(ConfirmationError, match="not the token of a preview of this call"):
        seal.check(token, other, seal.digest(STATE))


def test_a_token_confirms_no_other_state() -> None:
    seal = Seal()
    token = seal.issue(ACT, seal.digest(STATE))
    with pytest.raises(ConfirmationError, match=r"has changed since the preview.*without confirm"):
        seal.check(token, ACT, seal.digest(["connector", 5, "Renamed"]))


def test_a_token_expires() -> None:
    clock = Clock()
    seal = Seal(clock=clock)
    token = seal.issue(ACT, seal.digest(STATE))
    clock.now += VALID_FOR_S - 1
    seal.check(token, ACT, seal.digest(STATE))
    clock.now += 1
    with pytest.raises(ConfirmationError, match="expired"):
        seal.check(token, ACT, seal.digest(STATE))


def test_replicas_with_the_same_key_accept_each_others_tokens_and_others_do_not() -> None:
    here, there, stranger = Seal(b"k" * 32), Seal(b"k" * 32), Seal()
    token = here.issue(ACT, here.digest(STATE))
    there.check(token, ACT, there.digest(STATE))
    with pytest.raises(ConfirmationError):
        stranger.check(token, ACT, stranger.digest(STATE))


@pytest.mark.parametrize("token", ["", "yes", "true", "A" * 54, "A" * 5000, "täuschung", "=" * 54, "\ud800"])
def test_what_is_no_token_is_refused_as_such(token: str) -> None:
    seal = Seal()
    with pytest.raises(ConfirmationError, match="not the token"):
        seal.check(token, ACT, seal.digest(STATE))


def test_every_changed_character_breaks_a_token() -> None:
    seal = Seal()
    token = seal.issue(ACT, seal.digest(STATE))
    # The last character has bits that belong to no byte.
    for place, character in enumerate(token[:-1]):
        forged = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        with pytest.raises(ConfirmationError):
            seal.check(forged, ACT, seal.digest(STATE))


def test_the_key_is_not_shown_and_a_digest_tells_nothing_without_it() -> None:
    assert "kkkk" not in repr(Seal(b"k" * 32))
    assert Seal().digest(STATE) != Seal().digest(STATE)
