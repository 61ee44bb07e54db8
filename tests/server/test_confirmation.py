"""Destructive acts wait for the person: asked directly where the client can, else by a preview and a second call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
)

from bi_mcp.app.embedded import connect_embedded
from bi_mcp.config import Settings
from bi_mcp.rest import BIConnector
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import PARAMETERS, Talk, connector_fields, dataset_fields, text_of

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://elsewhere.example/data"


@dataclass
class Person:
    """Answers questions of the server and remembers them. `meanwhile` happens before each answer."""

    answer: ElicitResult
    meanwhile: Callable[[], Awaitable[None]] | None = None
    questions: list[str] = field(default_factory=list)

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002  the SDK's signature
        params: ElicitRequestParams,
    ) -> ElicitResult:
        self.questions.append(params.message)
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.answer


def agreeing() -> Person:
    return Person(ElicitResult(action="accept", content={"proceed": True}))


@dataclass
class Scene:
    """A connector with a source and a dataset. `behind` reaches the portal without the server."""

    talk: Talk
    behind: BIConnector
    connector: int
    source: int
    dataset: int

    async def arguments(self, tool: str) -> dict[str, Any]:
        """Arguments with which the tool destroys something."""
        columns = (await self.behind.datasets.get(self.dataset)).fields or []
        arguments: dict[str, dict[str, Any]] = {
            "connector_delete": {"id": self.connector},
            "connector_update": {"id": self.connector, "fields": {"urlData": ELSEWHERE}},
            "source_delete": {"id": self.source},
            "dataset_delete": {"id": self.dataset},
            "dataset_fields_update": {"id": self.dataset, "delete": [columns[0].id]},
            "dataset_columns_replace": {
                "id": self.dataset,
                "columns": [{"id": columns[-1].id, "type": "date"}],
            },
        }
        return arguments[tool]

    async def everything(self) -> Any:
        """All that the portal holds, for comparison."""
        snapshot = await self.behind.snapshot()
        groups = (snapshot.connectors, snapshot.sources, snapshot.datasets)
        return [[repr(item) for item in group.values()] for group in groups]


@asynccontextmanager
async def a_scene(settings: Settings, era: Era, person: ElicitationFnT | None = None) -> AsyncIterator[Scene]:
    bi = connect_embedded(settings.embedded)
    server = build_server(settings, connect=lambda: bi)
    async with Client(server, mode=era, elicitation_callback=person) as client:
        talk = Talk(client)
        connector = await talk.add_connector()
        source = await talk.add_source(connector)
        yield Scene(talk, bi, connector, source, await talk.add_dataset(source))


@pytest.fixture
async def scene(settings: Settings, era: Era) -> AsyncIterator[Scene]:
    async with a_scene(settings, era) as scene:
        yield scene


# In the order in which the portal lets them through one after another.
TOOLS = [
    "dataset_columns_replace",
    "dataset_fields_update",
    "connector_update",
    "dataset_delete",
    "source_delete",
    "connector_delete",
]


@pytest.mark.parametrize("tool", TOOLS)
async def test_the_first_call_changes_nothing_and_its_answer_fits_the_schema(scene: Scene, tool: str) -> None:
    schemas = {listed.name: listed.output_schema for listed in (await scene.talk.client.list_tools()).tools}
    before = await scene.everything()
    arguments = await scene.arguments(tool)
    result = await scene.talk.call(tool, **arguments)
    assert not result.is_error
    assert result.structured_content is not None
    content = result.structured_content
    schema = schemas[tool]
    assert schema is not None
    jsonschema.validate(content, schema)
    assert (content.get("deleted"), content.get("updated")) in {(False, None), (None, False)}
    assert content["preview"]["validForS"] == 600
    assert "nothing was changed yet" in text_of(result)
    assert content["preview"]["confirm"] in text_of(result)
    assert await scene.everything() == before


async def test_a_preview_names_the_object_and_everything_that_depends_on_it(scene: Scene) -> None:
    content = await scene.talk.done("connector_delete", id=scene.connector)
    text = content["preview"]["text"]
    assert f'Connector {scene.connector} "Sample" would be deleted.' in text
    assert f'1 source ({scene.source} "Flights")' in text
    assert f'1 dataset ({scene.dataset} "flights")' in text
    assert "1 BI Builder dataset (" in text


@pytest.mark.parametrize("tool", ["connector_update", "dataset_delete", "dataset_fields_update"])
async def test_the_second_call_acts(scene: Scene, tool: str) -> None:
    arguments = await scene.arguments(tool)
    before = await scene.everything()
    confirm = await scene.talk.preview(tool, **arguments)
    done = await scene.talk.done(tool, **arguments, confirm=confirm)
    assert done.get("deleted", done.get("updated")) is True
    assert "preview" not in done
    assert await scene.everything() != before


async def test_a_token_does_not_delete_twice(scene: Scene) -> None:
    confirm = await scene.talk.preview("dataset_delete", id=scene.dataset)
    await scene.talk.done("dataset_delete", id=scene.dataset, confirm=confirm)
    text = await scene.talk.refused("dataset_delete", id=scene.dataset, confirm=confirm)
    assert "DATASET_NOT_FOUND" in text


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_change_meanwhile_is_a_refusal_and_a_new_preview_helps(scene: Scene, tool: str) -> None:
    arguments = await scene.arguments(tool)
    confirm = await scene.talk.preview(tool, **arguments)
    if tool.startswith("dataset"):
        added = [{"name": "MORE", "externalCode": "FLIGHT_DATE", "type": "date"}]
        await scene.talk.done("dataset_fields_update", id=scene.dataset, add=added)
    else:
        await scene.talk.done("dataset_add", fields=dataset_fields(scene.source, "newcomer"))
    before = await scene.everything()
    text = await scene.talk.refused(tool, **arguments, confirm=confirm)
    assert "has changed since the preview" in text
    assert await scene.everything() == before
    assert await scene.talk.preview(tool, **arguments) != confirm


async def test_a_token_is_good_for_its_own_call_only(scene: Scene) -> None:
    arguments = await scene.arguments("connector_update")
    confirm = await scene.talk.preview("connector_update", **arguments)
    before = await scene.everything()
    elsewhere = {"id": scene.connector, "fields": {"urlData": ELSEWHERE + "/other"}}
    for tool, others in (
        ("connector_delete", {"id": scene.connector}),
        ("connector_update", elsewhere),
        ("dataset_delete", {"id": scene.dataset}),
    ):
        assert "not the token of a preview" in await scene.talk.refused(tool, **others, confirm=confirm)
    assert "not the token" in await scene.talk.refused("connector_update", **arguments, confirm="yes")
    assert await scene.everything() == before


async def test_what_destroys_nothing_needs_no_confirmation(scene: Scene) -> None:
    more = [*PARAMETERS, {"code": "host", "name": "Host", "type": "STRING"}]
    for fields in (
        {"description": "new"},
        {"urlData": connector_fields()["urlData"]},
        {"settings": more},
    ):
        done = await scene.talk.done("connector_update", id=scene.connector, fields=fields)
        assert done["updated"] is True
    column = ((await scene.behind.datasets.get(scene.dataset)).fields or [])[0].id
    hidden = await scene.talk.done(
        "dataset_fields_update", id=scene.dataset, update=[{"id": column, "visible": False}], delete=[]
    )
    assert hidden["updated"] is True


async def test_a_dropped_parameter_needs_confirmation(scene: Scene) -> None:
    fields = {"settings": PARAMETERS[:1]}
    preview = (await scene.talk.done("connector_update", id=scene.connector, fields=fields))["preview"]
    assert 'lose their values of "password"' in preview["text"]
    confirm = preview["confirm"]
    await scene.talk.done("connector_update", id=scene.connector, fields=fields, confirm=confirm)
    kept = (await scene.behind.connectors.get(scene.connector)).settings or []
    assert [parameter.code for parameter in kept] == ["login"]


async def test_an_object_that_is_not_there_is_told_at_once(scene: Scene) -> None:
    assert "DATASET_NOT_FOUND" in await scene.talk.refused("dataset_delete", id=999)


@pytest.mark.parametrize("tool", ["connector_update", "dataset_delete", "dataset_fields_update"])
async def test_a_person_who_can_be_asked_agrees_in_the_one_call(
    settings: Settings, era: Era, tool: str
) -> None:
    person = agreeing()
    async with a_scene(settings, era, person) as scene:
        before = await scene.everything()
        done = await scene.talk.done(tool, **await scene.arguments(tool))
        assert done.get("deleted", done.get("updated")) is True
        assert "preview" not in done
        assert await scene.everything() != before
        assert len(person.questions) == 1
        assert ('"Sample"' if tool == "connector_update" else '"flights"') in person.questions[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ElicitResult(action="decline"), "the person declined"),
        (ElicitResult(action="accept", content={"proceed": False}), "the person declined"),
        (ElicitResult(action="cancel"), "without an answer"),
    ],
)
async def test_a_person_who_does_not_agree_is_obeyed(
    settings: Settings, era: Era, answer: ElicitResult, said: str
) -> None:
    async with a_scene(settings, era, Person(answer)) as scene:
        before = await scene.everything()
        for tool in TOOLS:
            text = await scene.talk.refused(tool, **await scene.arguments(tool))
            assert text.startswith(f"{tool} was not sent: ")
            assert said in text
        assert await scene.everything() == before


@pytest.mark.parametrize("code", [METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR, -1])
async def test_a_client_that_can_ask_and_refuses_with_an_error_gets_a_preview_and_a_token(
    settings: Settings, code: int
) -> None:
    async def refuse(context: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=code, message="not here")

    async with a_scene(settings, "legacy", refuse) as scene:
        for tool in TOOLS:
            before = await scene.everything()
            arguments = await scene.arguments(tool)
            preview = await scene.talk.done(tool, **arguments)
            assert preview["preview"]["confirm"]
            assert await scene.everything() == before
        done = await scene.talk.done("dataset_delete", id=scene.dataset)
        await scene.talk.done("dataset_delete", id=scene.dataset, confirm=done["preview"]["confirm"])
        assert scene.dataset not in (await scene.behind.snapshot()).datasets


async def test_an_answer_that_is_none_changes_nothing(settings: Settings, era: Era) -> None:
    for answer in (
        ElicitResult(action="accept", content={}),
        ElicitResult(action="accept", content={"proceed": "perhaps"}),
    ):
        async with a_scene(settings, era, Person(answer)) as scene:
            before = await scene.everything()
            text = await scene.talk.refused("dataset_delete", id=scene.dataset)
            assert text.startswith(
                "dataset_delete was not sent: the answer to the question cannot be read. Nothing was changed. Call again"
            )
            assert await scene.everything() == before


async def test_nobody_is_asked_about_what_destroys_nothing(settings: Settings, era: Era) -> None:
    person = agreeing()
    async with a_scene(settings, era, person) as scene:
        await scene.talk.done("connector_update", id=scene.connector, fields={"description": "new"})
        assert "DATASET_NOT_FOUND" in await scene.talk.refused("dataset_delete", id=999)
    assert person.questions == []


async def test_what_changes_while_the_person_thinks_is_not_acted_on_unseen(
    settings: Settings, era: Era
) -> None:
    person = agreeing()
    async with a_scene(settings, era, person) as scene:

        async def change_once() -> None:
            if len(person.questions) == 1:
                await scene.behind.connectors.update(scene.connector, ConnectorChanges(description="New"))

        person.meanwhile = change_once
        arguments = await scene.arguments("connector_update")
        if era == "legacy":
            assert "has changed since" in await scene.talk.refused("connector_update", **arguments)
            assert (await scene.behind.connectors.get(scene.connector)).url_data != ELSEWHERE
            return
        # The newest protocol asks anew in the same call, though the description is no part of the question.
        await scene.talk.done("connector_update", **arguments)
        assert len(set(person.questions)) == len(person.questions) == 2


async def test_without_confirmation_everything_acts_at_once(era: Era, settings: Settings) -> None:
    person = agreeing()
    off = replace(settings, confirm="off")
    async with a_scene(off, era, person) as scene:
        calls = [(tool, await scene.arguments(tool)) for tool in TOOLS]
        for tool, arguments in calls:
            done = await scene.talk.done(tool, **arguments)
            assert done.get("deleted", done.get("updated")) is True
        assert await scene.everything() == [[], [], []]
    assert person.questions == []


@pytest.mark.parametrize("tool", TOOLS)
async def test_where_tokens_are_chosen_nobody_is_asked_whatever_the_client_can_do(
    settings: Settings, era: Era, tool: str
) -> None:
    person = agreeing()
    async with a_scene(replace(settings, confirm="token"), era, person) as scene:
        arguments = await scene.arguments(tool)
        before = await scene.everything()
        confirm = await scene.talk.preview(tool, **arguments)
        assert await scene.everything() == before
        if tool in {"connector_update", "dataset_delete"}:
            done = await scene.talk.done(tool, **arguments, confirm=confirm)
            assert done.get("deleted", done.get("updated")) is True
    assert person.questions == []
