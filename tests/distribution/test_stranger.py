"""On the package index `bi-mcp` is another project: nothing that a newcomer can copy from this repository may fetch it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The index takes these spellings for the same name.
STRANGER = r"(?<![\w./-])bi[-_.]mcp"
FETCHES = re.compile(
    r"(?<![\w-])(?:uvx|bunx|npx|uv tool (?:install|run|upgrade)|uv add|uv pip install|uv run --with|pipx (?:install|run|inject|upgrade)"
    r"|pip3? (?:install|download|wheel)|poetry add|pdm add|conda install|npm (?:install|i|exec)|--with|--from|--spec)\b([^\n`#;&|]*)",
    re.IGNORECASE,
)
# What follows the package here is a command of it.
SOURCE = re.compile(r"--(?:from|spec)[\s\"',=]+(\S+).*")
WORD = re.compile(rf"{STRANGER}(?:(?:==|>=|~=|@)\S*)?(?![\w.-])", re.IGNORECASE)
ELSEWHERE = re.compile(
    rf"{STRANGER}\\?\[[a-z]|\"identifier\":\s*\"bi-mcp\"|^name = \"bi-mcp\"|pypi\.org/(?:p|project|simple)/bi-mcp|pkg:pypi/bi-mcp|io\.github\.bi-mcp",
    re.IGNORECASE | re.MULTILINE,
)
CONTINUED = re.compile(r"([,\[{(:\\])\s*\n\s*")
LEFT_OUT = {".git", ".venv", "build", "dist", "node_modules"}
LARGEST = 1_000_000


def fetched(text: str) -> list[str]:
    """Return what in a text would fetch the stranger's package."""
    joined = CONTINUED.sub(r"\1 ", text)
    found = [match[0].strip() for match in ELSEWHERE.finditer(joined)]
    commands = FETCHES.finditer(joined)
    return found + [match[0].strip() for match in commands if WORD.search(SOURCE.sub(r"\1", match[1]))]


def texts() -> Iterator[tuple[Path, str]]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.endswith("_cache")]
        for name in names:
            path = Path(folder, name)
            if path == Path(__file__) or path.stat().st_size > LARGEST:
                continue
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def test_nothing_here_fetches_the_package_of_a_stranger() -> None:
    read = dict(texts())
    assert {ROOT / name for name in ("README.md", "server.json", "bi_mcp/errors.py", "docs/index.md")} <= set(
        read
    )
    found = {str(path.relative_to(ROOT)): fetched(text) for path, text in read.items()}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "text",
    [
        "uvx bi-mcp",
        "uvx bi-mcp@latest serve",
        "uvx --python 3.12 bi-mcp",
        "uvx --from bi-mcp bi-mcp serve",
        "pip install bi-mcp",
        "python -m pip install --upgrade bi_mcp",
        'pip install "bi-mcp[socks]"',
        'Run: pip install \\"bi-mcp[hosting]\\"',
        "pip install 'Bi-MCP==0.1.0'",
        "pipx install bi-mcp",
        "pipx run bi-mcp serve",
        "uv tool install bi-mcp",
        "uv add bi-mcp",
        "uv run --with bi-mcp python",
        "npx -y bi-mcp",
        "claude mcp add bi-mcp -- uvx bi-mcp",
        '"registryType": "pypi", "identifier": "bi-mcp"',
        '{"command": "uvx", "args": ["bi-mcp"]}',
        '{\n  "command": "uvx",\n  "args": [\n    "bi-mcp",\n    "serve"\n  ]\n}',
        'code --add-mcp \'{"name":"bi-mcp","command":"uvx","args":["bi-mcp"]}\'',
        "uv tool install \\\n  bi-mcp",
        '[project]\nname = "bi-mcp"\n',
        "https://pypi.org/project/bi-mcp/",
        "<!-- mcp-name: io.github.bi-mcp/bi-mcp -->",
    ],
)
def test_the_search_finds_what_would_fetch_it(text: str) -> None:
    assert fetched(text)


@pytest.mark.parametrize(
    "text",
    [
        "uvx bitrix24-bi-mcp",
        "uvx --from bitrix24-bi-mcp bi-mcp serve",
        "pipx run --spec bitrix24-bi-mcp bi-mcp",
        'pip install "bitrix24-bi-mcp[socks]"',
        "uv tool install bitrix24-bi-mcp   # then: bi-mcp login",
        "uv tool install . && bi-mcp login",
        "Install it with `pipx install bitrix24-bi-mcp`; `bi-mcp demo` shows it.",
        "claude mcp add bi-mcp -- uvx bitrix24-bi-mcp",
        '{"name":"bi-mcp","command":"uvx","args":["bitrix24-bi-mcp"]}',
        "python -m bi_mcp",
        '"identifier": "bitrix24-bi-mcp"',
    ],
)
def test_the_search_leaves_alone_what_fetches_ours(text: str) -> None:
    assert fetched(text) == []
