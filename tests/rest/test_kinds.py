"""The table of kinds against the models that it names."""

from __future__ import annotations

import pytest
from pydantic.alias_generators import to_camel

from bi_mcp.rest.kinds import KINDS, Group


@pytest.mark.parametrize("group", KINDS)
def test_the_table_names_fields_of_the_models(group: Group) -> None:
    kind = KINDS[group]
    sent = set(map(to_camel, kind.new.model_fields))
    received = set(map(to_camel, kind.received.model_fields))
    parent = {kind.parent_field} if kind.parent else set()
    assert {*kind.identity, *kind.required, *kind.not_compared, *kind.secret, *parent} <= sent & received
    assert kind.in_every_update <= set(map(to_camel, kind.changes.model_fields))


@pytest.mark.parametrize("group", KINDS)
def test_all_that_a_creation_requires_is_in_the_table_but_for_lists(group: Group) -> None:
    fields = KINDS[group].new.model_fields
    required = {to_camel(name) for name, field in fields.items() if field.is_required()}
    assert required - set(KINDS[group].required) <= {"settings", "fields"}
    # The portal wants a logo; the library brings one.
    assert set(KINDS[group].required) - required <= {"logo"}


def test_parents_come_before_their_children() -> None:
    order = [None, *KINDS]
    assert all(order.index(kind.parent) < order.index(group) for group, kind in KINDS.items())
