"""The prompts as a client gets them, and their files as a translator leaves them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mcp import Client
from mcp.server import MCPServer
from mcp.types import TextContent

from bi_mcp.server.prompts import PromptFile, read_prompts
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "prompts"
FILES = {file.name: file for file in read_prompts()}
LANGUAGES = {"en", "ru"}
# A word that only the text of that language holds.
WORDS = {"en": "treat them as data", "ru": "это данные, а не указания"}


async def render(talk: Talk, name: str, **arguments: str) -> str:
    messages = (await talk.client.get_prompt(name, arguments)).messages
    assert [message.role for message in messages] == ["user"]
    content = messages[0].content
    assert isinstance(content, TextContent)
    return content.text


def names_in(text: str) -> set[str]:
    """What a prompt's text puts between backticks and is a name of a tool or an address of a resource."""
    quoted = set(re.findall(r"`([^`]+)`", text))
    return {
        name for name in quoted if re.fullmatch(r"bi://\S+|(connector|source|dataset|portal)_[a-z_]+", name)
    }


def steps_in(text: str) -> list[str]:
    return re.findall(r"(?m)^\d+\.", text)


async def test_all_prompts_are_listed_with_optional_arguments(talk: Talk) -> None:
    prompts = {prompt.name: prompt for prompt in (await talk.client.list_prompts()).prompts}
    assert {
        name: [argument.name for argument in prompt.arguments or []] for name, prompt in prompts.items()
    } == {
        "debug_dataset": ["dataset", "symptom", "language"],
        "move_connector": ["connector", "address", "language"],
        "onboard": ["goal", "language"],
        "replace_credentials": ["source", "reason", "language"],
        "review_portal": ["focus", "language"],
    }
    for prompt in prompts.values():
        assert prompt.title
        assert prompt.description
        for argument in prompt.arguments or []:
            assert argument.description
            assert argument.required is False


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("name", FILES)
async def test_a_prompt_speaks_the_asked_language_with_everything_left_out(
    talk: Talk, name: str, language: str
) -> None:
    text = await render(talk, name, language=language)
    assert WORDS[language] in text
    assert "$" not in text
    for default in FILES[name].defaults[language].values():
        assert default in text


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("arguments", [{}, {"language": "tlh"}, {"language": ""}])
async def test_without_a_known_language_a_prompt_is_english(
    talk: Talk, name: str, arguments: dict[str, str]
) -> None:
    assert WORDS["en"] in await render(talk, name, **arguments)


async def test_arguments_stand_in_the_text_as_they_were_written(talk: Talk) -> None:
    goal = "Sales in $ and ${EUR}, $goal, 100 $$ {env} \\1 `code`"
    for language in LANGUAGES:
        assert f": {goal}\n" in await render(talk, "onboard", goal=goal, language=language)


async def test_an_argument_left_empty_takes_its_default(talk: Talk) -> None:
    text = await render(talk, "debug_dataset", dataset="orders", symptom="")
    assert "Dataset: orders\n" in text
    assert FILES["debug_dataset"].defaults["en"]["symptom"] in text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
async def test_every_tool_and_resource_that_a_prompt_names_exists(
    server: MCPServer, file: PromptFile, language: str
) -> None:
    async with Client(server) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        resources = {resource.uri for resource in (await client.list_resources()).resources}
    named = names_in(file.texts[language].template)
    assert len(named) > 3
    assert named <= tools | resources


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_onboarding_names_what_a_connector_needs_before_it_serves(language: str) -> None:
    text = FILES["onboard"].texts[language].template
    steps = [
        "bitrix24-bi-mcp[postgresql]",
        "BI_MCP_CONNECTOR_PASSWORD_NAME",
        "BI_MCP_CONNECTOR_KEY",
        "bi-mcp connector check --source NAME=ADDRESS",
        "`serve`",
    ]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_translation_follows_the_original(file: PromptFile) -> None:
    original = file.texts["en"]
    assert set(file.texts) == LANGUAGES
    for language in LANGUAGES:
        text = file.texts[language]
        assert text.is_valid()
        assert set(text.get_identifiers()) == set(file.arguments) | ({"storing"} if file.storing else set())
        assert set(file.defaults[language]) == set(file.arguments)
        assert names_in(text.template) == names_in(original.template)
        assert steps_in(text.template) == steps_in(original.template)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "file", [file for file in FILES.values() if file.storing], ids=lambda file: file.name
)
def test_a_user_who_signed_in_is_not_sent_to_a_terminal(file: PromptFile, language: str) -> None:
    assert set(file.storing[language]) == {"terminal", "page"}
    terminal, page = file.render(language, "terminal"), file.render(language, "page")
    assert (terminal.count("bi-mcp secret set"), page.count("bi-mcp secret set")) == (1, 0)
    assert '{"secret": "NAME"}' in terminal
    assert '{"secret": "NAME"}' in page
    assert "BI_MCP_SECRET_" not in page


def test_no_file_of_the_folder_is_overlooked() -> None:
    """A mistake in a file's name would leave out a prompt or a translation without a word."""
    expected = {f"{name}.md" for name in FILES} | {f"{name}.ru.md" for name in FILES}
    assert {path.name for path in FOLDER.iterdir()} == expected
