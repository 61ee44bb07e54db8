"""The setup of a portal through the tools: a plan is seen before it is applied, and applied once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.server import MCPServer
from mcp.types import INTERNAL_ERROR, METHOD_NOT_FOUND, ElicitRequestParams, ElicitResult, ErrorData

from bi_mcp.app.build import build_app
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.practice import sample
from bi_mcp.server.build import build_server
from bi_mcp.server.tools.setup_calls import MARK, _find_export
from bi_mcp.setup.pending import Pending
from bi_mcp.setup.state import State
from bi_mcp.setup.state_file import StateFile, StateInMemory
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.server.conftest import Era
from tests.server.talking import Talk, text_of
from tests.setup.test_commands import SETUP

pytestmark = pytest.mark.anyio


async def planned(talk: Talk, setup: str = SETUP, **arguments: Any) -> dict[str, Any]:
    return await talk.done("workspace_plan", setup=setup, **arguments)


async def test_a_setup_is_planned_seen_and_applied_once(talk: Talk) -> None:
    plan = await planned(talk)
    assert plan["summary"] == "3 to create."
    assert "+ create dataset flights" in plan["plan"]
    assert (await talk.done("dataset_list"))["items"] == []
    report = await talk.done("workspace_apply", token=plan["token"])
    assert (report["complete"], report["summary"]) == (True, "4 done.")
    assert (await planned(talk)).get("token") is None
    assert "no plan with this token" in await talk.refused("workspace_apply", token=plan["token"])


async def test_an_exported_setup_needs_no_change_and_shows_no_password(talk: Talk) -> None:
    await talk.done("workspace_apply", token=(await planned(talk))["token"])
    exported = await talk.done("workspace_export")
    assert "{env: BI_MCP_SECRET_AIRLINES_PASSWORD}" in exported["setup"]
    assert sample.DEMO_PASSWORD not in exported["setup"]
    assert (await planned(talk, exported["setup"], prune=True))["changes"] == []


async def test_a_plan_is_void_when_the_portal_has_changed(talk: Talk) -> None:
    await talk.done("workspace_apply", token=(await planned(talk))["token"])
    plan = await planned(
        talk, SETUP.replace("externalName: Flights\n", "externalName: Flights\n    description: Ours\n")
    )
    await talk.done("dataset_update", id=1, fields={"description": "Theirs"})
    assert "changed since this plan was made" in await talk.refused("workspace_apply", token=plan["token"])
    assert (await talk.done("dataset_get", id=1))["item"]["description"] == "Theirs"


async def test_errors_of_a_setup_name_line_and_column(talk: Talk) -> None:
    text = await talk.refused("workspace_plan", setup=SETUP.replace("type: int", "type: integer"))
    assert "setup:29:50:" in text
    assert "datasets.flights.columns.1.type" in text
    for wrong in ({}, {"setup": SETUP, "file": "bi.yaml"}):
        assert "Pass one of them" in await talk.refused("workspace_plan", **wrong)


async def test_a_model_reads_only_setups_of_the_folder_that_the_user_opened(tmp_path: Path, era: Era) -> None:
    folder = tmp_path / "setups"
    folder.mkdir()
    (folder / "bi.yaml").write_text(SETUP, encoding="utf-8")
    (tmp_path / "secret.yaml").write_text("password: hunter2", encoding="utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    async with Client(build_server(Settings(workspace_folder=folder)), mode=era) as client:
        talk = Talk(client)
        assert "is not set" in (await talk.done("workspace_plan", file="bi.yaml"))["obstacles"][0]
        for file in ("../secret.yaml", str(tmp_path / "secret.yaml"), "link.yaml", "notes.txt"):
            refused = await talk.refused("workspace_plan", file=file)
            assert "inside the workspace folder" in refused
            assert "hunter2" not in refused
        assert "does not exist" in await talk.refused("workspace_export", file="none.yaml")
    async with Client(build_server(Settings()), mode=era) as client:
        assert "--workspace DIR" in await Talk(client).refused("workspace_plan", file="bi.yaml")


async def test_many_deletions_are_for_the_user(talk: Talk) -> None:
    more = "".join(
        f"  extra_{number}: {{source: air, externalCode: e, externalName: E, columns: [{{name: ID, externalCode: id, type: int}}]}}\n"
        for number in range(11)
    )
    await talk.done("workspace_apply", token=(await planned(talk, SETUP + more))["token"])
    plan = await planned(talk, SETUP, prune=True)
    assert "bi-mcp apply" in plan["obstacles"][0]
    assert plan.get("token") is None


class Person:
    """Answers every question in the same way."""

    def __init__(self, *, agrees: bool) -> None:
        self.agrees = agrees
        self.questions = list[str]()

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002  the SDK's signature
        params: ElicitRequestParams,
    ) -> ElicitResult:
        self.questions.append(params.message)
        return ElicitResult(action="accept", content={"proceed": self.agrees})


@pytest.mark.parametrize("agrees", [True, False])
async def test_the_person_is_asked_before_a_plan_deletes(
    server: MCPServer, era: Era, *, agrees: bool
) -> None:
    person = Person(agrees=agrees)
    async with Client(server, mode=era, elicitation_callback=person) as client:
        talk = Talk(client)
        await talk.done("workspace_apply", token=(await planned(talk))["token"])
        assert person.questions == []
        token = (await planned(talk, "version: 1", prune=True))["token"]
        if agrees:
            assert (await talk.done("workspace_apply", token=token))["complete"]
        else:
            assert "declined" in await talk.refused("workspace_apply", token=token)
        assert len(person.questions) == 1
        assert "3 to delete" in person.questions[0]
        assert len((await talk.done("dataset_list"))["items"]) == (0 if agrees else 1)


@pytest.mark.parametrize("code", [METHOD_NOT_FOUND, INTERNAL_ERROR])
async def test_a_plan_that_deletes_waits_where_the_client_refuses_the_question_for_another_reason_than_not_knowing_it(
    server: MCPServer, code: int
) -> None:
    async def refuse(context: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=code, message="not here")

    async with Client(server, mode="legacy", elicitation_callback=refuse) as client:
        talk = Talk(client)
        await talk.done("workspace_apply", token=(await planned(talk))["token"])
        token = (await planned(talk, "version: 1", prune=True))["token"]
        if code == METHOD_NOT_FOUND:
            # As with a client that cannot ask: the plan's token confirms.
            assert (await talk.done("workspace_apply", token=token))["complete"]
        else:
            text = await talk.refused("workspace_apply", token=token)
            assert "the client refused to show the question" in text
            assert "--confirm=token" in text
        assert len((await talk.done("dataset_list"))["items"]) == (0 if code == METHOD_NOT_FOUND else 1)


MOVED = SETUP.replace(
    f"urlData: {sample.ORIGIN}{sample.ENDPOINTS['urlData']}", f"urlData: {sample.ORIGIN}:81/data"
)


@pytest.mark.parametrize("agrees", [True, False])
async def test_the_person_is_asked_before_a_plan_takes_values_to_another_host(
    server: MCPServer, era: Era, *, agrees: bool
) -> None:
    person = Person(agrees=agrees)
    async with Client(server, mode=era, elicitation_callback=person) as client:
        talk = Talk(client)
        await talk.done("workspace_apply", token=(await planned(talk))["token"])
        token = (await planned(talk, MOVED))["token"]
        result = await talk.call("workspace_apply", token=token)
        assert len(person.questions) == 1
        assert "(login, password) would be sent to sample.localhost:81" in person.questions[0]
        assert ("declined" in text_of(result)) is not agrees


async def test_a_plan_takes_no_stored_secret_to_another_host(tmp_path: Path, era: Era) -> None:
    stored = NamedSecrets(tmp_path)
    stored.store("air", Secret(sample.DEMO_PASSWORD), ["sample.localhost"], "file")
    server = build_server(Settings(configuration_folder=tmp_path))
    named = SETUP.replace("env: BI_MCP_SECRET_SAMPLE", "secret: air")
    moved = MOVED.replace("env: BI_MCP_SECRET_SAMPLE", "secret: air")
    async with Client(server, mode=era) as client:
        talk = Talk(client)
        plan = await planned(talk, moved)
        assert plan.get("token") is None
        assert "would be sent to sample.localhost:81" in plan["obstacles"][0]

        report = await talk.done("workspace_apply", token=(await planned(talk, named))["token"])
        assert report["complete"]
        for setup in (moved, MOVED.replace("env: BI_MCP_SECRET_SAMPLE", "env: BI_MCP_SECRET_OTHER")):
            plan = await planned(talk, setup)
            assert plan.get("token") is None
            assert 'holds the secret air in "password"' in plan["obstacles"][0]
            assert sample.DEMO_PASSWORD not in str(plan)


async def test_a_title_changed_in_an_exported_text_is_no_new_object(talk: Talk) -> None:
    await talk.done("workspace_apply", token=(await planned(talk))["token"])
    exported = (await talk.done("workspace_export"))["setup"]
    renamed = exported.replace("title: Airlines", "title: Carriers")
    assert (await planned(talk, renamed))["summary"] == "2 to update."
    unmarked = await planned(talk, renamed.partition("\n")[2])
    assert "1 to replace" in unmarked["summary"]
    assert "adopt sources.airlines=1" in " ".join(unmarked["obstacles"])


def test_the_state_of_an_exported_text_is_of_no_use_on_another_portal() -> None:
    app = build_app(Settings())
    ours = app.remember_export(StateInMemory(State(portal=app.portal.identity.address)))
    theirs = app.remember_export(StateInMemory(State(portal="other.example")))
    assert _find_export(app, f"{MARK}{ours}\n{SETUP}") is app.exports[ours]
    assert _find_export(app, f"{MARK}{theirs}\n{SETUP}") is None


async def test_no_plan_clears_up_after_an_application_that_is_under_way(tmp_path: Path, era: Era) -> None:
    (tmp_path / "bi.yaml").write_text(SETUP, encoding="utf-8")
    keeper = StateFile(tmp_path / "bi.yaml", PortalIdentity("embedded"))
    keeper.write_pending(Pending(started=0, newest={}, creations=[]))
    async with Client(build_server(Settings(workspace_folder=tmp_path)), mode=era) as client:
        with keeper.lock():
            assert "is in use" in await Talk(client).refused("workspace_plan", file="bi.yaml")
        assert keeper.read_pending() is not None
