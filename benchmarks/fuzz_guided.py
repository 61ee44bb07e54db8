"""The child of `benchmarks.fuzz`: one harness under atheris, which ends the process. Arguments: NAME, then libFuzzer's."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

# Not among the requirements of development: it needs a compiler on some systems.
atheris: Any = import_module("atheris")

# Before anything of bi-mcp is imported: what is imported here tells which of its code an input reaches.
with atheris.instrument_imports(
    include=["bi_mcp.endpoints", "bi_mcp.rest", "bi_mcp.setup", "json", "ruamel"]
):
    from tests.security.harnesses import HARNESSES

if __name__ == "__main__":
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], HARNESSES[name].run)
    atheris.Fuzz()
