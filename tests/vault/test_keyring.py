"""A keyring that waits for its prompt holds up one call for a while, later ones not at all, and the end of the process never."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import anyio
import pytest

from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.errors import BiMcpError, ConfigError
from bi_mcp.vault.keyring import PATIENCE_S, ask_for_text, ask_keyring, best_keeper
from tests.server.processes import COMMAND, LIMIT_S, MODERN, environment, started
from tests.vault import keyrings


@pytest.fixture
def prompt() -> Iterator[Event]:
    """A prompt that is answered after the test, at the latest."""
    event = Event()
    yield event
    event.set()
    # The thread that waited has ended once a question is let through.
    while True:
        try:
            ask_keyring(lambda: None, ConfigError)
        except BiMcpError:
            continue
        break


def wait_for(event: Event) -> str | None:
    event.wait()
    return "late"


def test_a_keyring_that_waits_for_its_prompt_is_given_up_with_the_reason(prompt: Event) -> None:
    with pytest.raises(ConfigError, match="it has waited for an answer to its prompt for 0 s"):
        ask_keyring(lambda: wait_for(prompt), ConfigError, patience=0)


def test_later_questions_are_refused_at_once_and_work_again_when_the_prompt_was_answered(
    prompt: Event,
) -> None:
    with pytest.raises(ConfigError):
        ask_keyring(lambda: wait_for(prompt), ConfigError, patience=0)
    asked: list[None] = []
    with pytest.raises(ConfigError, match="it still waits for an answer to its prompt"):
        ask_keyring(lambda: asked.append(None), ConfigError)
    assert asked == []
    prompt.set()
    while not asked:
        try:
            ask_keyring(lambda: asked.append(None), ConfigError)
        except ConfigError:
            continue


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_what_a_keyring_raises_is_told_by_its_name_only(error: type[BaseException]) -> None:
    def refuse() -> None:
        raise error("entry-canary")

    with pytest.raises(ConfigError, match=rf"\A{error.__name__}\Z"):
        ask_keyring(refuse, ConfigError)


def test_an_answer_that_is_not_text_is_refused_and_not_repeated() -> None:
    assert ask_for_text(lambda: "entry", ConfigError) == "entry"
    assert ask_for_text(lambda: None, ConfigError) is None
    with pytest.raises(ConfigError, match=r"\Ait answered with something that is not text\Z"):
        ask_for_text(lambda: b"entry-canary", ConfigError)


def test_a_keyring_that_cannot_be_judged_is_told_with_advice() -> None:
    with (
        keyrings.system_keyring(keyrings.UnrankedKeyring(SystemExit("bus-canary"))),
        pytest.raises(
            ConfigError, match=r"cannot be used \(SystemExit\)\. Unlock or repair it.*--keep-in file"
        ),
    ):
        best_keeper()


def test_a_backend_that_cannot_be_loaded_is_told_with_advice(tmp_path: Path) -> None:
    variables = environment(tmp_path, PYTHON_KEYRING_BACKEND="tests.absent.Keyring")
    command = [*COMMAND, "secret", "set", "shop", "--for", "shop.example"]
    done = subprocess.run(  # noqa: S603  our own command
        command,
        input="value-canary",
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 1
    assert "cannot be used (ModuleNotFoundError)" in done.stderr
    assert "choose another one with PYTHON_KEYRING_BACKEND" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ["HangingKeyring", "HangingDiscovery"])
async def test_a_server_answers_while_a_keyring_waits_and_ends_with_its_input(
    tmp_path: Path, backend: str
) -> None:
    profile = Profile(name="acme", portal_url="https://acme.example", keeper="keyring")
    change_profiles(tmp_path / "configuration", lambda known: known.with_profile(profile))
    variables = {
        "BI_MCP_CONFIG_DIR": str(tmp_path / "configuration"),
        "PYTHON_KEYRING_BACKEND": f"tests.vault.hanging_keyring.{backend}",
    }
    async with started(tmp_path, **variables) as server:
        call = {"name": "connector_list", "arguments": {}, **MODERN}
        await server.send_line(
            json.dumps({"jsonrpc": "2.0", "id": 900, "method": "tools/call", "params": call})
        )
        while not (tmp_path / "prompt").exists():  # noqa: ASYNC110  it is another process that makes it
            await anyio.sleep(0.01)
        assert (await server.ask("tools/list", **MODERN))["tools"]
        # Before the call's own time is over: it is the end of the input that ends it.
        with anyio.fail_after(PATIENCE_S / 2):
            assert await server.end() == 0
