"""Run by `make container-check`: the images as clients and engines use them. ENGINE and RUN_OPTIONS are its arguments."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from bi_mcp import __version__
from bi_mcp.practice import sample
from bi_mcp.server.tools import TOOLS
from tests.server.processes import MODERN
from tests.server.talking import connector_fields

ENGINE, OPTIONS = (shlex.split(argument) for argument in sys.argv[1:3])
STDIO, CONNECTOR, HTTP = (f"bi-mcp-check:{target}" for target in ("stdio", "connector", "http"))
DATA = Path(sample.__file__).with_name("data")
VOLUME = f"bi-mcp-check-{os.getpid()}"
LOCKED_DOWN = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", *OPTIONS]
RUN = ["run", "--volume", f"{VOLUME}:/config", *LOCKED_DOWN]
TOKEN = "a-token-of-exactly-32-characters"
# What the server's own user could change, and whether what built the image is still there.
PROBE = """
import json, os, importlib.util
roots = ["/opt", "/usr", "/etc", "/var", "/home", "/root", "/source", "/wheels"]
writable = [f for r in roots for f, _, _ in os.walk(r) if os.access(f, os.W_OK) and f not in ("/var/tmp",)]
files = [os.path.join(f, n) for f, _, names in os.walk("/opt") for n in names]
writable += [f for f in files if os.access(f, os.W_OK) or os.stat(f).st_uid != 0]
left = [p for p in ("/source", "/wheels", "/opt/backend") if os.path.exists(p)]
left += [m for m in ("pip", "hatchling") if importlib.util.find_spec(m) and importlib.util.find_spec(m).origin.startswith("/opt")]
status = open("/proc/self/status").read()
print(json.dumps({"ids": [os.getuid(), os.getgid()], "writable": writable, "left": left, "files": len(files),
    "capabilities": status.split("CapEff:")[1].split()[0], "config": oct(os.stat("/config").st_mode)[-3:]}))
"""


def engine(*words: str, code: int | None = 0) -> str:
    """Return what the engine printed; its exit code must be `code`, or any where that is None."""
    done = subprocess.run(  # noqa: S603  the engine that the caller named
        [*ENGINE, *words], check=False, capture_output=True, text=True, timeout=120
    )
    assert code in {None, done.returncode}, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def inspected(image: str) -> tuple[dict[str, Any], list[str]]:
    """Return what the engine knows of an image, and its health check."""
    (found,) = json.loads(engine("image", "inspect", image))
    # Docker says it among the settings, podman beside them.
    health = found["Config"].get("Healthcheck") or found.get("Healthcheck") or {"Test": []}
    return found, health["Test"]


def check_image(image: str) -> None:
    found, health = inspected(image)
    config = found["Config"]
    names = {pair.split("=")[0] for pair in config["Env"]}
    assert not [name for name in names if name.startswith(("PIP_", "SSL_", "HTTP"))], names
    assert config["User"] == "10001:10001"
    assert health[:2] == ([] if image == STDIO else ["CMD", "python"])
    print(f"{image}: {found['Size'] / 1e6:.0f} MB, {len(found['RootFS']['Layers'])} layers")  # noqa: T201  what was measured


def check_what_its_user_may_do() -> None:
    printed = engine(*RUN, "--rm", "--network", "none", "--entrypoint", "python", STDIO, "-I", "-c", PROBE)
    found: dict[str, Any] = json.loads(printed)
    assert found.pop("files") > 1000
    assert found == {
        "ids": [10001, 10001],
        "writable": [],
        "left": [],
        "capabilities": "0" * 16,
        "config": "700",
    }


async def check_stdio() -> None:
    """A client starts the container, changes something, and what is kept of it lies in the volume."""
    arguments = [*RUN, "--rm", "--interactive", "--network", "none", STDIO]
    server = StdioServerParameters(command=ENGINE[0], args=[*ENGINE[1:], *arguments], env=dict(os.environ))
    async with Client(server) as client:
        assert len((await client.list_tools()).tools) == len(TOOLS)
        added = await client.call_tool("connector_add", {"fields": connector_fields("In a container")})
        assert not added.is_error, added
        assert (await client.get_prompt("onboard", {"language": "ru"})).messages
    listing = engine(*RUN, "--rm", "--network", "none", "--entrypoint", "ls", STDIO, "-A", "/config")
    assert {"audit.jsonl", "history"} <= set(listing.split()), listing


def check_commands() -> None:
    demo = engine(*RUN, "--rm", "--network", "none", "--entrypoint", "bi-mcp", STDIO, "demo")
    assert "portal" in demo
    assert engine(*RUN, "--rm", "--entrypoint", "bi-mcp", STDIO, "--version").endswith(__version__)
    # Without a token nobody could be told apart, so it does not start.
    engine(*RUN, "--rm", HTTP, code=1)


@contextmanager
def detached(*words: str) -> Iterator[str]:
    name = engine(*RUN, "--detach", *words).splitlines()[-1]
    try:
        yield name
    finally:
        engine("rm", "--force", name)


def exit_code(name: str) -> int:
    """Stop it as an orchestrator does: 137 would be the kill that follows when the signal is not heeded."""
    engine("stop", "--time", "20", name)
    return int(engine("inspect", "--format", "{{.State.ExitCode}}", name))


def check_signal_on_stdio() -> None:
    """The server is the first process of its container, which signals do not end by themselves."""
    name = f"{VOLUME}-signalled"
    command = [*ENGINE, *RUN, "--interactive", "--name", name, STDIO]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:  # noqa: S603  as above
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": MODERN}).encode()
            + b"\n"
        )
        server.stdin.flush()
        assert server.stdout.readline()
        try:
            assert exit_code(name) == 128 + signal.SIGTERM
        finally:
            engine("rm", "--force", name)


async def check_http() -> None:
    environment = ["--env", f"BI_MCP_HTTP_TOKEN={TOKEN}", "--env", "HTTP_PROXY=http://127.0.0.1:9"]
    words = ["--publish", "127.0.0.1::8765", *environment, HTTP, "--allow-host", "127.0.0.1"]
    with detached(*words) as name:
        address = "http://" + engine("port", name, "8765/tcp").splitlines()[0].split("-> ")[-1]
        await until_healthy(address, {"status": "ok", "version": __version__})
        check_health_command(HTTP, name)
        async with httpx.AsyncClient(trust_env=False) as stranger:
            assert (await stranger.post(f"{address}/mcp", json={})).status_code == 401
        await list_tools(f"{address}/mcp")
        assert exit_code(name) == 0


async def check_connector() -> None:
    """Files of the machine, served to who knows the key."""
    words = [
        "--publish",
        "127.0.0.1::8772",
        "--env",
        f"BI_MCP_CONNECTOR_KEY={TOKEN}",
        "--volume",
        f"{DATA}:/data:ro",
    ]
    with detached(*words, CONNECTOR, "--source", "flights=/data") as name:
        address = "http://" + engine("port", name, "8772/tcp").splitlines()[0].split("-> ")[-1]
        await until_healthy(address)
        check_health_command(CONNECTOR, name)
        async with httpx.AsyncClient(trust_env=False) as bitrix:
            form = {"connection[source]": "flights", "connection[key]": TOKEN}
            listed = await bitrix.post(f"{address}/tables", data=form)
            assert "flights" in {table["code"] for table in listed.json()}
            refused = await bitrix.post(f"{address}/check", data=form | {"connection[key]": "wrong"})
            assert refused.status_code == 401
        assert exit_code(name) == 0


async def until_healthy(address: str, told: dict[str, str] | None = None) -> None:
    with anyio.fail_after(60):
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    health = await client.get(f"{address}/health")
                except httpx.TransportError:
                    await anyio.sleep(0.2)
                    continue
                assert health.status_code == 200
                assert told is None or health.json() == told
                return


def check_health_command(image: str, name: str) -> None:
    """In the server's own container it is content, in one without a server it is not."""
    command = inspected(image)[1][1:]
    engine("exec", name, *command)
    engine(*RUN, "--rm", "--entrypoint", command[0], image, *command[1:], code=1)


async def list_tools(address: str) -> None:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as caller,
        Client(streamable_http_client(address, http_client=caller)) as client,
    ):
        assert len((await client.list_tools()).tools) == len(TOOLS)
        assert not (await client.call_tool("connector_list", {})).is_error


def main() -> None:
    try:
        for image in (STDIO, CONNECTOR, HTTP):
            check_image(image)
        check_what_its_user_may_do()
        check_commands()
        anyio.run(check_stdio)
        check_signal_on_stdio()
        anyio.run(check_http)
        anyio.run(check_connector)
    finally:
        engine("volume", "rm", "--force", VOLUME)


if __name__ == "__main__":
    main()
    print("The images serve their clients, write to their volume only and end when told to.")  # noqa: T201  a script's one line
