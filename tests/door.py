"""The words of a door for tests of what lies below it."""

from __future__ import annotations

from bi_mcp.base.advice import use_words
from bi_mcp.errors import BiMcpError
from bi_mcp.server.advice import WORDS


def at_server(error: BiMcpError) -> str:
    with use_words(WORDS):
        return str(error)
