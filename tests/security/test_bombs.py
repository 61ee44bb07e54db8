"""Small inputs that become large ones. Each is read in a process of its own that may use only so much memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.server.forked import run_program

# What the modules themselves take is not counted: the limit is set once they are loaded.
MEGABYTES = {"endpoint": 96, "portal": 320, "oauth": 96, "file": 320}

PRELUDE = """
import resource, struct, sys, zlib, json, gzip, anyio
from starlette.responses import Response, StreamingResponse
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import BiMcpError
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.token import Application
from bi_mcp.base.secret import Secret
from bi_mcp.setup.file import read_setup
import httpx, ruamel.yaml, encodings.idna

def packed(begin, part, megabytes):
    # One flushed block repeated, as packing each megabyte would take most of the test's time.
    block = part * (1024 * 1024 // len(part))
    packer = zlib.compressobj(9, wbits=-15)
    first = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(begin)
    for _ in range(megabytes):
        check = zlib.crc32(block, check)
    size = len(begin) + megabytes * len(block)
    end = struct.pack("<II", check, size % 2**32)
    return b"\\x1f\\x8b\\x08" + bytes(5) + b"\\x02\\xff" + first + again * megabytes + packer.flush() + end

def answers(body, encoding=None):
    return Response(body, headers={"content-encoding": encoding} if encoding else {})

def endless(begin, part):
    async def text():
        yield begin
        while True:
            yield part
    return StreamingResponse(text())

async def endpoint(app, columns=False):
    caller = EndpointCaller(apps={"http://shop.localhost": app})
    if columns:
        return len((await caller.table_description("http://shop.localhost/", {}, "t")).items)
    return len((await caller.data("http://shop.localhost/", {}, "t")).rows)

async def portal(app):
    async with BIConnector(HttpTransport("http://localhost", AccessToken(Secret("t")), app=app)) as bi:
        return len((await bi.connectors.list_page()).items)

async def oauth(body, encoding):
    def answer(_):
        return httpx.Response(200, stream=httpx.ByteStream(body), headers={"content-encoding": encoding})
    client = OAuthClient(login=advise(AdviceKind.LOG_IN), transport=httpx.MockTransport(answer))
    await client.refresh(Application("id", Secret("s"), "https://oauth.example"), Secret("r"))

def told(work):
    # Everything is loaded and made now: from here on memory counts.
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    allowed = used + int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    try:
        print("read", work())
    except BiMcpError as error:
        print("refused:", error)
"""

# What is made, what is read of it, and what is said.
BOMBS = {
    "endpoint": {
        "packed spaces": ("bomb = answers(packed(b'[', b' ', 2000), 'gzip')", "refused: .*more than 8388608 bytes"),
        "packed twice": ("bomb = answers(gzip.compress(packed(b'[', b' ', 500)), 'gzip, gzip')", "refused: .*encoding"),
        "another packer": ("bomb = answers(b'x' * 1000, 'br')", "refused: .*encoding"),
        "rows": ("bomb = endless(b'[[\"a\"]', b',[1]' * 1000)", "read 1000"),
        "packed rows": ("bomb = answers(packed(b'[[\"a\"]', b',[1]', 2000), 'gzip')", "read 1000"),
        "a text": ("bomb = endless(b'[\"', b'a' * 1000)", "refused: .*more than 8388608 bytes"),
        "brackets": ("bomb = endless(b'', b'[' * 1000)", "refused: .*nested too deeply"),
        "a number": ("bomb = endless(b'[', b'9' * 1000)", "refused: "),
        "a wide row": ("bomb = endless(b'[[0', b',0' * 1000)", "refused: .*more than 8388608 bytes"),
        "no array": ("bomb = endless(b'{\"a\": \"', b'a' * 1000)", "refused: .*more than 8388608 bytes"),
    },
    "portal": {
        "packed spaces": ("bomb = answers(packed(b'[', b' ', 2000), 'gzip')", "refused: .*larger than 67108864 bytes"),
        "another packer": ("bomb = answers(b'x' * 1000, 'br')", "refused: .*not compressed in the way"),
        "broken packing": ("bomb = answers(b'x' * 1000, 'gzip')", "refused: .*not compressed in the way"),
        "brackets": ("bomb = answers(packed(b'', b'[', 40), 'gzip')", "refused: .*broken or cut-off"),
        "a number": ("bomb = answers(b'{\"result\": ' + b'9' * 10000000 + b'}')", "refused: .*broken or cut-off"),
    },
    "oauth": {
        "packed spaces": ("bomb = packed(b'{', b' ', 2000), 'gzip'", "refused: .*not JSON"),
        "another packer": ("bomb = b'x' * 1000, 'br'", "refused: .*not JSON"),
        "brackets": ("bomb = gzip.compress(b'[' * 900000), 'gzip'", "refused: .*not JSON"),
    },
    "file": {
        "brackets": ("bomb = 'a: ' + '[' * 1000000", "refused: "),
        "mappings": ("bomb = 'a: ' + '{a: ' * 300000", "refused: "),
        "indentation": ("bomb = '\\n'.join(' ' * n + 'a:' for n in range(3000))", "refused: "),
        "anchors": (
            "bomb = 'a0: &a0 [x]\\n' + ''.join(f'a{n}: &a{n} [{\", \".join([f\"*a{n-1}\"] * 9)}]\\n' for n in range(1, 30))",
            "refused: .*anchors are not read",
        ),
        "merges": ("bomb = 'a: &a {<<: *a}'", "refused: .*anchors are not read"),
        "merged lists": ("bomb = 'a: {<<: [' + '{b: c}, ' * 200000 + ']}'", "refused: .*merges .* are not read"),
        "chained merges": (
            "bomb = 'a0: &a0 {x: y}\\n' + ''.join(f'a{n}: &a{n} {{<<: [*a{n-1}, *a{n-1}], k{n}: 1}}\\n' for n in range(1, 9000))",
            "refused: .*anchors are not read",
        ),
        "unknown keys of a server": ("bomb = 'version: 1\\n' + ''.join(f'k{n}: 1\\n' for n in range(180000))", "refused: .*179999 problems|180000 problems"),
        "many columns": (
            "bomb = 'version: 1\\ndatasets:\\n  d:\\n    columns:\\n' + ''.join(f'      - {{name: N{n}, externalCode: c{n}, type: int}}\\n' for n in range(40000))",
            "refused: .*is missing",
        ),
        "a huge scalar": ("bomb = 'version: 1\\nx: ' + 'a' * 20000000", "refused: .*x is unknown"),
        "many keys": ("bomb = 'version: 1\\n' + ''.join(f'k{n}: 1\\n' for n in range(30000))", "refused: .*and .* more"),
        "a huge file": ("bomb = 'x' * (64 * 1024 * 1024 + 1)", "refused: .*at most 67108864 characters"),
        "a huge number": ("bomb = 'version: ' + '9' * 1000000", "refused: "),
    },
}  # fmt: skip
READ = {
    "endpoint": "anyio.run(endpoint, bomb)",
    "portal": "anyio.run(portal, bomb)",
    "oauth": "anyio.run(oauth, *bomb)",
    "file": "read_setup(bomb, 'bi.yaml')",
}
CASES = [(what, name) for what, bombs in BOMBS.items() for name in bombs]


def read(home: Path, what: str, made: str) -> CompletedProcess[str]:
    return run_program(home, f"{PRELUDE}\n{made}\ntold(lambda: {READ[what]})\n", str(MEGABYTES[what]))


@pytest.mark.campaign("bombs")
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize(("what", "name"), CASES, ids=[f"{what}: {name}" for what, name in CASES])
def test_a_bomb_ends_in_bounded_memory_and_a_clear_error(tmp_path: Path, what: str, name: str) -> None:
    made, said = BOMBS[what][name]
    finished = read(tmp_path, what, made)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert len(finished.stdout) < 10_000
    assert re.search(said, finished.stdout, re.DOTALL), finished.stdout


@pytest.mark.campaign("bombs")
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_the_limit_would_be_noticed(tmp_path: Path) -> None:
    finished = read(tmp_path, "file", "bomb = ''\nread_setup = lambda *_: len(b'x' * 1024 * 1024 * 1024)")
    assert "MemoryError" in finished.stderr
