"""A draft of a state against the plainest one that does the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.setup.state import Known, State, StateDraft, from_json, to_json

Change = tuple[str, str, int]

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["put", "adopt", "remove", "leave"]), st.sampled_from("abcd"), st.integers(1, 4)
    ),
    max_size=20,
)


@dataclass
class Plain:
    """Every change walks through everything."""

    datasets: dict[str, Known] = field(default_factory=dict)
    leaving: set[int] = field(default_factory=set)

    def make(self, kind: str, key: str, id: int) -> None:
        if kind == "leave":
            self.leaving.add(id)
        elif kind == "remove":
            self.datasets = {held: known for held, known in self.datasets.items() if known.id != id}
            self.leaving.discard(id)
        elif kind == "put" or key not in self.datasets or self.datasets[key].id != id:
            others = {held: known for held, known in self.datasets.items() if known.id != id}
            self.datasets = others | {key: _known(kind, id)}


def _known(kind: str, id: int) -> Known:
    return Known(id=id, fields={"name": "digest"} if kind == "put" else {})


@given(before=_CHANGES, after=_CHANGES)
def test_a_draft_keeps_one_key_for_an_object_and_leaves_the_state_that_it_was_made_of(
    before: list[Change], after: list[Change]
) -> None:
    plain = Plain()
    state = _changed(State(portal="portal.example"), before, plain)
    kept = to_json(state)
    changed = _changed(state, after, plain)
    assert list(changed.known("dataset").items()) == list(plain.datasets.items())
    assert changed.leaving == {("dataset", id) for id in plain.leaving}
    assert to_json(state) == kept
    assert from_json(to_json(changed), "bi.state.json", PortalIdentity("portal.example")) == changed


def _changed(state: State, changes: list[Change], plain: Plain) -> State:
    draft = StateDraft(state)
    for kind, key, id in changes:
        plain.make(kind, key, id)
        if kind == "put":
            draft.put("dataset", key, _known(kind, id))
        elif kind == "adopt":
            draft.adopt("dataset", key, id)
        elif kind == "remove":
            draft.remove("dataset", id)
        else:
            draft.leave("dataset", id)
    return draft.state()
