"""`pytest -p tests.line_coverage`: counts which lines of bi_mcp run in the processes of the tests, and prints the share at the end.

Servers and commands that tests start as processes of their own are not counted, so the true share is higher. Slipcover costs
a few seconds in all; the tracer of coverage.py nearly doubles the time on Python 3.11.
"""

from __future__ import annotations

import json
import sys
from functools import reduce
from typing import Any

import pytest
from slipcover import (  # type: ignore[import-untyped]  # it ships no types
    FileMatcher,
    ImportManager,
    Slipcover,
    merge_coverage,
)

SOURCE = "bi_mcp"

_counter = Slipcover(source=[SOURCE])
ImportManager(_counter, FileMatcher(sources=[SOURCE])).__enter__()
_of_workers: list[dict[str, Any]] = []

assert SOURCE not in sys.modules, "lines that ran before they could be counted"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker hand over what it counted."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["line_coverage"] = json.dumps(_counter.get_coverage())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep what a worker counted. One that was lost has nothing to hand over."""
    counted = getattr(node, "workeroutput", {}).get("line_coverage")
    if counted is not None:
        _of_workers.append(json.loads(counted))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the share and the files with the lowest one."""
    # With workers no test runs in this process, and each of them lists all files.
    counted = reduce(merge_coverage, _of_workers or [_counter.get_coverage()])
    shares = {
        name: file["summary"]["percent_covered"]
        for name, file in counted["files"].items()
        if file["summary"]["covered_lines"] + file["summary"]["missing_lines"] >= 20
    }
    lowest = ", ".join(f"{name} {shares[name]:.0f} %" for name in sorted(shares, key=shares.__getitem__)[:5])
    share = counted["summary"]["percent_covered"]
    terminalreporter.write_line(
        f"Lines of {SOURCE} that ran in the processes of the tests: {share:.1f} %. Lowest: {lowest}."
    )
