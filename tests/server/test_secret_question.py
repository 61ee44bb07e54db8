"""A secret that is not stored yet is asked of the person, on a page of this machine, where the client can show an address."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.types import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    ErrorData,
)
from playwright.async_api import async_playwright, expect

from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.practice import sample
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import secret_question
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.auth.test_browser import ARGUMENTS
from tests.server.conftest import Era
from tests.server.processes import COMMAND as COMMAND_LINE
from tests.server.processes import LIMIT_S, environment
from tests.server.talking import LOGIN, PARAMETERS, Talk
from tests.server.test_http import served_over_http

pytestmark = pytest.mark.anyio

PASSWORD = "demo-password"
HOME = "sample.localhost"
COMMAND = f"`bi-mcp secret set warehouse --for {HOME}`"

Visit = Callable[[str], Awaitable[None]]


@dataclass
class Person:
    """Is shown addresses; `visit` is what they do there, `action` what their client says of it."""

    visit: Visit | None = None
    action: Literal["accept", "decline", "cancel"] = "accept"
    shown: list[ElicitRequestURLParams] = field(default_factory=list)

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002  the SDK's signature
        params: ElicitRequestParams,
    ) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        self.shown.append(params)
        if self.visit is not None:
            await self.visit(params.url)
        return ElicitResult(action=self.action)


async def fill_in(url: str) -> None:
    """Enter the password as a browser would."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = (await browser.get(url)).text
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        assert HOME in page
        origin = url.rpartition("/")[0]
        answer = await browser.post(
            url, data={"token": token[1], "value": PASSWORD}, headers={"origin": origin}
        )
        assert answer.status_code == 200


async def fill_in_by_hand(url: str) -> None:
    """Enter the password in the system's browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = await browser.new_page()
        await page.goto(url)
        await expect(page.get_by_role("heading")).to_have_text("Store the secret warehouse")
        await expect(page.get_by_text(HOME)).to_be_visible()
        field = page.get_by_label("Value")
        await expect(field).to_have_attribute("type", "password")
        await field.fill(PASSWORD)
        await page.get_by_role("button", name="Store").click()
        await expect(page.get_by_role("heading")).to_have_text("Stored")
        assert PASSWORD not in await page.content()
        await browser.close()


@asynccontextmanager
async def talking(folder: Path, era: Era, person: ElicitationFnT | None) -> AsyncIterator[Talk]:
    server = build_server(Settings(configuration_folder=folder))
    async with Client(server, mode=era, elicitation_callback=person) as client:
        yield Talk(client)


async def fields_for(talk: Talk, **more: Any) -> dict[str, Any]:
    settings = {"login": LOGIN, "password": {"secret": "warehouse"}, **more}
    return {"title": "Flights", "connectorId": await talk.add_connector(), "settings": settings}


async def test_a_person_enters_the_value_and_the_call_goes_on(tmp_path: Path, era: Era) -> None:
    person = Person(fill_in)
    async with talking(tmp_path, era, person) as talk:
        made = await talk.done("source_add", fields=await fields_for(talk))
        assert made["id"] > 0
        # From now on it is stored: nobody is asked again.
        await talk.done(
            "source_update", id=made["id"], fields={"settings": {"password": {"secret": "warehouse"}}}
        )
    assert len(person.shown) == 1
    question = person.shown[0]
    assert question.url.startswith("http://127.0.0.1:")
    assert f"store the secret warehouse for {HOME}" in question.message
    stored = NamedSecrets(tmp_path)
    assert stored.known()["warehouse"].hosts == (HOME,)
    assert stored.value(stored.known()["warehouse"]) == Secret(PASSWORD)


@pytest.mark.needs("chromium")
async def test_a_person_enters_the_value_in_a_real_browser(tmp_path: Path, era: Era) -> None:
    async with talking(tmp_path, era, Person(fill_in_by_hand)) as talk:
        assert (await talk.done("source_add", fields=await fields_for(talk)))["id"] > 0
    stored = NamedSecrets(tmp_path)
    assert stored.value(stored.known()["warehouse"]) == Secret(PASSWORD)


async def test_a_check_of_addresses_asks_for_the_secret_as_well(tmp_path: Path, era: Era) -> None:
    person = Person(fill_in)
    urls = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}
    async with talking(tmp_path, era, person) as talk:
        settings = {"login": LOGIN, "password": {"secret": "warehouse"}}
        assert (await talk.done("connector_check", urls=urls, settings=settings))["verdict"] == "ok"
    assert len(person.shown) == 1


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_who_does_not_want_to_is_obeyed(
    tmp_path: Path, era: Era, action: Literal["decline", "cancel"]
) -> None:
    person = Person(action=action)
    async with talking(tmp_path, era, person) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk))
        assert "was not stored: the person did not open the page. Nothing was sent." in text
        assert COMMAND in text
        assert (await talk.done("source_list"))["items"] == []
    assert NamedSecrets(tmp_path).known() == {}


async def test_a_person_who_takes_their_time_finds_the_same_page_with_the_next_call(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_question, "CALL_WAIT_S", 0)
    person = Person()
    async with talking(tmp_path, era, person) as talk:
        fields = await fields_for(talk)
        text = await talk.refused("source_add", fields=fields)
        assert "the page waits for the person" in text
        assert COMMAND in text
        await talk.refused("source_add", fields=fields)
        assert len({question.url for question in person.shown}) == 1
        await fill_in(person.shown[0].url)
        assert (await talk.done("source_add", fields=fields))["id"] > 0
    assert len(person.shown) == 2


async def test_a_client_that_cannot_show_an_address_gets_the_command(tmp_path: Path, era: Era) -> None:
    async with talking(tmp_path, era, None) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk))
    assert "no secret is stored under the name warehouse" in text
    assert COMMAND in text


@pytest.mark.parametrize("code", [METHOD_NOT_FOUND, INTERNAL_ERROR])
async def test_a_client_that_refuses_to_show_an_address_with_an_error_gets_the_command(
    tmp_path: Path, code: int
) -> None:
    async def refuse(context: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=code, message="not here")

    async with talking(tmp_path, "legacy", refuse) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk))
        assert (await talk.done("source_list"))["items"] == []
    assert "no secret is stored under the name warehouse" in text
    assert COMMAND in text


async def test_over_http_the_person_sits_elsewhere_and_gets_the_command(tmp_path: Path, era: Era) -> None:
    person = Person(fill_in)
    async with served_over_http(tmp_path) as origin:
        with anyio.fail_after(LIMIT_S):
            async with Client(f"{origin}/mcp", mode=era, elicitation_callback=person) as client:
                talk = Talk(client)
                assert COMMAND in await talk.refused("source_add", fields=await fields_for(talk))
    assert person.shown == []


async def test_over_standard_input_the_person_is_asked(tmp_path: Path, era: Era) -> None:
    person = Person(fill_in)
    variables = environment(tmp_path, BI_MCP_CONFIG_DIR=str(tmp_path / "config"))
    server = StdioServerParameters(command=COMMAND_LINE[0], args=COMMAND_LINE[1:], env=variables)
    with anyio.fail_after(LIMIT_S):
        async with Client(server, mode=era, elicitation_callback=person) as client:
            talk = Talk(client)
            assert (await talk.done("source_add", fields=await fields_for(talk)))["id"] > 0
    assert len(person.shown) == 1


async def test_nobody_is_asked_for_a_secret_of_other_hosts_or_for_what_is_no_name(
    tmp_path: Path, era: Era
) -> None:
    NamedSecrets(tmp_path).store("warehouse", Secret(PASSWORD), ["other.example"], "file")
    person = Person(fill_in)
    async with talking(tmp_path, era, person) as talk:
        assert "is bound to other.example" in await talk.refused("source_add", fields=await fields_for(talk))
        fields = await fields_for(talk, password={"secret": "No Name"})
        assert "that is not the name of a stored secret" in await talk.refused("source_add", fields=fields)
    assert person.shown == []


async def test_several_secrets_are_asked_for_one_after_another(tmp_path: Path, era: Era) -> None:
    person = Person(fill_in)
    async with talking(tmp_path, era, person) as talk:
        fields = await fields_for(talk, password={"secret": "user"}, token={"secret": "warehouse"})
        token = {"code": "token", "name": "Token", "type": "STRING"}
        await talk.done(
            "connector_update", id=fields["connectorId"], fields={"settings": [*PARAMETERS, token]}
        )
        # What counts is that both were asked for.
        await talk.call("source_add", fields=fields)
    assert len(person.shown) == 2
    assert sorted(NamedSecrets(tmp_path).known()) == ["user", "warehouse"]


async def test_the_pages_end_with_the_server(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_question, "CALL_WAIT_S", 0)
    person = Person()
    async with talking(tmp_path, era, person) as talk:
        await talk.refused("source_add", fields=await fields_for(talk))
    with pytest.raises(httpx.TransportError):
        await fill_in(person.shown[0].url)
