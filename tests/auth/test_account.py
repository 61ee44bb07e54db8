from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from bi_mcp.auth.login import handler_address
from bi_mcp.auth.profiles import Profile, Profiles, change_profiles, load_profiles
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Grant
from bi_mcp.base.secret import Secret
from bi_mcp.cli import main
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from tests.auth.command import SECRET, Command, command, free_port, ran
from tests.auth.portal import NAME, USER, Clock, LoginPortal, allow
from tests.practice.portal.serving import served
from tests.rest.calling import Answering, Recorder

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("logins by processes and browsers")]

SEES = "It sees 0 connectors, 0 sources, 0 datasets. The portal is of the generation 'tables'.\n"
WEBHOOK = "7/webhook-canary"


def options(portal: LoginPortal, *more: str) -> list[str]:
    return ["--client-id", portal.card.client_id, "--client-secret-env", SECRET, "--keep-in", "file", *more]


async def grant_in(home: Path, name: str = NAME) -> Grant:
    grant = await FileTokenStore(home / "config").load(name)
    assert isinstance(grant, Grant)
    return grant


def assert_no_secret(portal: LoginPortal, output: str, grant: Grant | None = None) -> None:
    assert portal.card.client_secret not in output
    assert "canary" not in output
    if grant is not None:
        assert grant.token.access_token.reveal() not in output
        assert grant.token.refresh_token.reveal() not in output


@asynccontextmanager
async def logging_in(
    portal: LoginPortal, home: Path, *more: str, **variables: str
) -> AsyncIterator[tuple[Command, httpx.AsyncClient, str]]:
    """A login that has been started, a browser for it, and the portal's host."""
    secret = portal.card.client_secret
    async with (
        served(portal.app) as host,
        httpx.AsyncClient(trust_env=False) as browser,
        command(
            home, "login", f"http://{host}", *options(portal, *more), secret=secret, **variables
        ) as login,
    ):
        yield login, browser, host


async def test_a_person_logs_in_with_the_browser_of_this_machine(portal: LoginPortal, tmp_path: Path) -> None:
    port = free_port()
    portal.card = portal.tokens.register("bi-mcp", handler_address(port))
    arguments = ("--no-browser", "--port", str(port), "--name", NAME)
    async with logging_in(portal, tmp_path, *arguments) as (login, browser, host):
        page = await browser.get(await allow(browser, await login.address_to_open()))
        assert "go back to the terminal" in page.text
        assert await login.end() == 0
    assert [line[:2] for line in login.output.splitlines()[:3]] == ["1.", "2.", "3."]
    assert "BIconnector (biconnector)" in login.output
    assert handler_address(port) in login.output
    assert login.output.endswith(f"Logged in to http://{host} as profile 'acme', the default.\n{SEES}")
    grant = await grant_in(tmp_path)
    assert portal.accepts(grant.token.access_token)
    assert_no_secret(portal, login.output, grant)
    used = load_profiles(tmp_path / "config").choose()
    assert (used.client_id, used.oauth_server) == (portal.card.client_id, f"http://{host}")


async def test_a_person_pastes_the_address_after_a_wrong_one(portal: LoginPortal, tmp_path: Path) -> None:
    async with logging_in(portal, tmp_path, "--paste") as (login, browser, host):
        address = await allow(browser, await login.address_to_open())
        await login.type(f"http://{host}/")
        await login.type(address.replace("state=", "state=x"))
        await login.type(address)
        assert await login.end() == 0
    assert "Error: This address has no code." in login.output
    assert "Error: This address belongs to another login." in login.output
    assert login.output.endswith(f"as profile 'local', the default.\n{SEES}")
    assert_no_secret(portal, login.output, await grant_in(tmp_path, "local"))


async def test_a_person_who_speaks_russian_logs_in_in_russian(portal: LoginPortal, tmp_path: Path) -> None:
    asked = {"BI_MCP_LANGUAGE": "ru"}
    async with logging_in(portal, tmp_path, "--paste", **asked) as (login, browser, host):
        address = await allow(browser, await login.address_to_open())
        await login.type(f"http://{host}/")
        await login.type(address)
        assert await login.end() == 0
    lines = [line for line in login.output.splitlines() if line and not line.startswith("http")]
    assert all(re.search("[а-яё]", line, re.IGNORECASE) for line in lines), lines
    assert login.output.endswith(
        f"Вход в http://{host} выполнен, профиль 'local', он же по умолчанию.\n"
        "Видно: 0 коннекторов, 0 источников, 0 датасетов. Поколение портала: 'tables'.\n"
    )
    assert "2. Тип: серверное. Права: BIconnector (biconnector)." in login.output
    for arguments in (("profiles",), ("logout",)):
        _, told = await ran(tmp_path, *arguments, "--language", "ru")
        assert re.search("приложение", told), told


async def test_without_any_browser_the_address_is_pasted(portal: LoginPortal, tmp_path: Path) -> None:
    # The path of this process leads to no browser.
    variables = {"PATH": str(tmp_path)}
    async with logging_in(portal, tmp_path, "--port", str(free_port()), **variables) as (login, browser, _):
        await login.type(await allow(browser, await login.address_to_open()))
        assert await login.end() == 0
    assert "No browser can be opened here." in login.output


async def test_the_browser_of_the_user_is_opened(portal: LoginPortal, tmp_path: Path) -> None:
    port = free_port()
    portal.card = portal.tokens.register("bi-mcp", handler_address(port))
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen({str(opened)!r}, 'w').write(sys.argv[1])\n")
    program.chmod(0o700)
    variables = {"BROWSER": str(program)}
    async with logging_in(portal, tmp_path, "--port", str(port), **variables) as (login, browser, _):
        address = await login.address_to_open()
        await browser.get(await allow(browser, address))
        assert await login.end() == 0
    assert opened.read_text() == address


async def test_a_code_that_came_too_late_says_so_and_keeps_nothing(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    async with logging_in(portal, tmp_path, "--paste") as (login, browser, _):
        address = await allow(browser, await login.address_to_open())
        clock.now += 30
        await login.type(address)
        assert await login.end() == 1
    assert "Error: invalid_grant: The portal does not accept the code: it lives 30 seconds" in login.output
    assert load_profiles(tmp_path / "config") == Profiles()


async def test_a_hostile_return_address_gets_no_secret(portal: LoginPortal, tmp_path: Path) -> None:
    trap = Recorder(Answering("{}"))
    async with served(trap) as evil, logging_in(portal, tmp_path, "--paste") as (login, browser, host):
        address = httpx.URL(await allow(browser, await login.address_to_open()))
        assert address.params["server_domain"] == host
        await login.type(str(address.copy_merge_params({"server_domain": evil})))
        assert await login.end() == 1
    assert "Nothing was sent to it" in login.output
    assert trap.requests == []
    assert portal.app.answered == []


async def test_a_login_whose_first_call_fails_is_kept_and_tells_why(
    portal: LoginPortal, tmp_path: Path
) -> None:
    portal.card = portal.tokens.register("bi-mcp", handler_address(1), scope="crm")
    async with logging_in(portal, tmp_path, "--paste") as (login, browser, _):
        await login.type(await allow(browser, await login.address_to_open()))
        assert await login.end() == 1
    assert "The login is kept, but the first call failed." in login.output
    assert "scope 'biconnector'" in login.output
    assert portal.accepts((await grant_in(tmp_path, "local")).token.access_token)


@pytest.mark.parametrize("old", [False, True], ids=["fresh", "expired since"])
@pytest.mark.parametrize("by_file", [True, False], ids=["file", "input"])
async def test_tokens_of_an_installation_are_taken_in(
    portal: LoginPortal, clock: Clock, tmp_path: Path, by_file: bool, old: bool
) -> None:
    issued = portal.tokens.issue(portal.card, USER)
    async with served(portal.app) as host:
        callback = {
            "AUTH_ID": issued["access_token"],
            "REFRESH_ID": issued["refresh_token"],
            "AUTH_EXPIRES": 3600,
            "DOMAIN": host,
        }
        file = tmp_path / "callback.json"
        file.write_text(json.dumps(callback))
        clock.now += 3601 if old else 0
        source, typed = (str(file), "") if by_file else ("-", json.dumps(callback))
        arguments = options(portal, "--import", source, "--read-only")
        code, output = await ran(
            tmp_path, "login", f"http://{host}", *arguments, typed=typed, secret=portal.card.client_secret
        )
    assert (code, output) == (0, f"Logged in to http://{host} as profile 'local', the default.\n{SEES}")
    assert portal.refreshes == int(old)
    assert load_profiles(tmp_path / "config").choose().read_only


async def test_an_installation_of_another_portal_is_refused(portal: LoginPortal, tmp_path: Path) -> None:
    callback = json.dumps({"AUTH_ID": "canary", "REFRESH_ID": "canary", "DOMAIN": "evil.example"})
    arguments = options(portal, "--import", "-")
    code, output = await ran(tmp_path, "login", "acme.example", *arguments, typed=callback, secret="canary")
    assert (code, output) == (
        1,
        "Error: The installation's data is of another portal than https://acme.example. Name that portal, or take the data of this one.\n",
    )


async def test_a_webhook_becomes_a_profile_that_says_what_it_cannot_do(tmp_path: Path) -> None:
    app = create_app(LocalPortalSettings(webhook=Secret(WEBHOOK)))
    async with served(app) as host:
        address = f"http://{host}/rest/{WEBHOOK}/"
        result = await in_thread(tmp_path, "login", "--webhook", "--keep-in", "file", input=f"{address}\n")
    assert result.exit_code == 0
    assert "It can read what fields connectors, sources and datasets have" in result.output
    assert "and nothing else" in result.output
    assert "canary" not in result.output
    assert load_profiles(tmp_path).choose() == Profile(
        name="local", portal_url=f"http://{host}", kind="webhook"
    )


async def in_thread(folder: Path, *arguments: str, input: str | None = None) -> Result:
    """Run a command whose prompts are answered, while this loop serves its portal."""
    from anyio import to_thread

    return await to_thread.run_sync(lambda: run(folder, *arguments, input=input))


def run(folder: Path, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env={"BI_MCP_CONFIG_DIR": str(folder)}, input=input)


def test_what_is_asked_for_is_not_shown(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "login",
        "acme.example",
        "--paste",
        "--keep-in",
        "file",
        input="id-canary\nsecret-canary\nx\n",
    )
    assert "client_id (not shown): " in result.output
    assert "client_secret (not shown): " in result.output
    shown = result.output.replace("client_id=id-canary", "")
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("login",), 2, "Name the portal, such as https://acme.bitrix24.com."),
        (("login", "http://acme.example"), 1, "must be addressed by https"),
        (("login", "https://acme.example/rest/7/hook-canary/"), 1, "address is a webhook's"),
        (("login", "acme.example", "--name", "../x"), 1, "A profile's name begins with"),
        (
            ("login", "other.example", "--name", "acme"),
            1,
            "belongs to https://acme.example. Choose another --name",
        ),
        (
            ("login", "acme.example", "--client-id", "x", "--client-secret-env", "BI_MCP_NONE"),
            1,
            "BI_MCP_NONE is not set",
        ),
        (
            ("login", "acme.example", "--client-id", "x", "--client-secret-stdin"),
            1,
            "The client_secret is empty",
        ),
        (("login", "acme.example", "--import", "-", "--client-secret-stdin"), 2, "not both"),
        (("login", "acme.example", "--import", "-"), 1, "neither a JSON object nor a form"),
        (("logout", "nobody"), 1, "No profile 'nobody'. Profiles: acme."),
        (("profiles", "default", "nobody"), 1, "Profiles: acme."),
        (("profiles", "lock", "nobody"), 1, "Profiles: acme."),
    ],
)
def test_what_cannot_work_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], code: int, text: str
) -> None:
    change_profiles(
        tmp_path, lambda known: known.with_profile(Profile(name="acme", portal_url="https://acme.example"))
    )
    result = run(tmp_path, *arguments, input="\n")
    assert result.exit_code == code
    assert text in result.output
    assert "canary" not in result.output
    assert "Traceback" not in result.output


def test_profiles_are_shown_chosen_and_locked(tmp_path: Path) -> None:
    assert run(tmp_path, "profiles").output == "There are no profiles yet: run `bi-mcp login PORTAL`.\n"
    acme = Profile(name="acme", portal_url="https://acme.example", client_id="local.1", keeper="keyring")
    hook = Profile(name="a-hook", portal_url="https://hook.example", kind="webhook")
    change_profiles(tmp_path, lambda known: known.with_profile(acme).with_profile(hook))
    assert run(tmp_path, "profiles").output == (
        "  a-hook  https://hook.example  webhook, *.fields only, kept in file\n"
        "* acme    https://acme.example  application local.1, kept in keyring\n"
    )
    assert "* a-hook" in run(tmp_path, "profiles", "default", "a-hook").output
    assert "kept in keyring, read-only\n" in run(tmp_path, "profiles", "lock", "acme").output
    assert load_profiles(tmp_path).choose("acme").read_only
    assert "read-only" not in run(tmp_path, "profiles", "unlock", "acme").output
    assert not load_profiles(tmp_path).choose("acme").read_only


def test_the_profiles_of_a_renamed_portal_move_with_their_history(tmp_path: Path) -> None:
    acme = Profile(name="acme", portal_url="https://acme.example", client_id="local.1", read_only=True)
    other = Profile(name="other", portal_url="https://other.example")
    change_profiles(tmp_path, lambda known: known.with_profile(acme).with_profile(other))
    history = tmp_path / "history"
    history.mkdir()
    (history / "acme.example.jsonl").write_text("")

    assert (
        "* acme   https://new.example  "
        in run(tmp_path, "profiles", "move", "acme.example", "new.example").output
    )
    moved = load_profiles(tmp_path)
    assert moved.choose("acme") == replace(acme, portal_url="https://new.example")
    assert moved.choose("other") == other
    assert [file.name for file in history.glob("*.jsonl")] == ["new.example.jsonl"]
    again = run(tmp_path, "profiles", "move", "acme.example", "new.example")
    assert (again.exit_code, "No profile belongs to https://acme.example" in again.output) == (1, True)


async def test_logging_out_leaves_no_secret_on_this_machine(portal: LoginPortal, tmp_path: Path) -> None:
    for name in ("acme", "beta", "gamma"):
        one = Profile(name=name, portal_url=f"https://{name}.example")
        change_profiles(tmp_path, lambda known, one=one: known.with_profile(one))  # type: ignore[misc]  # bound at once
    grant = portal.grant(0)
    await FileTokenStore(tmp_path).save("acme", grant)
    result = await in_thread(tmp_path, "logout")
    assert result.output == (
        "Profile 'acme' and its secrets were deleted from this machine.\n"
        "To withdraw its access as well, delete the application in https://acme.example.\n"
        "There is no default profile now: `bi-mcp profiles default NAME` chooses one.\n"
    )
    assert [file.name for file in (tmp_path / "tokens").iterdir()] == ["acme.lock"]
    assert set(load_profiles(tmp_path).by_name) == {"beta", "gamma"}
