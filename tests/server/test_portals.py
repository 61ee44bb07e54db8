"""Several portals behind one server: which is meant, and which may be changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client

from bi_mcp.app.portals import build_portals, follow_portal
from bi_mcp.auth.profiles import Profile, change_profiles, load_profiles
from bi_mcp.base.secret import Secret
from bi_mcp.config import Limits, Settings
from bi_mcp.errors import ConfigError
from bi_mcp.history.entries import Ending, RecordedWrite
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import TOOLS
from bi_mcp.server.tools.reading import READING
from tests.server.conftest import Era
from tests.server.talking import Talk, connector_fields

pytestmark = pytest.mark.anyio

TEST = Profile(name="test", portal_url="https://test.example")
PROD = Profile(name="prod", portal_url="https://prod.example", read_only=True)


def keep(folder: Path, *profiles: Profile) -> None:
    for profile in profiles:
        change_profiles(folder, lambda known, profile=profile: known.with_profile(profile))  # type: ignore[misc]


def settings(folder: Path, *names: str) -> Settings:
    return Settings(configuration_folder=folder, profiles=names)


def test_variables_that_name_a_portal_win_over_profiles(tmp_path: Path) -> None:
    keep(tmp_path, TEST)
    portals, default = build_portals(
        Settings(portal_url="https://a.example", access_token=Secret("x"), configuration_folder=tmp_path)
    )
    assert (list(portals), default) == (["portal"], "portal")
    assert portals["portal"].title == "a.example"


def test_without_profiles_the_embedded_portal_is_used(tmp_path: Path) -> None:
    portals, default = build_portals(settings(tmp_path))
    assert (list(portals), default) == (["embedded"], "embedded")


def test_all_profiles_are_there_and_the_first_is_the_default(tmp_path: Path) -> None:
    keep(tmp_path, TEST, PROD)
    portals, default = build_portals(settings(tmp_path))
    assert (list(portals), default) == (["test", "prod"], "test")
    assert [portal.read_only for portal in portals.values()] == [False, True]
    assert portals["prod"].notice == "Portal: prod (prod.example)."


def test_a_named_profile_is_the_only_one(tmp_path: Path) -> None:
    keep(tmp_path, TEST, PROD)
    portals, default = build_portals(settings(tmp_path, "prod"))
    assert (list(portals), default) == (["prod"], "prod")
    assert portals["prod"].notice is None


def test_the_practice_portal_can_be_named_beside_profiles(tmp_path: Path) -> None:
    keep(tmp_path, TEST)
    portals, default = build_portals(settings(tmp_path, "embedded"))
    assert (list(portals), default) == (["embedded"], "embedded")


def test_an_unknown_profile_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    keep(tmp_path, TEST)
    with pytest.raises(ConfigError, match="test"):
        build_portals(settings(tmp_path, "nosuch"))


async def test_the_argument_portal_exists_only_where_there_is_a_choice(tmp_path: Path, era: Era) -> None:
    keep(tmp_path, TEST, PROD)
    async with Client(build_server(settings(tmp_path)), mode=era) as client:
        tools = (await client.list_tools()).tools
        assert len(tools) == len(TOOLS)
        assert all(tool.input_schema["properties"]["portal"]["enum"] == ["test", "prod"] for tool in tools)
        assert "- prod: the user's Bitrix24 prod (prod.example), locked read-only." in (
            client.instructions or ""
        )
    async with Client(build_server(settings(tmp_path, "test")), mode=era) as client:
        assert all(
            "portal" not in tool.input_schema["properties"] for tool in (await client.list_tools()).tools
        )


async def test_of_one_portal_the_argument_portal_is_told_which_that_is(tmp_path: Path, era: Era) -> None:
    keep(tmp_path, TEST)
    async with Client(build_server(settings(tmp_path)), mode=era) as client:
        talk = Talk(client)
        text = await talk.refused("connector_list", portal="test")
        assert (
            "there is one portal here, test (test.example), and every call goes to it: leave portal out"
            in text
        )
        text = await talk.refused("connector_list", portal="test", pages=2)
        assert "one portal here" in text
        assert "pages is unknown" in text


async def test_calls_go_to_the_portal_that_they_name(tmp_path: Path, era: Era) -> None:
    keep(tmp_path, TEST)
    async with Client(build_server(settings(tmp_path, "embedded", "test")), mode=era) as client:
        talk = Talk(client)
        made = await talk.done("connector_add", portal="embedded", fields=connector_fields())
        assert (await talk.done("connector_get", portal="embedded", id=made["id"]))["item"][
            "title"
        ] == "Sample"
        assert "not the user's Bitrix24" in made["notice"]
        # Nobody logged in to this one: the call went there and nowhere else.
        assert "bi-mcp login https://test.example" in await talk.refused("connector_list", portal="test")
        assert "Choose from: embedded, test" in await talk.refused("connector_list", portal="elsewhere")


async def test_a_locked_portal_is_read_and_not_changed(tmp_path: Path, era: Era) -> None:
    keep(tmp_path, PROD)
    async with Client(build_server(settings(tmp_path)), mode=era) as client:
        talk = Talk(client)
        for tool in ("connector_delete", "source_delete", "dataset_delete"):
            text = await talk.refused(tool, id=1)
            assert "locked read-only" in text
            assert "profiles unlock" in text
        # Reads are let through, to a portal that nobody logged in to.
        assert "bi-mcp login" in await talk.refused("connector_get", id=1)


async def test_a_locked_portal_is_checked_by_what_it_holds_and_by_nothing_that_a_call_names(
    tmp_path: Path, era: Era
) -> None:
    keep(tmp_path, PROD)
    async with Client(build_server(settings(tmp_path, "embedded", "prod")), mode=era) as client:
        talk = Talk(client)
        for extra in ({"settings": {"login": "u"}}, {"urls": {"urlCheck": "https://a.example/"}}):
            text = await talk.refused("connector_check", portal="prod", source=1, **extra)
            assert "locked read-only" in text
        text = await talk.refused("connector_check", portal="prod", urls={"urlCheck": "https://a.example/"})
        assert "locked read-only" in text
        # Null is not given; this one is sent, to a portal that nobody logged in to.
        alone = {"portal": "prod", "source": 1, "table": "orders", "urls": None, "settings": None}
        assert "bi-mcp login" in await talk.refused("connector_check", **alone)


def test_what_only_reads_is_what_a_read_only_server_takes() -> None:
    declared = {tool.name: tool for tool in TOOLS if tool.reads_with}
    assert set(declared) == set(READING)
    for name, standing_in in READING.items():
        assert declared[name].reads_with == set(inspect.signature(standing_in.function).parameters) - {"ctx"}


class Replicas:
    """What `hosting` gives a server that has replicas, as far as the portals use it."""

    def __init__(self) -> None:
        self.budget = self
        self.shares: list[Callable[[float], None]] = []
        self.opened: list[object] = []

    def follow(self, tell: Callable[[float], None]) -> None:
        self.shares.append(tell)

    def tokens(self, local: object) -> object:
        self.opened.append(local)
        return local


async def test_replicas_share_the_budget_and_the_tokens(tmp_path: Path) -> None:
    keep(tmp_path, TEST)
    replicas = Replicas()
    portals, _ = build_portals(settings(tmp_path), cast("Any", replicas))
    limiter = portals["test"].limiter
    assert limiter is not None
    whole = limiter.bucket.drain_per_s
    replicas.shares[0](0.25)
    assert limiter.bucket.drain_per_s == whole / 4
    assert portals["test"].bi is not None
    assert len(replicas.opened) == 1
    await portals["test"].aclose()


def test_the_limits_are_those_of_the_portals_plan() -> None:
    def drain(limits: Limits) -> float:
        settings = Settings(portal_url="https://a.example", access_token=Secret("x"), limits=limits)
        limiter = build_portals(settings)[0]["portal"].limiter
        assert limiter is not None
        return limiter.bucket.drain_per_s

    assert drain("standard") == 2
    assert drain("enterprise") == 5
    assert drain("off") > 1000


async def test_links_are_of_the_default_portal_since_an_address_names_none(tmp_path: Path, era: Era) -> None:
    keep(tmp_path, TEST)
    async with Client(build_server(settings(tmp_path, "test", "embedded")), mode=era) as client:
        made = await client.call_tool("connector_add", {"portal": "embedded", "fields": connector_fields()})
    assert [block.type for block in made.content] == ["text"]


def test_a_portal_that_was_renamed_while_the_server_runs_keeps_its_history(tmp_path: Path) -> None:
    keep(tmp_path, TEST)
    portal = build_portals(settings(tmp_path))[0]["test"]
    assert portal.recorder
    assert portal.recorder.history
    write = RecordedWrite(
        method="biconnector.connector.add", group="connector", object=None, name="", before=None, sent={}
    )
    portal.recorder.history.begin([entry := portal.recorder.stamp.entry(write)])

    follow_portal(portal, TEST, settings(tmp_path), "https://new.example")
    assert load_profiles(tmp_path).choose("test").portal_url == "https://new.example"
    portal.recorder.history.end({entry.id: Ending("done", object=7)})
    portal.recorder.history.begin([portal.recorder.stamp.entry(write)])
    again = build_portals(settings(tmp_path))[0]["test"].recorder
    assert again
    assert again.history
    assert [(entry.outcome, entry.object) for entry in again.history.entries()] == [
        ("done", 7),
        ("begun", None),
    ]
