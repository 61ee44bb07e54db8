from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest
from pydantic import BaseModel

from bi_mcp.secret import Secret, redact

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
