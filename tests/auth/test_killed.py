"""Kill -9 at every step of a renewal and of a login. See `killed.py` for the steps."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from pathlib import Path

import anyio
import pytest

from bi_mcp.auth.login import keep
from bi_mcp.auth.profiles import load_profiles
from bi_mcp.auth.session import open_session
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import grant_to_json
from bi_mcp.errors import AuthorisationError
from bi_mcp.rest import AccessToken
from tests.auth.killed import WRITE
from tests.auth.portal import HOUR, NAME, LoginPortal, profile
from tests.practice.portal.serving import served

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("kills at every step")]

SCRIPT = Path(__file__).with_name("killed.py")
# Writes of a renewal: 1 proves that saving works, 2 is the new token.
BEFORE_THE_REQUEST = ["locked", *[f"write 1: {event}" for event in WRITE], "request"]
# The portal has forgotten the old refresh token, and the new one was told to a process that is dead.
NOBODY_CAN_HELP = ["answer", "write 2: made", "write 2: half written"]
TOKEN_IS_WRITTEN = [f"write 2: {event}" for event in WRITE[2:]]
# Writes of a login: 1 takes the name, 2 is the token, 3 is the profile.
LOGIN = ["locked", *[f"write {number}: {event}" for number in (1, 2, 3) for event in WRITE]]
FIRST_LOGIN = [step for step in LOGIN if step.endswith(("locked", "half written", "replaced"))]


async def kill(step: str, what: str, folder: Path, text: str = "") -> None:
    """Run until the step, and make sure that it was reached."""
    root = Path(__file__).parents[2]
    ended = await anyio.run_process(
        [sys.executable, str(SCRIPT), step, what, str(folder)],
        input=text.encode(),
        check=False,
        env={"PATH": os.defpath, "PYTHONPATH": str(root)},
    )
    assert (ended.returncode, ended.stderr.decode()) == (-signal.SIGKILL, "")


def assert_tidy(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix == ".new"] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def token_in_use(portal: LoginPortal, folder: Path) -> bool:
    """Whether another process, started afterwards, has a token that the portal accepts."""
    credential = await open_session(load_profiles(folder).choose(), folder).current()
    return isinstance(credential, AccessToken) and portal.accepts(credential.token)


@pytest.mark.parametrize("step", [*BEFORE_THE_REQUEST, *TOKEN_IS_WRITTEN])
async def test_a_renewal_that_is_killed_leaves_a_token_that_works(
    portal: LoginPortal, tmp_path: Path, step: str
) -> None:
    async with served(portal.app) as host:
        address = f"http://{host}"
        # Stored as of 1970: the process finds that it has expired.
        await keep(tmp_path, profile(address), portal.grant(-HOUR, address))
        await kill(step, "renewal", tmp_path)
        assert await token_in_use(portal, tmp_path)
    assert portal.refreshes == 1
    assert_tidy(tmp_path)


@pytest.mark.parametrize("step", NOBODY_CAN_HELP)
async def test_a_renewal_that_is_killed_with_the_answer_in_its_hands_leaves_an_error_that_says_what_to_do(
    portal: LoginPortal, tmp_path: Path, step: str
) -> None:
    async with served(portal.app) as host:
        address = f"http://{host}"
        grant = portal.grant(-HOUR, address)
        await keep(tmp_path, profile(address), grant)
        await kill(step, "renewal", tmp_path)
        # What the portal called current a moment ago still is: only the renewal was lost.
        assert portal.accepts(grant.token.access_token)
        with pytest.raises(
            AuthorisationError, match="process was stopped in the middle of a renewal"
        ) as lost:
            await token_in_use(portal, tmp_path)
        assert lost.value.advice == (profile(address).advise_login(),)
        await keep(tmp_path, profile(address), portal.grant(time.time(), address))
        assert await token_in_use(portal, tmp_path)
    assert_tidy(tmp_path)


@pytest.mark.parametrize("step", LOGIN)
async def test_a_second_login_that_is_killed_leaves_the_first_or_the_second(
    portal: LoginPortal, tmp_path: Path, step: str
) -> None:
    address = "http://localhost"
    first, second = portal.grant(time.time(), address), portal.grant(time.time(), address)
    await keep(tmp_path, profile(address), first)
    await kill(step, "login", tmp_path, json.dumps(grant_to_json(second)))
    assert await token_in_use(portal, tmp_path)
    third = portal.grant(time.time(), address)
    await keep(tmp_path, profile(address), third)
    assert await FileTokenStore(tmp_path).load(NAME) == third
    assert_tidy(tmp_path)


@pytest.mark.parametrize("step", FIRST_LOGIN)
async def test_a_first_login_that_is_killed_works_or_can_be_done_again(
    portal: LoginPortal, tmp_path: Path, step: str
) -> None:
    grant = portal.grant(time.time())
    await kill(step, "login", tmp_path, json.dumps(grant_to_json(grant)))
    if step in LOGIN[LOGIN.index("write 2: replaced") :]:
        assert await token_in_use(portal, tmp_path)
    await keep(tmp_path, profile(), grant)
    assert await FileTokenStore(tmp_path).load(NAME) == grant
    assert_tidy(tmp_path)
