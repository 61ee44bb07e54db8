"""Identity of a portal: what is written down of one is never taken for another's on the same host."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bi_mcp.auth.portal_identity import (
    PortalIdentity,
    identify_portal,
    member_mark,
    portal_address,
)
from bi_mcp.auth.profiles import Profile, Profiles
from bi_mcp.errors import StateFileError
from bi_mcp.history.entries import RecordedWrite, Stamp, move_history, open_history
from bi_mcp.setup.pending import Pending
from bi_mcp.setup.state import Known, State, state_path
from bi_mcp.setup.state_file import StateFile

A = PortalIdentity("https://box.example:8443", profiles=frozenset({"a"}), alone=False)
B = PortalIdentity("https://box.example:9443", profiles=frozenset({"b"}), alone=False)
WRITE = RecordedWrite(
    method="biconnector.connector.delete", group="connector", object=1, name="Shop", before=None, sent={}
)


def written(folder: Path, profile: str, identity: PortalIdentity, name: str = "Shop") -> None:
    open_history(folder, identity).begin([Stamp(profile, identity).entry(replace(WRITE, name=name))])


def written_by_an_older_version(folder: Path, host: str, *profiles: str) -> None:
    path = folder / "history" / f"{host}.jsonl"
    path.parent.mkdir(exist_ok=True)
    lines = [
        record
        for number, profile in enumerate(profiles)
        for record in (
            {**vars(WRITE), "id": f"{number}", "at": "", "portal": profile, "outcome": "begun", "code": None},
            {"id": f"{number}", "outcome": "done", "code": None, "object": None},
        )
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def told(folder: Path, identity: PortalIdentity) -> list[tuple[str, str, str]]:
    return [(entry.portal, entry.name, entry.outcome) for entry in open_history(folder, identity).entries()]


def logged_in(**urls: str) -> Profiles:
    return Profiles({name: Profile(name=name, portal_url=url) for name, url in urls.items()})


@pytest.mark.parametrize(
    ("portal_url", "address"),
    [
        ("portal.example", "https://portal.example"),
        ("https://Portal.Example:443/rest/", "https://portal.example"),
        ("https://portal.example./", "https://portal.example"),
        ("https://portal.example:8443", "https://portal.example:8443"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000/rest", "http://[::1]:8000"),
        ("https://portal.example/Branch/rest/", "https://portal.example/Branch"),
        ("https://admin:word@portal.example", "https://portal.example"),
        ("https://portal.example:port", "https://portal.example"),
    ],
)
def test_an_address_is_written_in_one_way_and_without_a_login(portal_url: str, address: str) -> None:
    assert portal_address(portal_url) == address


def test_each_address_has_files_of_its_own_and_most_keep_their_names() -> None:
    addresses = [
        "https://box.example", "http://box.example", "https://box.example:8443", "https://box.example:9443",
        "https://box.example/a", "https://box.example/a/b", "https://box.example/a_b", "http://[::1]:8443",
    ]  # fmt: skip
    names = [PortalIdentity(address).file_name for address in addresses]
    assert (names[0], names[2]) == ("box.example", "https_box.example_8443")
    assert len(set(names)) == len(addresses)
    assert not {"/", ":", "\\"} & set("".join(names))


def test_two_portals_on_one_host_share_no_history(tmp_path: Path) -> None:
    written(tmp_path, "a", A)
    assert told(tmp_path, B) == []
    written(tmp_path, "b", B, "Other")
    assert told(tmp_path, A) == [("a", "Shop", "begun")]
    assert told(tmp_path, B) == [("b", "Other", "begun")]


def test_entries_of_another_portal_are_refused_whatever_file_they_are_in(tmp_path: Path) -> None:
    written(tmp_path, "a", A)
    history = open_history(tmp_path, B).journal.path
    open_history(tmp_path, A).journal.path.rename(history)
    assert told(tmp_path, B) == []


def test_an_address_that_went_to_another_portal_shows_none_of_the_old_ones_entries(tmp_path: Path) -> None:
    written(tmp_path, "a", replace(A, member="old"))
    assert told(tmp_path, replace(A, member="new")) == []
    assert told(tmp_path, replace(A, member="old")) == told(tmp_path, A) == [("a", "Shop", "begun")]


def test_the_history_of_an_older_version_goes_to_the_login_that_it_names(tmp_path: Path) -> None:
    written_by_an_older_version(tmp_path, "box.example", "a", "b", "a", "gone")
    assert told(tmp_path, A) == [("a", "Shop", "done")] * 2
    assert told(tmp_path, B) == [("b", "Shop", "done")]
    plain = PortalIdentity("https://box.example", profiles=frozenset({"c"}), alone=False)
    assert told(tmp_path, plain) == []
    written(tmp_path, "a", A, "New")
    assert told(tmp_path, A)[2:] == [("a", "New", "begun")]


def test_the_whole_history_of_an_older_version_is_moved_where_all_of_it_is_of_one_portal(
    tmp_path: Path,
) -> None:
    written_by_an_older_version(tmp_path, "box.example", "a", "a")
    assert len(told(tmp_path, A)) == 2
    assert [path.name for path in (tmp_path / "history").glob("*.jsonl")] == [f"{A.file_name}.jsonl"]
    assert len(told(tmp_path, A)) == 2


def test_a_usual_portal_keeps_the_history_of_an_older_version(tmp_path: Path) -> None:
    written_by_an_older_version(tmp_path, "acme.example", "former-name", "portal")
    assert len(told(tmp_path, identify_portal("https://acme.example", Profiles()))) == 2


def test_what_variables_name_takes_nothing_over_that_could_be_of_another_port(tmp_path: Path) -> None:
    written_by_an_older_version(tmp_path, "127.0.0.1", "portal")
    assert told(tmp_path, identify_portal("http://127.0.0.1:8001", Profiles())) == []


def test_a_renamed_portal_keeps_its_history_and_the_moved_entries_are_its_own(tmp_path: Path) -> None:
    written(tmp_path, "a", A)
    move_history(tmp_path, A, "https://new.example")
    assert told(tmp_path, replace(A, address="https://new.example")) == [("a", "Shop", "begun")]
    assert told(tmp_path, A) == []


def test_logins_of_one_address_are_one_portal_and_tell_whether_another_is_on_its_host() -> None:
    known = logged_in(a="https://box.example:8443", again="https://box.example:8443", c="https://c.example")
    one = identify_portal("https://box.example:8443/", known)
    assert (one.profiles, one.alone) == (frozenset({"a", "again"}), True)
    both = logged_in(a="https://box.example:8443", b="https://box.example")
    assert not identify_portal("https://box.example:8443", both).alone
    assert not identify_portal("https://box.example", both).alone


def test_a_member_id_counts_only_as_said_by_the_same_server() -> None:
    assert member_mark("https://oauth.example", "m1") == member_mark("https://oauth.example", "m1")
    assert member_mark("https://oauth.example", "m1") != member_mark("https://liar.example", "m1")
    assert member_mark("https://oauth.example", "") == ""


def kept(folder: Path, portal: PortalIdentity, id: int = 7) -> StateFile:
    file = StateFile(folder / "bi.yaml", portal)
    file.write(State(portal=portal.address, connectors={"shop": Known(id=id)}))
    return file


def test_two_portals_on_one_host_share_no_state(tmp_path: Path) -> None:
    kept(tmp_path, A)
    file = StateFile(tmp_path / "bi.yaml", B)
    assert file.read() == State(portal=B.address)
    state_path(tmp_path / "bi.yaml", A).rename(file.path)
    with pytest.raises(StateFileError, match=r"belongs to the portal 'https://box\.example:8443', not to"):
        file.read()


def test_a_state_of_the_same_address_and_another_portal_is_refused(tmp_path: Path) -> None:
    kept(tmp_path, replace(A, member="old"))
    with pytest.raises(StateFileError, match="belongs to another portal, which had the address"):
        StateFile(tmp_path / "bi.yaml", replace(A, member="new")).read()


def test_a_state_follows_its_portal_to_a_new_address(tmp_path: Path) -> None:
    known = replace(A, member="one")
    before = kept(tmp_path, known)
    in_flight = Pending(started=0, newest={}, creations=[])
    before.write_pending(in_flight)
    after = StateFile(tmp_path / "bi.yaml", replace(known, address="https://new.example"))
    state = after.read()
    assert (state.portal, state.known("connector")) == ("https://new.example", {"shop": Known(id=7)})
    assert after.read_pending() == in_flight
    after.write_pending(None)
    after.write(state)
    assert [path.name for path in tmp_path.iterdir()] == ["bi.new.example.state.json"]


def test_the_state_of_an_older_version_is_moved_over_where_it_is_surely_of_this_portal(
    tmp_path: Path,
) -> None:
    old = tmp_path / "bi.box.example.state.json"
    document = {"version": 1, "portal": "box.example", "connectors": {"shop": {"id": 7}}}
    old.write_text(json.dumps(document))
    for unsure in (A, PortalIdentity("http://box.example:8000")):
        assert StateFile(tmp_path / "bi.yaml", unsure).read() == State(portal=unsure.address)
    file = StateFile(tmp_path / "bi.yaml", replace(A, alone=True))
    assert file.read().known("connector") == {"shop": Known(id=7)}
    file.write(file.read())
    assert (old.exists(), file.path.name) == (False, "bi.https_box.example_8443.state.json")


def test_a_state_that_could_be_of_either_portal_of_a_host_is_settled_by_the_person(tmp_path: Path) -> None:
    usual = PortalIdentity("https://box.example", alone=False)
    path = tmp_path / "bi.box.example.state.json"
    path.write_text('{"version": 1, "portal": "box.example", "connectors": {"shop": {"id": 7}}}')
    with pytest.raises(
        StateFileError, match=r"If it belongs to https://box\.example, write that address in place"
    ):
        StateFile(tmp_path / "bi.yaml", usual).read()
    path.write_text(path.read_text().replace('"box.example"', '"https://box.example"'))
    assert StateFile(tmp_path / "bi.yaml", usual).read().known("connector") == {"shop": Known(id=7)}


def test_the_state_of_another_setup_file_is_not_taken_for_a_former_one(tmp_path: Path) -> None:
    known = replace(A, member="one")
    StateFile(tmp_path / "bi.prod.yaml", known).write(
        State(portal=A.address, connectors={"shop": Known(id=7)})
    )
    moved = replace(known, address="https://new.example")
    assert StateFile(tmp_path / "bi.yaml", moved).read() == State(portal="https://new.example")
