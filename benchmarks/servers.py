"""How the compared servers are started: as a client of theirs does, with the few variables it passes on."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from mcp import StdioServerParameters

_SCRIPT = Path(sysconfig.get_path("scripts"), "bi-mcp")
_BARE = Path(__file__).with_name("bare_server.py")

OUR_COMMAND = (sys.executable, str(_SCRIPT))
BARE_COMMAND = (sys.executable, str(_BARE))
NOTHING_CONFIGURED = {"BI_MCP_PORTAL_DB": ":memory:"}


def ours(environment: dict[str, str] | None = None) -> StdioServerParameters:
    """bi-mcp on standard input and output; without an environment nothing is configured."""
    return _over_stdio(OUR_COMMAND, NOTHING_CONFIGURED if environment is None else environment)


def bare() -> StdioServerParameters:
    """The bare server on standard input and output."""
    return _over_stdio(BARE_COMMAND, {})


def _over_stdio(command: tuple[str, str], environment: dict[str, str]) -> StdioServerParameters:
    # The package of this checkout, whichever one is installed.
    checkout = {"PYTHONPATH": str(Path(__file__).parents[1])}
    return StdioServerParameters(command=command[0], args=list(command[1:]), env=checkout | environment)
