"""A person sees of the history their own changes, and of others' what the portal shows them."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.auth.person import Person
from bi_mcp.history.choice import choose
from bi_mcp.history.entries import Entry, Outcome
from bi_mcp.history.reader import Reader
from bi_mcp.history.visible import Visibility, find_witnesses
from bi_mcp.rest.kinds import KINDS, Group

READER = 15
Thing = tuple[Group, int]
GROUPS: tuple[Group, ...] = ("connector", "source", "dataset")


@dataclass
class Play:
    """A portal and its history, at random. Knows what is there, and does not look into the history for it."""

    draw: st.DataObject
    entries: list[Entry] = field(default_factory=list)
    parents: dict[Thing, Thing | None] = field(default_factory=dict)
    deleted: dict[Thing, str] = field(default_factory=dict)
    listed: set[Thing] = field(default_factory=set)
    # Under which id an object is now, or was at last.
    latest: dict[Thing, Thing] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0))

    @property
    def there(self) -> list[Thing]:
        return [key for key in self.parents if key not in self.deleted]

    def write(
        self, operation: str, key: Thing, *, undoes: str | None = None, outcome: Outcome = "done"
    ) -> str:
        user = self.draw.draw(st.sampled_from([READER, 12]))
        group, id = key
        parent = self.parents[key]
        before = {KINDS[group].parent_field: parent[1]} if parent else {}
        entry = Entry(
            id=f"e{len(self.entries)}", at="", portal="", outcome=outcome, undoes=undoes, user=user,
            method=f"biconnector.{group}.{operation}", group=group, object=id, name="", sent={},
            before=None if operation == "add" else before,
        )  # fmt: skip
        self.entries.append(entry)
        return entry.id

    def make(self, group: Group, parent: Thing | None, undoes: str | None = None) -> Thing:
        self.made[group] += 1
        key: Thing = (group, self.made[group])
        self.parents[key] = parent
        self.latest[key] = key
        if self.draw.draw(st.booleans()):
            self.listed.add(key)
        self.write("add", key, undoes=undoes)
        return key

    def step(self) -> None:
        draw = self.draw.draw
        deed = draw(st.sampled_from(["make", "make", "update", "refuse", "delete", "undo"]))
        leaves = [key for key in self.there if key not in {self.parents[each] for each in self.there}]
        if deed == "make":
            parents: list[Thing | None] = [key for key in self.there if key[0] != "dataset"]
            parent = draw(st.sampled_from([None, *parents]))
            self.make(GROUPS[GROUPS.index(parent[0]) + 1] if parent else "connector", parent)
        elif deed == "update" and self.there:
            self.write("update", draw(st.sampled_from(self.there)))
        elif deed == "refuse" and self.there:
            self.write("delete", draw(st.sampled_from(self.there)), outcome="refused")
        elif deed == "delete" and leaves:
            key = draw(st.sampled_from(leaves))
            self.deleted[key] = self.write("delete", key)
        elif deed == "undo":
            self.undo()

    def undo(self) -> None:
        """Make a deleted object again, below what its parent is now."""
        possible = [
            key
            for key in self.deleted
            if self.latest[key] == key
            and (self.parents[key] is None or self.now(self.parents[key]) in self.there)
        ]
        if not possible:
            return
        key = self.draw.draw(st.sampled_from(possible))
        parent = self.parents[key]
        self.latest[key] = self.make(key[0], self.now(parent) if parent else None, self.deleted[key])

    def now(self, key: Thing | None) -> Thing:
        assert key is not None
        while self.latest[key] != key:
            key = self.latest[key]
        return key

    def is_shown(self, entry: Entry) -> bool:
        if entry.user == READER:
            return True
        if entry.outcome != "done":
            return False
        key: Thing | None = (entry.group, entry.object or 0)
        while key is not None and (key := self.now(key)) in self.deleted:
            key = self.parents[key]
        return key in self.listed


def test_parts_of_a_change_that_are_not_shown_stay_as_they_are() -> None:
    def part(id: str, object: int) -> Entry:
        return Entry(
            id=id, at="", portal="", outcome="done", change="c", method="biconnector.connector.update",
            group="connector", object=object, name="", before={}, sent={},
        )  # fmt: skip

    parts = [part("a", 1), part("b", 2), part("c", 1)]
    chosen = choose(parts, ["a"], shows=lambda entry: entry.object == 1)
    assert [entry.id for entry in chosen] == ["c", "a"]


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_person_is_shown_exactly_their_own_and_what_the_portal_shows(data: st.DataObject) -> None:
    play = Play(data)
    for _ in range(data.draw(st.integers(1, 25))):
        play.step()
    asked: list[Thing] = []

    async def look(keys: object) -> set[Thing]:
        assert isinstance(keys, set)
        asked.extend(keys)
        return {key for key in keys if key in play.listed and key not in play.deleted}

    reader = Reader(person=Person(portal="https://portal.example", user_id=READER))
    visibility = Visibility(reader, find_witnesses(play.entries), look)
    newest = play.entries[::-1]
    expected = [entry.id for entry in newest if play.is_shown(entry)]
    shown = anyio.run(visibility.first, newest, 3)
    assert [entry.id for entry in shown] == expected[:3]
    assert [entry.id for entry in anyio.run(visibility.filter, newest)] == expected
    # Nothing is asked twice, and nothing that cannot be there.
    assert len(asked) == len(set(asked))
    assert not set(asked) & play.deleted.keys()
