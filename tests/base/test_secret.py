from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback

import pytest
from pydantic import BaseModel

from bi_mcp.base.secret import MASK, Secret, redact
from tests.security.echoes import CODINGS, SECRET, Coding

CANARY = "canary-7f3a"


def test_no_way_of_printing_shows_the_value(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", secret, {"nested": secret})
    shown = f"{secret} {secret!r} {secret:>40} {[secret]} " + caplog.text
    assert CANARY not in shown


def test_copies_pickles_and_json_fail() -> None:
    secret = Secret(CANARY)
    for escape in (copy.copy, copy.deepcopy, pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            escape(secret)


def test_a_model_takes_text_and_dumps_a_mask() -> None:
    class Model(BaseModel):
        value: Secret

    model = Model.model_validate({"value": CANARY})
    assert model.value.reveal() == CANARY
    assert CANARY not in model.model_dump_json() + str(model.model_dump()) + repr(model)


def test_numbers_and_nothing_become_text() -> None:
    class Model(BaseModel):
        value: Secret

    assert Model.model_validate({"value": 42}).value.reveal() == "42"
    assert not Model.model_validate({"value": None}).value


def test_equality_is_by_value_and_hashing_is_refused() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    with pytest.raises(TypeError):
        hash(Secret("a"))


def test_redact_replaces_the_longest_first_and_ignores_empty_secrets() -> None:
    assert redact("user abcd and abc", [Secret("abc"), Secret("abcd"), Secret("")]) == "user ••• and •••"


def test_short_values_are_not_masked_because_they_would_garble_the_text() -> None:
    assert redact("a port of ab", [Secret("a"), Secret("ab")]) == "a port of ab"
    assert redact("abc at abc", [Secret("abc")]) == "••• at •••"


def test_a_mask_does_not_tell_the_length() -> None:
    assert str(Secret("a")) == str(Secret("a" * 100))
    assert not hasattr(Secret("a"), "__len__")


def test_an_error_about_a_secret_does_not_show_it() -> None:
    with pytest.raises(TypeError) as raised:
        "".join([Secret(CANARY)])  # type: ignore[list-item]  # the mistake under test
    error = ValueError("bad", Secret(CANARY), {"token": Secret(CANARY)})
    assert CANARY not in f"{raised.value} {error} {error!r} {''.join(traceback.format_exception(error))}"


def test_what_holds_a_secret_does_not_show_it() -> None:
    @dataclasses.dataclass
    class Holder:
        token: Secret

    holder = Holder(Secret(CANARY))
    assert CANARY not in f"{holder} {vars(holder)} {pprint.pformat([holder])}"
    with pytest.raises(TypeError):
        dataclasses.asdict(holder)


def test_half_a_unicode_character_is_compared_without_an_exception() -> None:
    assert Secret("\ud83d") != Secret("x")
    assert Secret("\ud83d") == Secret("\ud83d")


def test_redact_knows_a_secret_line_by_line_and_as_json_addresses_and_pages_write_it() -> None:
    secret = [Secret('first "line"\n<second>&ключ')]
    assert redact('at first "line" of', secret) == "at ••• of"
    assert redact(r"\"first \"line\"\n<second>&ключ\"", secret) == r"\"•••\""
    assert redact(r"first \"line\"\n<second>&\u043a\u043b\u044e\u0447", secret) == "•••"
    assert redact("?p=first+%22line%22%0A%3Csecond%3E%26%D0%BA%D0%BB%D1%8E%D1%87&q", secret) == "?p=•••&q"
    assert redact("first &quot;line&quot;\n&lt;second&gt;&amp;ключ", secret) == "•••"


def test_redact_masks_what_is_left_of_a_secret_where_a_text_was_cut() -> None:
    assert redact("refused: long-sec", [Secret("long-secret")]) == "refused: •••"
    assert redact("refused: lo", [Secret("long-secret")]) == "refused: lo"


@pytest.mark.parametrize("length", range(3, 11))
def test_an_end_that_was_not_cut_tells_nothing_about_how_a_secret_begins(length: int) -> None:
    text = f"no table {'long-secret'[:length]}"
    assert redact(text, [Secret("long-secret")], cut=False) == text
    assert redact(f"{text} and long-secret", [Secret("long-secret")], cut=False) == f"{text} and •••"


@pytest.mark.parametrize(
    "written",
    [
        "it's <a/b> & ключ",
        "IT'S <A/B> & КЛЮЧ",
        "it%27s%20%3ca%2fb%3e%20%26%20%d0%ba%d0%bb%d1%8e%d1%87",
        "it%27s%20%3Ca/b%3E%20%26%20%D0%BA%D0%BB%D1%8E%D1%87",
        "it%27s+%3ca%2Fb%3e+%26+%d0%ba%d0%bb%d1%8e%d1%87",
        "it&#039;s &lt;a/b&gt; &amp; ключ",
        "it&#39;s &lt;a/b&gt; &amp; ключ",
        "it&apos;s &lt;a/b&gt; &amp; ключ",
        "it's &lt;a/b&gt; &amp; ключ",
        r"it's <a\/b> & \u043a\u043b\u044e\u0447",
        r"it\u0027s \u003Ca\/b\u003E \u0026 \u043A\u043B\u044E\u0447",
        r"it\u0027s \u003ca/b\u003e \u0026 ключ",
    ],
)
@pytest.mark.parametrize("around", ["", " ", "\n"])
def test_redact_knows_common_encodings_trimmed_and_in_other_case(written: str, around: str) -> None:
    secret = Secret(f"{around}it's <a/b> & ключ{around}")
    assert redact(f"refused ({written}).", [secret], cut=False) == "refused (•••)."


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_redact_reads_a_secret_in_every_coding_and_hides_all_of_it(coding: Coding) -> None:
    assert redact(f"refused ({coding(SECRET)}).", [Secret(SECRET)], cut=False) == f"refused ({MASK})."


@pytest.mark.parametrize("secret", ["&amp;lt;", "%2541", r"\\n", "=3D=", "a+b c"])
def test_a_secret_that_looks_coded_itself_is_masked(secret: str) -> None:
    for coding in CODINGS.values():
        assert redact(f"({coding(secret)})", [Secret(secret)], cut=False) == f"({MASK})"


def test_what_is_coded_letter_by_letter_in_different_ways_is_masked() -> None:
    assert redact(r"(l%6Fng&#45;\u0073\x65cret)", [Secret("long-secret")], cut=False) == f"({MASK})"


def test_secrets_that_overlap_leave_nothing_between_them() -> None:
    assert redact("(one-two-three)", [Secret("one-two"), Secret("two-three")]) == f"({MASK})"


def test_a_cut_end_is_masked_in_other_case_too() -> None:
    assert redact("refused: LONG-sec", [Secret("long-secret")], cut=True) == "refused: •••"
