"""A person who signed in stores secrets on pages of the server: over real HTTP, with the practice portal as Bitrix24."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from mcp.client import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult
from playwright.async_api import async_playwright, expect

from bi_mcp.app.sign_in.peoples_secrets import MOST_TICKETS
from bi_mcp.base.secret import Secret
from bi_mcp.practice.portal.users import PortalUser
from bi_mcp.server.http.sign_in import secret_pages
from bi_mcp.server.tools import secret_question
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES, NamedSecrets
from tests.auth.test_browser import ARGUMENTS
from tests.server.conftest import Era
from tests.server.http.serving import client as mcp_client
from tests.server.http.sign_in.browsing import Browser, Page
from tests.server.http.sign_in.hosting import ANNA, BORIS, Connected, Hosted, agree, hosting
from tests.server.talking import Talk
from tests.server.test_secret_question import HOME, PASSWORD, fields_for

pytestmark = pytest.mark.anyio

# What nobody has who signed in: a terminal, settings, a machine of their own.
_OF_THE_OPERATOR = re.compile(r"bi-mcp |terminal|BI_MCP_(?!SECRET_…)|--[a-z]|environment")


@dataclass
class Asked:
    """A person's client, which shows them addresses. They enter the password there, or decline."""

    browser: Browser
    user: PortalUser
    action: Literal["accept", "decline"] = "accept"
    enters: bool = True
    shown: list[ElicitRequestURLParams] = field(default_factory=list)

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002  the SDK's signature
        params: ElicitRequestParams,
    ) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        self.shown.append(params)
        if self.action == "accept" and self.enters:
            page = await visit(self.browser, params.url, self.user)
            assert (await self.browser.press(page, "Store", value=PASSWORD)).status == 200
        return ElicitResult(action=self.action)


async def visit(browser: Browser, address: str, user: PortalUser) -> Page:
    """Open a page of the server as a person who is signed in, or signs in for it."""
    page = await browser.open(address)
    return await agree(browser, page, user) if page.says("Continue to Bitrix24") else page


@asynccontextmanager
async def talking(
    hosted: Hosted, connected: Connected, era: Era = "auto", asked: ElicitationFnT | None = None
) -> AsyncIterator[Talk]:
    http = httpx2.AsyncClient(
        transport=hosted.transport,
        headers={"Authorization": f"Bearer {connected.access}"},
        timeout=60,
        trust_env=False,
    )
    async with mcp_client(hosted.host, era=era, http=http, elicitation_callback=asked) as client:
        yield Talk(client)


def page_in(text: str, hosted: Hosted) -> str:
    """The address of the page that an error names."""
    found = re.search(rf"{hosted.origin}/secrets/[A-Za-z0-9_-]{{43}}", text)
    assert found is not None, text
    return found[0]


def stored_of(folder: Path) -> dict[str, NamedSecrets]:
    """The stored secrets of people, by the names of their folders."""
    return {own.name: NamedSecrets(own) for own in (folder / "people").iterdir()}


async def test_an_assistant_names_a_page_that_only_its_person_can_open(
    hosted: Hosted, tmp_path: Path
) -> None:
    anna, boris = await hosted.connect(ANNA), await hosted.connect(BORIS)
    async with talking(hosted, anna) as hers, talking(hosted, boris) as his:
        fields = await fields_for(hers)
        text = await hers.refused("source_add", fields=fields)
        address = page_in(text, hosted)
        assert "Ask the user to open" in text
        assert HOME in text
        assert not _OF_THE_OPERATOR.search(text)
        assert page_in(await hers.refused("source_add", fields=fields), hosted) == address

        stranger = await hosted.browser().open(address)
        assert stranger.says("Continue to Bitrix24")
        assert "warehouse" not in stranger.text
        not_his = await visit(boris.browser, address, BORIS)
        assert not_his.status == 404
        assert "warehouse" not in not_his.text

        page = await visit(anna.browser, address, ANNA)
        # On a shared computer somebody else may still be signed in.
        assert "Anna Petrova (user 7)" in page.words
        for said in ("warehouse", HOME, "Sample", hosted.portal.host, "It will not see the value."):
            assert said in page.words
        stored = await anna.browser.press(page, "Store", value=PASSWORD)
        assert (stored.status, "go back to the assistant" in stored.words) == (200, True)
        assert PASSWORD not in stored.text
        assert (await anna.browser.open(address)).status == 404
        assert (await hers.done("source_add", fields=fields))["id"] > 0

        # The name is Anna's alone: Boris is asked for a value of his own.
        text = await his.refused("source_add", fields=await fields_for(his))
        assert page_in(text, hosted) != address
    kept = stored_of(tmp_path)
    assert len(kept) == 1
    (own,) = kept.values()
    assert own.known()["warehouse"].hosts == (HOME,)
    assert own.value(own.known()["warehouse"]) == Secret(PASSWORD)


async def test_a_client_that_can_show_an_address_asks_the_person(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    asked = Asked(anna.browser, ANNA)
    async with talking(hosted, anna, asked=asked) as talk:
        assert (await talk.done("source_add", fields=await fields_for(talk)))["id"] > 0
    assert len(asked.shown) == 1
    assert f"store the secret warehouse for {HOME}" in asked.shown[0].message
    assert "A page of this server asks" in asked.shown[0].message


async def test_a_client_of_the_older_protocols_is_told_the_address(hosted: Hosted) -> None:
    """It has no session in which it could be asked while its call runs."""
    anna = await hosted.connect(ANNA)
    asked = Asked(anna.browser, ANNA)
    async with talking(hosted, anna, "legacy", asked) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk))
    assert f"Ask the user to open {hosted.origin}/secrets/" in text
    assert not asked.shown


async def test_a_person_who_does_not_want_to_is_obeyed(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    asked = Asked(anna.browser, ANNA, "decline")
    async with talking(hosted, anna, asked=asked) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk))
    assert "was not stored: the person did not open the page. Nothing was sent." in text
    assert f"{hosted.origin}/secrets under the name warehouse for {HOME}" in text
    assert not _OF_THE_OPERATOR.search(text)
    assert (await visit(anna.browser, asked.shown[0].url, ANNA)).status == 404


async def test_a_person_who_takes_their_time_finds_the_same_page_with_the_next_call(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_question, "CALL_WAIT_S", 0)
    anna = await hosted.connect(ANNA)
    asked = Asked(anna.browser, ANNA, enters=False)
    async with talking(hosted, anna, asked=asked) as talk:
        fields = await fields_for(talk)
        for _ in range(2):
            text = await talk.refused("source_add", fields=fields)
            assert "the page waits for the person" in text
            assert not _OF_THE_OPERATOR.search(text)
        assert len({question.url for question in asked.shown}) == 1
        monkeypatch.undo()
        asked.enters = True
        assert (await talk.done("source_add", fields=fields))["id"] > 0


class ByTurns(httpx2.AsyncBaseTransport):
    """A load balancer: requests to the server's address go to each replica in turn."""

    def __init__(self, host: str, replicas: Sequence[str]) -> None:
        self._host = host
        self._replicas = cycle(replicas)
        self._inner = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.netloc.decode() == self._host:
            _, _, port = next(self._replicas).rpartition(":")
            request = httpx2.Request(
                request.method,
                request.url.copy_with(port=int(port)),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.mark.needs("redis-server")
async def test_two_replicas_ask_and_take_as_one(tmp_path: Path, redis: str, era: Era) -> None:
    async with hosting(tmp_path, replicas=2, redis=redis) as hosted:
        hosted.transport = ByTurns(hosted.host, hosted.replicas)
        anna = await hosted.connect(ANNA)
        async with talking(hosted, anna, era) as talk:
            fields = await fields_for(talk)
            addresses = {page_in(await talk.refused("source_add", fields=fields), hosted) for _ in range(3)}
            assert len(addresses) == 1
            page = await visit(anna.browser, addresses.pop(), ANNA)
            assert (await anna.browser.press(page, "Store", value=PASSWORD)).status == 200
            for _ in range(2):
                assert (await talk.done("source_add", fields=fields))["id"] > 0
                assert "warehouse" in (await visit(anna.browser, f"{hosted.origin}/secrets", ANNA)).words


STRANGE_HEADERS = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"sec-fetch-site": "cross-site"},
    {"content-type": "text/plain"},
    {"cookie": ""},
    {"host": "evil.example"},
)


@pytest.mark.parametrize("path", ["", "/ticket"])
async def test_a_form_of_a_stranger_changes_nothing(hosted: Hosted, tmp_path: Path, path: str) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        ticket = page_in(await talk.refused("source_add", fields=await fields_for(talk)), hosted)
    address = ticket if path else f"{hosted.origin}/secrets"
    form = (await visit(anna.browser, address, ANNA)).form_with("Store")
    content = dict(form.fields) | {"name": "shop", "hosts": HOME, "value": PASSWORD, "store": "1"}
    usual = {"origin": hosted.origin, "sec-fetch-site": "same-origin"}
    for headers in STRANGE_HEADERS:
        sent = anna.browser.http.build_request("POST", address, data=content, headers={**usual, **headers})
        answer = await anna.browser.http.send(sent)
        assert answer.status_code in (403, 421), (headers, answer.text)
        assert PASSWORD not in answer.text
    for token in ({}, {"form_token": "wrong"}, {"form_token": "0" * 64}):
        strange = {name: value for name, value in content.items() if name != "form_token"} | token
        assert (await anna.browser.http.post(address, data=strange, headers=usual)).status_code == 403
    assert not (tmp_path / "people").exists()
    # The form itself is a good one.
    await anna.browser.http.post(address, data=content, headers=usual)
    assert (tmp_path / "people").exists()


async def test_the_form_of_one_page_is_not_that_of_another(hosted: Hosted, tmp_path: Path) -> None:
    anna = await hosted.connect(ANNA)
    overview = await visit(anna.browser, f"{hosted.origin}/secrets", ANNA)
    async with talking(hosted, anna) as talk:
        address = page_in(await talk.refused("source_add", fields=await fields_for(talk)), hosted)
    content = {**overview.form_with("Store").fields, "value": PASSWORD}
    usual = {"origin": hosted.origin, "sec-fetch-site": "same-origin"}
    assert (await anna.browser.http.post(address, data=content, headers=usual)).status_code == 403
    assert not (tmp_path / "people").exists()


async def test_a_value_may_be_corrected_and_may_be_large(hosted: Hosted, tmp_path: Path) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        address = page_in(await talk.refused("source_add", fields=await fields_for(talk)), hosted)
    page = await visit(anna.browser, address, ANNA)
    empty = await anna.browser.press(page, "Store", value="")
    assert (empty.status, "The value is empty" in empty.words) == (400, True)
    too_large = await anna.browser.press(page, "Store", value="я" * MAX_VALUE_BYTES)
    assert too_large.status in (400, 413)
    largest = " п&+%" + "ю" * (MAX_VALUE_BYTES // 2 - 3)
    assert (await anna.browser.press(page, "Store", value=largest)).status == 200
    (own,) = stored_of(tmp_path).values()
    assert own.value(own.known()["warehouse"]) == Secret(largest)


async def test_a_person_sees_replaces_and_deletes_their_own_and_nobody_elses(
    hosted: Hosted, tmp_path: Path
) -> None:
    address = f"{hosted.origin}/secrets"
    hers, his = hosted.browser(), hosted.browser()
    account = await visit(hers, f"{hosted.origin}/account", ANNA)
    assert 'href="/secrets"' in account.text
    page = await hers.open(address)
    assert "Anna Petrova (user 7)" in page.words
    assert "None so far." in page.words
    wanted = {"name": "shop", "hosts": "shop.example, http://b.example:8080", "value": PASSWORD}
    for wrong, told in (
        ({"hosts": ""}, "exact names of the hosts"),
        ({"hosts": "shop.example/path"}, "exact names of the hosts"),
        ({"hosts": ",".join(f"h{number}.example" for number in range(21))}, "exact names of the hosts"),
        ({"name": "No Name"}, "A secret's name begins"),
        ({"value": ""}, "The value is empty"),
    ):
        refused = await hers.press(page, "Store", **{**wanted, **wrong})
        assert (refused.status, told in refused.words) == (400, True), refused.words
        alert = re.search(r'role="alert"[^>]*>([^<]+)<', refused.text)
        assert alert is not None
        assert not _OF_THE_OPERATOR.search(alert[1])
        assert PASSWORD not in refused.text
    page = await hers.press(page, "Store", **wanted)
    assert "shop.example, http://b.example:8080" in page.words
    assert PASSWORD not in page.text
    page = await hers.press(page, "Store", **{**wanted, "hosts": "c.example", "value": "next"})
    assert "shop.example" not in page.words
    assert "Former values" in page.words

    theirs = await visit(his, address, BORIS)
    assert "None so far." in theirs.words
    usual = {"origin": hosted.origin, "sec-fetch-site": "same-origin"}
    content = {**theirs.form_with("Store").fields, "delete": "shop"}
    assert (await his.http.post(address, data=content, headers=usual)).is_redirect
    assert "c.example" in (await hers.open(address)).words

    page = await hers.press(page, "Forget former values")
    assert "Former values" not in page.words
    page = await hers.press(page, "Delete")
    assert "None so far." in page.words
    (own,) = stored_of(tmp_path).values()
    assert own.known() == {}


async def test_a_person_does_not_store_without_end(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_pages, "MOST_SECRETS", 1)
    browser = hosted.browser()
    page = await visit(browser, f"{hosted.origin}/secrets", ANNA)
    page = await browser.press(page, "Store", name="one", hosts="a.example", value="1")
    page = await browser.press(page, "Store", name="one", hosts="b.example", value="2")
    assert "b.example" in page.words
    refused = await browser.press(page, "Store", name="two", hosts="a.example", value="3")
    assert (refused.status, "Delete one first" in refused.words) == (400, True)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ({"env": "BI_MCP_SECRET_SAMPLE"}, "the variables of this server belong to its operator"),
        ({"env": "PATH"}, "the variables of this server belong to its operator"),
        ({"file": "sample"}, "the files of this server belong to its operator"),
        ({"file": "/etc/passwd"}, "the files of this server belong to its operator"),
        (PASSWORD, "looks like a secret and is not accepted as text"),
    ],
)
async def test_what_is_the_operators_is_nobodys_who_signs_in(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: Any, told: str
) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "operators-canary")
    NamedSecrets(tmp_path).store("warehouse", Secret("operators-canary"), [HOME], "file")
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        text = await talk.refused("source_add", fields=await fields_for(talk, password=password))
        assert told in text
        assert f"The user can store it at {hosted.origin}/secrets" in text
        assert "canary" not in text
        assert not _OF_THE_OPERATOR.search(text)
        # The operator's stored secret of that name is not hers either.
        page_in(await talk.refused("source_add", fields=await fields_for(talk)), hosted)
        text = await talk.refused("workspace_plan", file="setup.yaml")
        assert "it reads no files for them. Pass the text as setup." in text
        assert not _OF_THE_OPERATOR.search(text)


async def test_a_setup_with_a_missing_secret_names_the_page_where_it_is_stored(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        await talk.add_connector()
        browser = anna.browser
        page = await visit(browser, f"{hosted.origin}/secrets", ANNA)
        await browser.press(page, "Store", name="warehouse", hosts="other.example", value=PASSWORD)
        fields = {"title": "Flights", "connectorId": 1, "settings": {"password": {"secret": "warehouse"}}}
        text = await talk.refused("source_add", fields=fields)
        assert "is bound to other.example" in text
        assert f"at {hosted.origin}/secrets they store warehouse again, for other.example, {HOME}" in text
        assert not _OF_THE_OPERATOR.search(text)
        text = await talk.refused("source_add", fields={**fields, "settings": {"password": {"secret": "X"}}})
        assert f"The user sees at {hosted.origin}/secrets which there are." in text


async def test_addresses_that_are_no_tickets_find_nothing(hosted: Hosted) -> None:
    browser = hosted.browser()
    await visit(browser, f"{hosted.origin}/secrets", ANNA)
    for path in ("x", "x" * 43, "..%2f..%2faccount", "%00", "я", "a/b"):
        page = await browser.open(f"{hosted.origin}/secrets/{path}")
        assert page.status in (401, 404), path


async def test_the_pages_speak_the_readers_language_and_are_neither_kept_nor_framed(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        ticket = page_in(await talk.refused("source_add", fields=await fields_for(talk)), hosted)
    for address in (ticket, f"{hosted.origin}/secrets"):
        page = await visit(anna.browser, address, ANNA)
        assert page.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        russian = await anna.browser.http.get(address, headers={"accept-language": "ru"})
        assert 'lang="ru"' in russian.text
        words = re.sub(
            r"<style>.*</style>|<bdi>.*?</bdi>|<title>.*</title>", "", russian.text, flags=re.DOTALL
        )
        assert not re.search(
            r">[^<]*[A-Za-z]{3}[^<]*<", words.partition("<body>")[2].replace("warehouse", "")
        ), words


async def test_no_more_pages_wait_than_one_person_can_have_open(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        fields = await fields_for(talk)
        addresses = [
            page_in(
                await talk.refused(
                    "source_add",
                    fields={**fields, "settings": {"password": {"secret": f"shop{number}"}}},
                ),
                hosted,
            )
            for number in range(MOST_TICKETS + 1)
        ]
    pages = [await visit(anna.browser, address, ANNA) for address in addresses]
    assert [page.status for page in pages] == [404] + [200] * MOST_TICKETS


async def test_what_an_export_and_a_prompt_refer_to_is_the_persons_own(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk:
        browser = anna.browser
        page = await visit(browser, f"{hosted.origin}/secrets", ANNA)
        for name, hosts, value in (
            ("warehouse", HOME, PASSWORD),
            ("flights_password", "other.example", "another value"),
        ):
            page = await browser.press(page, "Store", name=name, hosts=hosts, value=value)
        await talk.done("source_add", fields=await fields_for(talk))
        exported = (await talk.done("workspace_export"))["setup"]
        assert "secret: warehouse" in exported
        content = {**page.form_with("Store").fields, "delete": "warehouse"}
        usual = {"origin": hosted.origin, "sec-fetch-site": "same-origin"}
        assert (await browser.http.post(page.address, data=content, headers=usual)).is_redirect
        exported = (await talk.done("workspace_export"))["setup"]
        # The name that is taken stands for another value.
        assert "secret: flights_password_2" in exported
        assert "BI_MCP" not in exported
        prompt = str(await talk.client.get_prompt("onboard"))
        assert "the call says on which page" in prompt
        assert "secret set" not in prompt
        for unusable in ({"from_portal": "other"}, {"file": "x.yaml"}):
            text = await talk.refused("workspace_plan", **unusable)
            assert not _OF_THE_OPERATOR.search(text)


@pytest.mark.campaign("pages in a real browser")
@pytest.mark.needs("chromium")
async def test_a_person_enters_the_value_in_a_real_browser_on_a_phone(hosted: Hosted) -> None:
    anna = await hosted.connect(ANNA)
    async with talking(hosted, anna) as talk, async_playwright() as playwright:
        fields = await fields_for(talk)
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = await browser.new_context(locale="en-US", viewport={"width": 320, "height": 640})
        page = await context.new_page()
        await page.goto(page_in(await talk.refused("source_add", fields=fields), hosted))
        await page.get_by_role("button", name="Continue to Bitrix24").click()
        await page.get_by_role("button", name="Anna Petrova").click()
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Store the secret warehouse")
        await expect(page.get_by_role("main")).to_contain_text(HOME)
        value = page.get_by_label("Value")
        await expect(value).to_have_attribute("type", "password")
        await value.fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Stored")
        assert PASSWORD not in await page.content()
        await page.goto(f"{hosted.origin}/secrets")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your stored secrets")
        await expect(page.get_by_role("main")).to_contain_text("warehouse")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0
        await browser.close()
        assert (await talk.done("source_add", fields=fields))["id"] > 0
