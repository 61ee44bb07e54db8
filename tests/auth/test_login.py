from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import anyio
import httpx
import pytest

from bi_mcp.auth.login import Authorisation, forget, keep, oauth_server_of
from bi_mcp.auth.profiles import Profile, load_profiles
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Grant
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, ConfigError
from tests.auth.portal import ADDRESS, NAME, Clock, LoginPortal, allow, profile

pytestmark = pytest.mark.anyio

PORTAL = "https://acme.bitrix24.com"
LOCAL = "http://127.0.0.1:8770"


def returned(authorisation: Authorisation, **changes: str | None) -> str:
    answer = {
        "code": "code-canary",
        "state": authorisation.state,
        "server_domain": "oauth.bitrix24.tech",
    } | changes
    return "http://127.0.0.1:8776/?" + urlencode(
        {name: value for name, value in answer.items() if value is not None}
    )


def test_the_address_to_open_asks_as_the_vendor_documents_it() -> None:
    authorisation = Authorisation(PORTAL, "local.1&x", state="s t")
    assert authorisation.address == f"{PORTAL}/oauth/authorize/?client_id=local.1%26x&state=s+t"
    assert "redirect_uri" not in authorisation.address


def test_every_login_has_a_state_of_its_own_that_is_not_printed() -> None:
    one, two = Authorisation(PORTAL, "local.1"), Authorisation(PORTAL, "local.1")
    assert one.state != two.state
    assert len(one.state) >= 43
    assert one.state not in repr(one)


@pytest.mark.parametrize("host", ["oauth.bitrix24.tech", "oauth.bitrix.info", "OAUTH.bitrix.info", None])
def test_what_comes_back_names_the_code_and_its_server(host: str | None) -> None:
    authorisation = Authorisation(PORTAL, "local.1")
    back = authorisation.read_return(f"  {returned(authorisation, server_domain=host)}\n")
    assert back.code == Secret("code-canary")
    assert back.oauth_server == f"https://{(host or 'oauth.bitrix24.tech').lower()}"
    assert "canary" not in repr(back)


@pytest.mark.parametrize("state", ["", None, "another", "é", "\udcff"])
def test_what_another_login_began_is_refused(state: str | None) -> None:
    authorisation = Authorisation(PORTAL, "local.1")
    address = returned(authorisation, state=None)
    if state is not None:
        address += f"&state={quote(state, errors='surrogatepass')}"
    with pytest.raises(AuthorisationError, match="belongs to another login") as error:
        authorisation.read_return(address)
    assert error.value.code == "WRONG_STATE"
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "address",
    ["", "https://acme.bitrix24.com/", "code", "http://[", "?state=x", "?" + "&".join("abcdefg" * 10)],
)
def test_an_address_without_a_code_is_explained(address: str) -> None:
    with pytest.raises(AuthorisationError, match="has no code") as error:
        Authorisation(PORTAL, "local.1").read_return(address)
    assert error.value.code == "NO_CODE"


@pytest.mark.parametrize(
    "twice", ["code=other", "state=other", "server_domain=evil.example", "server_domain="]
)
def test_a_parameter_that_stands_there_twice_is_refused(twice: str) -> None:
    authorisation = Authorisation(PORTAL, "local.1")
    for address in (f"{returned(authorisation)}&{twice}", returned(authorisation).replace("?", f"?{twice}&")):
        with pytest.raises(AuthorisationError, match="has no code"):
            authorisation.read_return(address)


HOSTILE = [
    "evil.example",
    "oauth.bitrix24.tech.evil.example",
    "evil-oauth.bitrix24.tech",
    "oauth.bitrix24.tech@evil.example",
    "evil.example/oauth.bitrix24.tech",
    "evil.example?oauth.bitrix24.tech",
    "evil.example#oauth.bitrix24.tech",
    "oauth.bitrix24.tech:8443",
    "oauth.bitrix24.tech.",
    "https://oauth.bitrix24.tech",
    "oauth.bitrix24.tech\r\nHost: evil.example",
    "oauth.bitrix24.tech ",
    "oauth․bitrix24.tech",
    "127.0.0.1",
    "127.0.0.1:8771",
    "localhost:8770",
    "acme.bitrix24.com",
]


@pytest.mark.parametrize("host", HOSTILE)
@pytest.mark.parametrize("portal_url", [PORTAL, LOCAL])
def test_the_secret_goes_to_no_server_that_a_return_address_made_up(portal_url: str, host: str) -> None:
    authorisation = Authorisation(portal_url, "local.1")
    with pytest.raises(AuthorisationError, match="Nothing was sent to it") as error:
        authorisation.read_return(returned(authorisation, server_domain=host))
    assert error.value.code == "FOREIGN_SERVER"
    assert "evil" not in str(error.value)


@pytest.mark.parametrize(
    ("portal_url", "named", "server"),
    [
        (LOCAL, "127.0.0.1:8770", LOCAL),
        (LOCAL, "", LOCAL),
        (LOCAL, "oauth.bitrix.info", "https://oauth.bitrix.info"),
        ("http://localhost:8770", "localhost:8770", "http://localhost:8770"),
        ("https://[::1]:8770", "[::1]:8770", "https://[::1]:8770"),
        (PORTAL, "", "https://oauth.bitrix24.tech"),
    ],
)
def test_only_a_portal_on_this_machine_is_its_own_oauth_server(
    portal_url: str, named: str, server: str
) -> None:
    assert oauth_server_of(portal_url, named) == server


async def test_a_person_says_yes_and_the_login_reads_what_the_portal_returns(
    portal: LoginPortal, clock: Clock
) -> None:
    authorisation = Authorisation(ADDRESS, portal.card.client_id)
    async with httpx.AsyncClient(transport=portal.transport()) as browser:
        back = authorisation.read_return(await allow(browser, authorisation.address))
    assert back.oauth_server == ADDRESS
    answer = portal.tokens.exchange(
        {
            "grant_type": "authorization_code",
            "client_id": portal.card.client_id,
            "client_secret": portal.card.client_secret,
            "code": back.code.reveal(),
        }
    )
    assert portal.accepts(Secret(str(answer["access_token"])))


async def test_a_login_is_kept_under_its_profile_and_can_be_forgotten(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grant = portal.grant(clock())
    known = await keep(tmp_path, profile(), grant)
    assert known.choose() == replace(profile(), member_id=grant.token.member_id)
    assert await FileTokenStore(tmp_path).load(NAME) == grant
    assert (await forget(tmp_path, profile())).by_name == {}
    assert await FileTokenStore(tmp_path).load(NAME) is None


async def test_a_name_of_another_portal_keeps_its_login(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grant = portal.grant(clock())
    await keep(tmp_path, profile(), grant)
    with pytest.raises(ConfigError, match="Choose another name"):
        await keep(tmp_path, profile("http://127.0.0.1:1"), portal.grant(clock()))
    assert await FileTokenStore(tmp_path).load(NAME) == grant


async def test_many_logins_at_once_leave_one_whole_login_each(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    grants = [portal.grant(clock()) for _ in range(6)]
    others = [
        Profile(name=f"other{number}", portal_url=f"https://other{number}.example") for number in range(6)
    ]
    async with anyio.create_task_group() as group:
        for grant, other in zip(grants, others, strict=True):
            group.start_soon(keep, tmp_path, profile(), grant)
            group.start_soon(keep, tmp_path, other, grant)
    store = FileTokenStore(tmp_path)
    assert await store.load(NAME) in grants
    assert [await store.load(other.name) for other in others] == grants
    assert set(load_profiles(tmp_path).by_name) == {NAME, *(other.name for other in others)}


async def test_a_login_that_moves_leaves_nothing_in_its_former_place(
    portal: LoginPortal, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = tmp_path / "keyring"
    places = {"file": FileTokenStore(tmp_path), "keyring": FileTokenStore(second)}
    monkeypatch.setattr("bi_mcp.auth.login.open_store", lambda keeper, _: places[keeper])
    await keep(tmp_path, profile(), portal.grant(clock()))
    moved = Profile(name=NAME, portal_url=ADDRESS, keeper="keyring")
    await keep(tmp_path, moved, portal.grant(clock()))
    assert await places["file"].load(NAME) is None
    assert isinstance(await places["keyring"].load(NAME), Grant)
