"""`bi-mcp history` and `bi-mcp undo`, on a practice portal in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner, Result

from bi_mcp.app.build import build_app
from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person
from bi_mcp.cli import main
from bi_mcp.config import read_settings
from bi_mcp.history.actor import acting
from bi_mcp.rest.models import ConnectorChanges
from tests.rest.calling import connector_fields
from tests.vault.keyrings import Keyring, system_keyring


@pytest.fixture(autouse=True)
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path / "configuration"))
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(tmp_path / "portal.sqlite3"))
    with system_keyring(Keyring()):
        yield


def ran(*arguments: str, status: int | None = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert status is None or result.exit_code == status, result.output
    return result


def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran("history", "--json").output)["entries"]
    return found


def change() -> None:
    """A connector is made and renamed."""

    async def play() -> None:
        app = build_app(read_settings())
        with acting("the_tool"):
            id = await app.bi.connectors.add(connector_fields())
            await app.bi.connectors.update(id, ConnectorChanges(title="Renamed [red]"))
        await app.aclose()

    anyio.run(play)


def test_an_empty_history_says_so() -> None:
    assert "No changes are recorded" in ran("history").output
    assert "nothing that can be undone" in ran("undo", "--last", status=1).output


def test_the_history_is_a_table_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    change()
    update, add = entries()
    assert (update["fields"], add["method"]) == (["title"], "biconnector.connector.add")
    shown = ran("history").output
    for text in (update["id"], "the_tool", "update title", "connector 1 Shop", "✓ done"):
        assert text in shown
    assert len(json.loads(ran("history", "--limit", "1", "--json").output)["entries"]) == 1


def test_the_history_of_one_object() -> None:
    change()
    shown = json.loads(ran("history", "--object", "connector 1", "--json").output)["entries"]
    assert [each["deed"] for each in shown] == ["update title", "create"]
    assert "No changes" in ran("history", "--object", "source 1").output
    assert len(json.loads(ran("history", "--object", "connector1", "--json").output)["entries"]) == 2
    assert "no objects of the kind" in ran("history", "--object", "chart 1", status=1).output
    # A name with a number at its end is a name.
    assert "No changes" in ran("history", "--object", "q4").output


def test_undo_shows_asks_and_does() -> None:
    change()
    assert "without a terminal nobody can confirm it" in ran("undo", "--last", status=1).output
    done = ran("undo", "--last", "--yes").output
    assert '- set title of connector 1 "Shop" back' in done
    assert '✓ set title of connector 1 "Shop" back' in done
    undo = entries()[0]
    assert (undo["tool"], undo["undoes"]) == ("bi-mcp undo", entries()[1]["id"])


def test_undo_takes_several_changes_back_newest_first() -> None:
    change()
    first = entries()[-1]["id"]
    done = ran("undo", "--since", first, "--yes").output
    assert done.index("✓ set title") < done.index("✓ delete connector 1")
    assert ran("undo", first, "--yes").output.startswith("· ")


def test_an_undo_that_is_not_possible_sends_nothing() -> None:
    change()
    add = entries()[-1]["id"]
    result = ran("undo", add, "--yes", status=1)
    assert "! " in result.output
    assert "connector 1 was changed since (title)" in result.output
    assert len(entries()) == 2


@pytest.mark.parametrize("arguments", [(), ("--last", "--since", "x"), ("x", "--last")])
def test_what_to_undo_is_said_in_one_way(arguments: tuple[str, ...]) -> None:
    assert "Say what to undo" in ran("undo", *arguments, status=2).output


def test_an_unknown_entry_is_named() -> None:
    change()
    assert "no entry 'nonsense'" in ran("undo", "nonsense", status=1).output


ANNA = Caller(
    client="Claude", person=Person(portal="https://portal.example", user_id=12, name="Anna Petrova [red]")
)
BY_ANNA = '"Anna Petrova [red]" (user 12), with "Claude"'


def test_the_commands_tell_whose_change_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    with called_by(ANNA):
        change()
    update, _ = entries()
    assert (update["user"], update["userName"], update["client"]) == (12, "Anna Petrova [red]", "Claude")
    assert f"the_tool {BY_ANNA}" in ran("history").output
    assert (
        f'- set title of connector 1 "Shop" back (changed by {BY_ANNA})'
        in ran("undo", update["id"], "--yes").output
    )


def test_the_last_change_is_not_a_persons_who_signed_in() -> None:
    change()
    own = entries()[0]["id"]
    with called_by(ANNA):
        change()
    assert "changed by" not in ran("undo", "--last", "--yes").output
    assert entries()[0]["undoes"] == own
    for _ in range(2):
        last = ran("undo", "--last", "--yes", status=None)
    assert "no change of yours that can be undone" in last.output
